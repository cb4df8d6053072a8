package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// What is changed in the schema after the moment and before it is read fails
// the dump; what is no part of the schema, and what comes later, does not.
func TestTheCatalogIsThatOfTheMoment(t *testing.T) {
	for _, major := range []int{10, 13, 15, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			for name, c := range map[string]struct {
				change string
				fails  bool
			}{
				"a view is replaced":      {"CREATE OR REPLACE VIEW seen AS SELECT 2 AS x", true},
				"a function is replaced":  {"CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'", true},
				"a view is dropped":       {"DROP VIEW seen", true},
				"a view is made":          {"CREATE VIEW made AS SELECT 1 AS x", true},
				"a right is granted":      {"GRANT SELECT ON kept TO PUBLIC", true},
				"nothing happens":         {"SELECT 1", false},
				"rows are written":        {"INSERT INTO kept SELECT generate_series(1, 1000); ANALYZE kept", false},
				"a temporary table comes": {"CREATE TEMPORARY TABLE passing (x int)", false},
				"another database comes":  {"CREATE DATABASE passing; COMMENT ON DATABASE passing IS 'x'; DROP DATABASE passing", false},
				"a role comes":            {"DROP ROLE IF EXISTS passing; CREATE ROLE passing", false},
				"the comment is changed":  {"DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS $c$new$c$', current_database());END $$", true},
				"a setting is changed":    {"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = $c$8MB$c$', current_database());END $$", true},
			} {
				settings := server.CreateDatabase(t)
				server.Exec(t, settings.Database, `CREATE TABLE kept (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS x;
					CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
				db, err := database.Open(t.Context(), settings)
				fatal(t, err)
				all, err := holdDatabases(t.Context(), db, []string{settings.Database}, 1)
				fatal(t, err)
				s := &Source{db: db, name: settings.Database, hold: all[0]}
				other, err := server.Open(t, settings.Database).Conn(t.Context())
				fatal(t, err)
				for _, sql := range strings.Split(c.change, "; ") {
					_, err = other.ExecContext(t.Context(), sql)
					fatal(t, err)
				}
				if _, err := s.readHeld(t.Context()); (err != nil) != c.fails {
					t.Errorf("%s: %v", name, err)
				}
				fatal(t, s.Close())
				fatal(t, other.Close())
				fatal(t, db.Close())
			}
		})
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
