package snapshots_test

import (
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

func entry(id, label, system string) snapshots.Entry {
	return snapshots.Entry{ID: snapshots.ID(id), Manifest: &snapshots.Manifest{ID: snapshots.ID(id), Label: label,
		Source: snapshots.Source{Engine: "postgresql", System: system, Database: "registry"}}}
}

func TestResolve(t *testing.T) {
	one := []snapshots.Entry{
		entry("20260101T000000Z-aaaaaa", "before", "1"),
		entry("20260201T000000Z-bbbbbb", "twice", "1"),
		entry("20260202T000000Z-cccccc", "twice", "1"),
		{ID: "20260301T000000Z-dddddd", Unfinished: true},
	}
	broken := append(one[:3:3], snapshots.Entry{ID: "20260401T000000Z-eeeeee", Problem: "corrupt"})
	two := append(one[:3:3], entry("20260501T000000Z-ffffff", "", "2"))
	for name, test := range map[string]struct {
		entries   []snapshots.Entry
		ref, want string // an ID, or what the error says
	}{
		"a whole ID":                    {one, "20260101T000000Z-aaaaaa", "20260101T000000Z-aaaaaa"},
		"a unique prefix":               {one, "20260101", "20260101T000000Z-aaaaaa"},
		"a label":                       {one, "before", "20260101T000000Z-aaaaaa"},
		"latest":                        {one, "latest", "20260202T000000Z-cccccc"},
		"latest passes over a bad one":  {broken, "latest", "20260202T000000Z-cccccc"},
		"a bad one by its ID":           {broken, "20260401", "20260401T000000Z-eeeeee"},
		"a prefix of two":               {one, "202602", "fits 2"},
		"a label of two":                {one, "twice", "fits 2"},
		"something unknown":             {one, "nothing", "no snapshot"},
		"nothing":                       {one, "", "no snapshot"},
		"an unfinished one":             {one, "20260301", "no snapshot"},
		"latest of an empty store":      {nil, "latest", "no good snapshot"},
		"latest where two Harbors meet": {two, "latest", "several databases"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := snapshots.Resolve(test.entries, test.ref)
			if err == nil {
				if string(e.ID) != test.want {
					t.Errorf("got %s", e.ID)
				}
				return
			}
			if !strings.Contains(err.Error(), test.want) || fault.KindOf(err) != fault.Usage {
				t.Errorf("%v (kind %d) does not say %q", err, fault.KindOf(err), test.want)
			}
		})
	}
}

// Two snapshots of one second come in the order of their moments, whatever
// their IDs happen to be.
func TestLatestWithinASecond(t *testing.T) {
	store, _ := newStore(t)
	earlier := write(t, store, moment.Add(100*time.Millisecond), 2, "", sample)
	later := write(t, store, moment.Add(900*time.Millisecond), 1, "", sample)
	if later >= earlier {
		t.Fatalf("%s would come after %s by its ID alone", later, earlier)
	}
	entries, err := snapshots.List(t.Context(), store, moment)
	check(t, err)
	last, err := snapshots.Resolve(entries, snapshots.Latest)
	check(t, err)
	if last.ID != later {
		t.Errorf("latest is %s, not %s", last.ID, later)
	}
}
