package postgres

import (
	"fmt"
	"slices"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// someVersions are the schema versions whose restored catalog is compared by
// pg_dump too, and that are taken across the majors: the first, and one of
// each time that Harbor changed much.
var someVersions = []int{1, 15, 53, 111, 180}

func TestCatalogOfEveryVersionIsRestoredExactly(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	db := server.Open(t, source.Database)
	for _, version := range harborsql.PostgreSQLVersions() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			if err := harborsql.BuildPostgreSQL(t.Context(), db, version); err != nil {
				t.Fatal(err)
			}
			m := readModelOf(t, server, source)
			copied, notes := restoreModel(t, server, m)
			if len(notes) > 0 {
				t.Errorf("notes: %v", notes)
			}
			wantEqual(t, m, readModelOf(t, server, copied))
			if slices.Contains(someVersions, version) {
				wantSameDump(t, source, copied)
			}
		})
	}
}
