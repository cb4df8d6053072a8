package postgres

import (
	"embed"
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// hostile holds, by the major that has it first, everything that a model
// carries, written so that it is easy to lose.
//
//go:embed testdata/hostile/*.sql
var hostile embed.FS

// buildHostile makes a database with all that the server's major has.
func buildHostile(t testing.TB, s *dbtest.Server) database.Settings {
	t.Helper()
	makeRoles(t, s)
	settings := s.CreateDatabase(t)
	for major := 10; major <= s.Major(); major++ {
		sql, err := hostile.ReadFile(fmt.Sprintf("testdata/hostile/%d.sql", major))
		if err != nil {
			continue // that major brought nothing
		}
		s.Exec(t, settings.Database, strings.ReplaceAll(string(sql), ":DATABASE", settings.Database))
	}
	return settings
}

// makeRoles makes the roles of the hostile database. They go when the
// databases of the test, which are made later, have gone.
func makeRoles(t testing.TB, s *dbtest.Server) {
	t.Helper()
	const roles = `"Ops ""team""", harbor_owner, reader`
	for _, role := range strings.Split(roles, ", ") {
		s.Exec(t, "", "CREATE ROLE "+role)
	}
	t.Cleanup(func() {
		db := s.Open(t, "")
		defer db.Close()
		if _, err := db.Exec("DROP ROLE " + roles); err != nil {
			t.Error(err)
		}
	})
}

func TestHostileCatalogIsRestoredExactly(t *testing.T) {
	for major := 10; major <= 18; major++ {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			source := buildHostile(t, server)
			m := readModelOf(t, server, source)
			if len(m.Unsupported) > 0 || len(m.Notes) > 0 {
				t.Fatalf("unsupported: %v, notes: %v", m.Unsupported, m.Notes)
			}
			copied, notes := restoreModel(t, server, m)
			if len(notes) > 0 {
				t.Errorf("notes: %v", notes)
			}
			got := readModelOf(t, server, copied)
			wantEqual(t, m, got)
			for _, d := range pgmodel.Compare(m, got) {
				t.Errorf("compared: %s", d)
			}
			if major <= dbtest.DefaultMajor {
				wantSameDump(t, source, copied)
			}
		})
	}
}
