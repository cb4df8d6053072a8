package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// majorPairs go up and down, by one major and by all.
var majorPairs = [][2]int{{10, 18}, {18, 10}, {15, 12}, {13, 16}, {17, 14}}

func TestHarborCatalogCrossesMajors(t *testing.T) {
	for i, pair := range majorPairs {
		version := someVersions[i%len(someVersions)]
		t.Run(fmt.Sprintf("schema %d from %d to %d", version, pair[0], pair[1]), func(t *testing.T) {
			from, to := dbtest.PostgreSQLMajor(t, pair[0]), dbtest.PostgreSQLMajor(t, pair[1])
			source := build(t, from, version)
			additions := []string{"views", "materialized-view", "comments", "grants", "function", "exclusion", "unlogged"}
			if pair[0] < 12 || pair[1] >= 12 { // it has a generated column
				additions = append(additions, "schema")
			}
			for _, name := range additions {
				from.Exec(t, source.Database, harborsql.Addition(name))
			}
			wantCrossing(t, to, readModelOf(t, from, source))
		})
	}
}

func TestHostileCatalogCrossesMajorsUpwards(t *testing.T) {
	for _, pair := range [][2]int{{10, 15}, {12, 18}, {15, 17}} {
		t.Run(fmt.Sprintf("%d to %d", pair[0], pair[1]), func(t *testing.T) {
			from, to := dbtest.PostgreSQLMajor(t, pair[0]), dbtest.PostgreSQLMajor(t, pair[1])
			source := buildHostile(t, from)
			makeRoles(t, to)
			wantCrossing(t, to, readModelOf(t, from, source))
		})
	}
}

// wantCrossing restores a model on another major and compares what it is.
func wantCrossing(t *testing.T, to *dbtest.Server, m *pgmodel.Model) {
	t.Helper()
	copied, notes := restoreModel(t, to, m)
	if len(notes) > 0 {
		t.Errorf("notes: %v", notes)
	}
	got := readModelOf(t, to, copied)
	for _, d := range pgmodel.Compare(m, got) {
		t.Error(d)
	}
	for _, d := range pgmodel.Diff(m, got) {
		// The role that owns the schema public came with PostgreSQL 14; the
		// owner of the database stands for it before.
		a, b := strings.ReplaceAll(d.A, "pg_database_owner", "postgres"), strings.ReplaceAll(d.B, "pg_database_owner", "postgres")
		if (d.Attribute == "acl" || d.Attribute == "owner") && a != b {
			t.Error(d)
		}
	}
}

// firstMajor is the major that an object of the hostile catalog needs.
var firstMajor = map[string]int{
	"procedure public.proc": 11, "index public.keys.keys_include": 11, "index public.keys.keys_covering": 11,
	"column public.generated.c": 12, "column public.generated.d": 12,
	"function public.standard": 14, "function public.returned": 14, "function public.of_key": 14,
	"index public.keys.keys_nulls": 15, "index public.keys.index_nulls": 15, "constraint public.sets.sets_a_b_fkey": 15,
	"view public.invoker":     15,
	"column public.virtual.v": 18, "constraint public.virtual.lax": 18, "index public.periods.periods_pkey": 18,
	"constraint public.within.within_id_during_fkey": 18, "constraint public.lazy.lazy_key": 18,
}

func TestWhatAnOlderMajorDoesNotHaveIsNamed(t *testing.T) {
	from := dbtest.PostgreSQLMajor(t, 18)
	m := readModelOf(t, from, buildHostile(t, from))
	for major := 10; major <= 18; major++ {
		var want, got []string
		for object, first := range firstMajor {
			if first > major {
				want = append(want, object)
			}
		}
		_, _, err := m.Render(pgmodel.Target{Major: major})
		var missing *pgmodel.MissingError
		if errors.As(err, &missing) {
			for _, n := range missing.Missing {
				got = append(got, n.Object.String())
				if !strings.Contains(err.Error(), n.Object.String()) {
					t.Errorf("the error does not name %s", n.Object)
				}
			}
		} else if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("PostgreSQL %d lacks\n%q, want\n%q", major, got, want)
		}
	}
}
