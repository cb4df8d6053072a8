package harborsql

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

func newMySQL(t *testing.T, server *dbtest.Server) *sql.DB {
	t.Helper()
	return server.Open(t, server.CreateDatabase(t).Database)
}

func buildMySQL(t *testing.T, db *sql.DB, version string) {
	t.Helper()
	if err := BuildMySQL(t.Context(), db, version); err != nil {
		t.Fatal(err)
	}
}

func TestSchemasOfTheMySQLEraAreTheMeasuredOnes(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
		for _, version := range MySQLVersions() {
			t.Run(fmt.Sprintf("%d/%s", server.Major(), version), func(t *testing.T) {
				db := newMySQL(t, server)
				buildMySQL(t, db, version)
				requireCatalog(t, db, database.MySQL, version)
			})
		}
	}
}

// A timestamp without a word about NULL is NOT NULL to MySQL 5.6; that is what
// put zero dates into Harbor's databases.
func TestMySQL56HasZeroDates(t *testing.T) {
	db := newMySQL(t, dbtest.MySQL56(t))
	buildMySQL(t, db, "1.1.0")
	if got := queryText(t, db, `SELECT column_default, is_nullable FROM information_schema.columns
		WHERE table_schema = database() AND table_name = 'user' AND column_name = 'update_time'`); got != "0000-00-00 00:00:00 NO" {
		t.Errorf("user.update_time: %s", got)
	}
}

func TestMySQLSchemasHaveTheirSeeds(t *testing.T) {
	server := dbtest.MariaDB(t)
	marks := map[string]string{"1.1.0": "0.4.0", "1.2.0": "1.2.0", "1.3.0": "1.3.0", "1.4.0": "1.4.0", "1.5.0": "1.5.0"}
	for version, mark := range marks {
		t.Run(version, func(t *testing.T) {
			db := newMySQL(t, server)
			buildMySQL(t, db, version)
			got := queryText(t, db, `SELECT version_num, (SELECT count(*) FROM access), (SELECT count(*) FROM role),
				(SELECT group_concat(user_id, username, deleted ORDER BY user_id) FROM user),
				(SELECT name FROM project), (SELECT count(*) FROM project_member) FROM alembic_version`)
			if want := mark + " 5 3 1admin0,2anonymous1 library 1"; got != want {
				t.Errorf("seed rows: %s, want %s", got, want)
			}
		})
	}
}

func TestUnknownMySQLVersionIsRefused(t *testing.T) {
	if err := BuildMySQL(t.Context(), newMySQL(t, dbtest.MariaDB(t)), "0.5.0"); err == nil {
		t.Error("no error")
	}
}
