package postgres

import (
	"fmt"
	"slices"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// unsupported are the additions that a model cannot hold, and how it names
// them.
var unsupported = map[string][]string{
	"aggregate":     {"aggregate public.longest(pg_catalog.text)"},
	"collation":     {"collation public.plain"},
	"domain":        {"domain public.percentage"},
	"enum":          {"enum type public.tier"},
	"event-trigger": {"event trigger note_commands"},
	"foreign-table": {"foreign table public.remote_project", "foreign-data wrapper nowhere", "server elsewhere"},
	"inheritance":   {"inherited table public.archived_repository"},
	"large-object":  {"large object 424242"},
	"partitions":    {"partition public.pull_statistics_2023", "partition public.pull_statistics_2024", "partitioned table public.pull_statistics"},
	"publication":   {"publication harbor_projects"},
	"row-security":  {"policy only_living on public.project", "row security of table public.project"},
	"rule":          {"rule keep on public.protected_project"},
	"types":         {"composite type public.address", "range type public.float_range"},
}

// leftOutWith is what cannot exist without the unsupported additions.
var leftOutWith = []string{
	"table public.office", "table public.project_tier", "table public.sorted_name", "table public.usage_share",
}

func TestWhatOperatorsAddIsCarried(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			source := build(t, server, 180)
			for _, name := range harborsql.Additions() {
				if unsupported[name] == nil {
					server.Exec(t, source.Database, harborsql.Addition(name))
				}
			}
			m := readModelOf(t, server, source)
			if len(m.Unsupported) > 0 {
				t.Fatalf("unsupported: %v", m.Unsupported)
			}
			copied, notes := restoreModel(t, server, m)
			if len(notes) > 0 {
				t.Errorf("notes: %v", notes)
			}
			wantEqual(t, m, readModelOf(t, server, copied))
			if major == dbtest.DefaultMajor {
				wantSameDump(t, source, copied)
			}
		})
	}
}

func TestWhatAModelCannotHoldIsNamedAndCanBeLeftOut(t *testing.T) {
	for _, major := range []int{10, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			source := build(t, server, 180)
			before := readModelOf(t, server, source)
			var want []string
			for name, objects := range unsupported {
				server.Exec(t, source.Database, harborsql.Addition(name))
				want = append(want, objects...)
			}
			m := readModelOf(t, server, source)
			wantNames(t, "unsupported", m.Unsupported, want)
			if _, _, err := m.Render(pgmodel.Target{Major: major}); err == nil {
				t.Error("a model with unsupported objects was rendered")
			}
			wantNames(t, "left out", m.LeaveOut(), append(want, leftOutWith...))
			copied, _ := restoreModel(t, server, m)
			got := readModelOf(t, server, copied)
			wantEqual(t, m, got)
			for _, d := range pgmodel.Diff(before, got) {
				if d.OnlyIn != "b" && d.Object.Kind != pgmodel.KindDatabase {
					t.Errorf("leaving out changed %s", d)
				}
			}
		})
	}
}

func wantNames(t *testing.T, what string, objects []pgmodel.Object, want []string) {
	t.Helper()
	var got []string
	for _, o := range objects {
		got = append(got, o.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%q, want\n%q", what, got, want)
	}
}
