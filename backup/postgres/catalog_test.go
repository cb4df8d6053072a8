package postgres

import (
	"fmt"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func TestCatalogOfEveryVersionIsRestoredExactly(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	for _, version := range harborsql.PostgreSQLVersions() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			source := build(t, server, version)
			m := readModelOf(t, server, source)
			copied, notes := restoreModel(t, server, m)
			if len(notes) > 0 {
				t.Errorf("notes: %v", notes)
			}
			wantEqual(t, m, readModelOf(t, server, copied))
			wantSameDump(t, source, copied)
		})
	}
}
