package dbtest_test

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestDumpFindsEveryDifference(t *testing.T) {
	const postgres = `CREATE TABLE a (id serial PRIMARY KEY, at timestamptz, f float8);
		INSERT INTO a (at, f) VALUES ('2020-01-01 00:00:00+08', 0.1), (NULL, 'NaN'), (NULL, 'NaN');
		CREATE SCHEMA s; CREATE TABLE s."odd ""name" (x text); INSERT INTO s."odd ""name" VALUES (E'a\nb\\');
		CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM a;
		SELECT lo_create(4711);`
	const mysql = "CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, at timestamp NULL, f double);" +
		"INSERT INTO a (at, f) VALUES ('2020-01-01 00:00:00', 0.1), (NULL, 1e300), (NULL, 1e300);" +
		"CREATE TABLE `odd ``name` (x text); INSERT INTO `odd ``name` VALUES ('a\\nb\\\\');" +
		"CREATE VIEW v AS SELECT * FROM a;" +
		"CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.f = 2;"
	changes := map[string]string{
		"a row gone":           "DELETE FROM a WHERE id = 2",
		"a value changed":      "UPDATE a SET f = 0.2 WHERE id = 1",
		"the last ID moved on": "INSERT INTO a (id, f) VALUES (DEFAULT, 3); DELETE FROM a WHERE f = 3 OR id = 4",
		"a column renamed":     "ALTER TABLE a RENAME COLUMN f TO g",
		"a table gone":         "DROP TABLE a CASCADE",
	}
	servers := map[string]*dbtest.Server{
		postgres: dbtest.PostgreSQL(t),
		mysql:    dbtest.MariaDB(t),
	}
	for setup, s := range servers {
		for name, change := range changes {
			set := s.CreateDatabase(t)
			s.Exec(t, set.Database, setup)
			db := s.Open(t, set.Database)
			before := dbtest.Dump(t, db)
			dbtest.RequireSame(t, before, dbtest.Dump(t, db))
			s.Exec(t, set.Database, change)
			if dbtest.Diff(before, dbtest.Dump(t, db)) == "" {
				t.Errorf("%s: %s: not found", s.Engine(), name)
			}
		}
	}
}

func TestDumpIsTheSameOnEveryServer(t *testing.T) {
	const script = `CREATE TABLE a (id int, at timestamptz, f float8, b bytea); INSERT INTO a VALUES (1, '2020-01-01 00:00:00+08', 0.5, '\x00ff')`
	var first dbtest.Contents
	for _, s := range []*dbtest.Server{dbtest.PostgreSQLMajor(t, 10), dbtest.PostgreSQL(t), dbtest.PostgreSQLMajor(t, 18)} {
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, script)
		contents := dbtest.Dump(t, s.Open(t, set.Database))
		if first == nil {
			first = contents
		}
		dbtest.RequireSame(t, first, contents)
	}
}

func TestDiffShowsWhatIsGoneAndWhatIsNew(t *testing.T) {
	diff := dbtest.Diff(
		dbtest.Contents{"table a": {"1", "1", "2"}, "table b": {}},
		dbtest.Contents{"table a": {"1", "2", "3"}, "table c": {"x"}})
	for _, want := range []string{`- "1"`, `+ "3"`, "- table b (0 lines)", "+ table c (1 lines)"} {
		if !strings.Contains(diff, want) {
			t.Errorf("%q is not in\n%s", want, diff)
		}
	}
}

func TestPgDumpOfTwoEqualSchemasIsEqual(t *testing.T) {
	s := dbtest.PostgreSQL(t)
	var texts []string
	for range 2 {
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, "CREATE TABLE a (id serial PRIMARY KEY)")
		texts = append(texts, dbtest.PgDump(t, set))
	}
	if texts[0] != texts[1] {
		t.Errorf("the texts differ:\n%s\n%s", texts[0], texts[1])
	}
	if !strings.Contains(texts[0], "CREATE TABLE public.a") {
		t.Errorf("no table in\n%s", texts[0])
	}
}

func TestPsqlReturnsBareValues(t *testing.T) {
	if got := dbtest.Psql(t, dbtest.PostgreSQL(t).Settings(""), `SELECT 1, 'a';`); got != "1|a\n" {
		t.Errorf("got %q", got)
	}
}
