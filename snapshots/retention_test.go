package snapshots_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/snapshots"
)

// at makes a good entry of one source.
func at(text, version, label string) snapshots.Entry {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	id, err := snapshots.NewID(t, zeros{1})
	if err != nil {
		panic(err)
	}
	return snapshots.Entry{ID: id, Manifest: &snapshots.Manifest{ID: id, Time: t, Label: label,
		Source: snapshots.Source{Engine: "postgresql", System: "7", Database: "registry"}, Harbor: snapshots.Harbor{Version: version}}}
}

// hoursBefore makes n snapshots, one an hour, the newest at the given time.
func hoursBefore(text string, n int) []snapshots.Entry {
	newest := at(text, "12", "").Manifest.Time
	var list []snapshots.Entry
	for i := range n {
		list = append(list, at(newest.Add(-time.Duration(n-1-i)*time.Hour).Format("2006-01-02 15:04"), "12", ""))
	}
	return list
}

var afterAll = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// kept returns "01-02 15:04 reason, reason" for what is kept, newest first.
func kept(entries []snapshots.Entry, p snapshots.Policy, now time.Time) []string {
	var out []string
	for _, g := range snapshots.ApplyPolicy(entries, p, now) {
		for _, d := range g.Decisions {
			if d.Keep() {
				out = append(out, d.Entry.Manifest.Time.Format("01-02 15:04 ")+strings.Join(d.Reasons, ", "))
			}
		}
	}
	return out
}

const newest = "the newest good snapshot"

func TestPolicyKeeps(t *testing.T) {
	corrupt := at("2026-03-05 00:00", "12", "")
	corrupt.Problem = "a file is missing"
	days := []snapshots.Entry{at("2026-03-01 08:00", "12", ""), at("2026-03-01 20:00", "12", ""), at("2026-03-02 08:00", "12", "x"), at("2026-03-04 08:00", "12", "")}
	for name, test := range map[string]struct {
		entries []snapshots.Entry
		policy  snapshots.Policy
		now     time.Time
		want    []string
	}{
		"the newest of each day, and the oldest where days run out": {days, snapshots.Policy{Daily: 4}, afterAll,
			[]string{"03-04 08:00 " + newest + ", daily", "03-02 08:00 daily", "03-01 20:00 daily", "03-01 08:00 oldest daily"}},
		"as many as last says": {hoursBefore("2026-03-02 01:00", 50), snapshots.Policy{Last: 2}, afterAll,
			[]string{"03-02 01:00 " + newest + ", last", "03-02 00:00 last"}},
		"days that have a snapshot, not days of the calendar": {days, snapshots.Policy{Daily: 2}, afterAll,
			[]string{"03-04 08:00 " + newest + ", daily", "03-02 08:00 daily"}},
		"the week by ISO 8601, over the end of a year": {
			[]snapshots.Entry{at("2025-12-28 00:00", "1", ""), at("2025-12-29 00:00", "1", ""), at("2026-01-04 00:00", "1", "")},
			snapshots.Policy{Weekly: 2}, afterAll, []string{"01-04 00:00 " + newest + ", weekly", "12-28 00:00 weekly"}},
		"months and years each by themselves": {
			[]snapshots.Entry{at("2024-05-01 00:00", "1", ""), at("2025-05-01 00:00", "1", ""), at("2025-06-01 00:00", "1", ""), at("2025-06-02 00:00", "1", "")},
			snapshots.Policy{Monthly: 2, Yearly: 1}, afterAll, []string{"06-02 00:00 " + newest + ", monthly, yearly", "05-01 00:00 monthly"}},
		"within a time of the newest, not of now": {days, snapshots.Policy{Within: snapshots.Span{Days: 2, Hours: 1}}, afterAll,
			[]string{"03-04 08:00 " + newest + ", within the time of the newest", "03-02 08:00 within the time of the newest"}},
		"a label": {days, snapshots.Policy{Labels: []string{"x", "y"}}, afterAll,
			[]string{"03-04 08:00 " + newest, "03-02 08:00 label x"}},
		"all": {days, snapshots.Policy{Last: snapshots.All}, afterAll,
			[]string{"03-04 08:00 " + newest + ", last", "03-02 08:00 last", "03-01 20:00 last", "03-01 08:00 last"}},
		"everything where there is no rule": {days[:2], snapshots.Policy{}, afterAll,
			[]string{"03-01 20:00 " + newest + ", there is no rule", "03-01 08:00 there is no rule"}},
		"the last before the newest upgrade, not before an older one": {
			[]snapshots.Entry{at("2026-01-01 00:00", "100", ""), at("2026-01-02 00:00", "110", ""), at("2026-01-03 00:00", "110", ""),
				at("2026-01-04 00:00", "120", ""), at("2026-01-05 00:00", "120", "")},
			snapshots.Policy{Last: 1}, afterAll, []string{"01-05 00:00 " + newest + ", last", "01-03 00:00 the last before schema 110 became 120"}},
		"the last before the upgrade, too, when there was a way back": {
			[]snapshots.Entry{at("2026-01-01 00:00", "9", ""), at("2026-01-02 00:00", "12", ""), at("2026-01-03 00:00", "100", ""),
				at("2026-01-04 00:00", "100", ""), at("2026-01-05 00:00", "12", ""), at("2026-01-06 00:00", "12", "")},
			snapshots.Policy{Last: 1}, afterAll, []string{"01-06 00:00 " + newest + ", last",
				"01-04 00:00 the last before schema 100 became 12", "01-02 00:00 the last before schema 12 became 100"}},
		"versions of the MySQL era are compared by their numbers": {
			[]snapshots.Entry{at("2026-01-01 00:00", "1.4.0", ""), at("2026-01-02 00:00", "1.10.0", ""), at("2026-01-03 00:00", "1.10.0", "")},
			snapshots.Policy{Last: 1}, afterAll, []string{"01-03 00:00 " + newest + ", last", "01-01 00:00 the last before schema 1.4.0 became 1.10.0"}},
		"what is corrupt, and the newest good one before it": {append(slices.Clone(days), corrupt), snapshots.Policy{Yearly: 1}, afterAll,
			[]string{"03-05 00:00 it is corrupt; snapshots rm removes it", "03-04 08:00 " + newest + ", yearly"}},
		"what lies in the future, without counting it": {days, snapshots.Policy{Last: 1}, days[2].Manifest.Time,
			[]string{"03-04 08:00 its time is in the future", "03-02 08:00 " + newest + ", last"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kept(test.entries, test.policy, test.now); !slices.Equal(got, test.want) {
				t.Errorf("kept\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// Each database of a store is counted by itself.
func TestPolicyCountsEachSourceByItself(t *testing.T) {
	entries := hoursBefore("2026-03-01 05:00", 3)
	for _, e := range hoursBefore("2026-03-01 05:30", 3) {
		e.Manifest.Source.System = "8"
		entries = append(entries, e)
	}
	if got := kept(entries, snapshots.Policy{Last: 2}, afterAll); len(got) != 4 {
		t.Errorf("kept %v", got)
	}
}

// Whatever the policy: the newest stays, one day more never keeps less, and the
// order of the entries does not matter.
func TestPolicyInvariants(t *testing.T) {
	entries := hoursBefore("2026-03-01 05:00", 200)
	reversed := slices.Clone(entries)
	slices.Reverse(reversed)
	for n := range 30 {
		p := snapshots.Policy{Last: n % 3, Hourly: n % 5, Daily: n, Weekly: n % 2, Monthly: n % 4}
		if p.Empty() {
			continue
		}
		got := kept(entries, p, afterAll)
		if !strings.HasPrefix(got[0], "03-01 05:00") {
			t.Errorf("%+v removes the newest", p)
		}
		if !slices.Equal(got, kept(reversed, p, afterAll)) {
			t.Errorf("%+v depends on the order of the entries", p)
		}
		more := p
		more.Daily++
		if len(kept(entries, more, afterAll)) < len(got) {
			t.Errorf("%+v keeps more than %+v", p, more)
		}
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]string{
		"1y6m": "{1 6 0 0}", "2w": "{0 0 14 0}", "14d12h": "{0 0 14 12}", "36h": "{0 0 0 36}", "1d1d": "{0 0 2 0}",
		"": "", "d": "", "12": "", "0d": "", "-1d": "", "1s": "", "1 d": "", "99999999d": "",
	} {
		got, err := snapshots.ParseSpan(text)
		if want == "" && err == nil || want != "" && (err != nil || fmt.Sprint(got) != want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}
