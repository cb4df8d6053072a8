package harborsql

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

// mySQLCatalog lists a database as the measured catalogs of MariaDB 10.11 do.
const mySQLCatalog = `
	SELECT line FROM (
		SELECT 1 AS kind, table_name AS a, '' AS b,
			concat_ws('\t', 'table', table_name, engine, table_collation) AS line
		FROM information_schema.tables WHERE table_schema = database()
		UNION ALL
		SELECT 2, table_name, lpad(ordinal_position, 5, '0'),
			concat_ws('\t', 'column', table_name, column_name, column_type,
				if(is_nullable = 'YES', 'null', 'not null'), coalesce(column_default, ''), extra)
		FROM information_schema.columns WHERE table_schema = database()
		UNION ALL
		SELECT 3, table_name, index_name,
			concat_ws('\t', 'index', table_name, index_name, if(min(non_unique) = 0, 'unique', ''),
				group_concat(column_name ORDER BY seq_in_index SEPARATOR ','))
		FROM information_schema.statistics WHERE table_schema = database()
		GROUP BY table_name, index_name
		UNION ALL
		SELECT 4, table_name, column_name,
			concat_ws('\t', 'foreign key', table_name, column_name, referenced_table_name, referenced_column_name)
		FROM information_schema.key_column_usage
		WHERE table_schema = database() AND referenced_table_name IS NOT NULL
	) AS lines_of
	ORDER BY kind, a, b`

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

func TestMariaDBSchemasAreTheMeasuredOnes(t *testing.T) {
	server := dbtest.MariaDB(t)
	want := catalogs(t, "mysql")
	if len(want) != len(MySQLVersions()) {
		t.Fatalf("%d catalogs for %d versions", len(want), len(MySQLVersions()))
	}
	for _, version := range MySQLVersions() {
		t.Run(version, func(t *testing.T) {
			db := newMySQL(t, server)
			buildMySQL(t, db, version)
			compare(t, version, readCatalog(t, db, mySQLCatalog), want[version])
		})
	}
}

// MySQL 5.6 writes the same tables differently: utf8 for utf8mb3, no default
// for the default NULL, and a timestamp without a word about NULL is NOT NULL
// there. The last is what put zero dates into Harbor's databases.
func TestMySQL56HasTheSameTables(t *testing.T) {
	server := dbtest.MySQL56(t)
	want := catalogs(t, "mysql")
	for _, version := range MySQLVersions() {
		t.Run(version, func(t *testing.T) {
			db := newMySQL(t, server)
			buildMySQL(t, db, version)
			compare(t, version, loose(readCatalog(t, db, mySQLCatalog)), loose(want[version]))
			zero := queryText(t, db, `SELECT column_default FROM information_schema.columns
				WHERE table_schema = database() AND table_name = 'user' AND column_name = 'update_time'`)
			if zero != "0000-00-00 00:00:00" {
				t.Errorf("default of user.update_time is %s", zero)
			}
		})
	}
}

func loose(catalog []string) []string {
	out := make([]string, len(catalog))
	for i, line := range catalog {
		f := strings.Split(strings.Replace(line, "utf8mb3_", "utf8_", 1), "\t")
		if f[0] == "column" {
			if f[3] == "timestamp" {
				f = f[:4]
			} else if f[5] == "NULL" {
				f[5] = ""
			}
		}
		out[i] = strings.Join(f, "\t")
	}
	return out
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
