package schema

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/fault"
)

// shipped is the number of migration files of each line's releases, counted
// in the tags of goharbor/harbor.
var shipped = map[string]int{
	"1.6.0": 1, "1.7.8": 3, "1.8.1": 4, "1.8.2": 5, "1.9.0": 6, "1.9.3": 7, "1.9.4": 8, "1.10.0": 9, "1.10.19": 9,
	"2.0.2": 10, "2.0.3": 11, "2.1.3": 12, "2.1.4": 13, "2.2.0": 13, "2.2.1": 15, "2.2.2": 16, "2.2.3": 17,
	"2.3.3": 18, "2.3.4": 19, "2.4.1": 20, "2.4.2": 21, "2.5.1": 22, "2.5.2": 23, "2.5.3": 24, "2.6.1": 25, "2.6.2": 26,
	"2.7.4": 27, "2.8.0": 28, "2.8.1": 29, "2.9.5": 30, "2.10.3": 31, "2.11.2": 32, "2.12.4": 33, "2.13.5": 34,
	"2.14.0": 35, "2.14.1": 36, "2.15.2": 37,
}

func TestReleasesShipTheirMigrations(t *testing.T) {
	for name, want := range shipped {
		r, err := ParseRelease(name)
		if err != nil {
			t.Fatal(err)
		}
		list := r.Migrations()
		if len(list) != want {
			t.Errorf("%s ships %d migrations, want %d", r, len(list), want)
		}
		if last := list[len(list)-1].Version; last != r.Max {
			t.Errorf("%s ends at %s, want %s", r, last, r.Max)
		}
	}
}

func TestTheGapOf220(t *testing.T) {
	r, _ := ParseRelease("2.2.0")
	if r.Ships(41) || !r.Ships(40) || !r.Ships(50) {
		t.Errorf("%s ships %v; it lacks 41 alone", r, r.Migrations())
	}
}

func TestReleasesAreCompleteAndInOrder(t *testing.T) {
	all := Releases()
	if len(all) != 13+130 {
		t.Errorf("%d releases, want 143", len(all))
	}
	for i, r := range all[1:] {
		if all[i].Compare(r) >= 0 {
			t.Errorf("%s stands before %s", all[i], r)
		}
	}
	for _, m := range Migrations() {
		if (m.First == "") != (m.Version > 180) {
			t.Errorf("migration %d: first release %q", m.Version, m.First)
		}
		if at := ReleasesAt(m.Version); len(at) > 0 && !at[0].Ships(m.Version) {
			t.Errorf("%s ends at %d and does not ship it", at[0], m.Version)
		}
	}
}

func TestParseRelease(t *testing.T) {
	for in, want := range map[string]string{
		"v2.11.0": "2.11.0", "2.11.0": "2.11.0", "2.11": "2.11.2", "v1.10": "1.10.19", "2.15": "2.15.2",
		"v2.11.0-6b7ecba1": "2.11.0", " 1.5.0 ": "1.5.0", "1.1.0": "1.1.0",
	} {
		r, err := ParseRelease(in)
		if err != nil || r.Name != want {
			t.Errorf("ParseRelease(%q) = %v, %v; want %s", in, r, err, want)
		}
	}
}

func TestParseReleaseNamesTheNearest(t *testing.T) {
	for in, want := range map[string]string{
		"v2.11.7": "v2.11.2", "2.16.0": "v2.15.2", "1.11": "v1.10.0", "1.2.1": "v1.2.0", "9.0.0": "v2.15.2", "0.5.0": "v1.1.0",
		"latest": "", "": "", "2": "", "v2.11.0-rc1": "", "2.11.0.1": "",
	} {
		_, err := ParseRelease(in)
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("ParseRelease(%q): %v, want a usage fault", in, err)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRelease(%q): %v, want %s named", in, err, want)
		}
	}
}

func TestLockKeysOfEveryEra(t *testing.T) {
	want := [3]int64{1561238222, 1321817113, 2486710858}
	if got := LockKeys("registry", "public"); got != want {
		t.Errorf("keys %v, want %v", got, want)
	}
	for name, key := range map[string]int64{"1.5.0": 0, "1.6.0": want[0], "2.0.6": want[0], "2.1.0": want[1], "2.4.3": want[1], "2.5.0": want[2], "2.15.2": want[2]} {
		r, _ := ParseRelease(name)
		if got := r.LockKey("registry", "public"); got != key {
			t.Errorf("%s takes lock %d, want %d", r, got, key)
		}
	}
}

func TestSpan(t *testing.T) {
	for v, want := range map[Version]string{111: "v2.8.1 – v2.8.6", 110: "v2.8.0", 181: ""} {
		if got := Span(ReleasesAt(v)); got != want {
			t.Errorf("Span(%d) = %q, want %q", v, got, want)
		}
	}
	if got := Span(ReleasesAtAlembic("0.4.0")); got != "v1.1.0 – v1.1.2" {
		t.Errorf("Span(0.4.0) = %q", got)
	}
}

func FuzzParseRelease(f *testing.F) {
	for _, s := range []string{"v2.11.0", "2.11", "v2.11.0-6b7ecba1", "9999.9999.9999", "", "v", "2.11.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRelease(s)
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if again, err := ParseRelease(r.String()); err != nil || again.Name != r.Name {
			t.Errorf("%q is %s, and that is %v, %v", s, r, again, err)
		}
	})
}
