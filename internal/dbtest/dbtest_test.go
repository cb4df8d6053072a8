package dbtest_test

import (
	"os"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestPostgreSQLStartsAndServes(t *testing.T) {
	for _, major := range []int{10, 11, 12, 13, 14, 15, 16, 17, 18} {
		s := dbtest.PostgreSQLMajor(t, major)
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, "CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2)")
		var got, n int
		db := s.Open(t, set.Database)
		if err := db.QueryRow("SELECT current_setting('server_version_num')::int / 10000, count(*) FROM a").Scan(&got, &n); err != nil {
			t.Fatal(err)
		}
		if got != major || n != 2 {
			t.Errorf("major %d: server says %d, %d rows", major, got, n)
		}
	}
}

func TestMySQLStartsAndServes(t *testing.T) {
	for _, s := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, "CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2)")
		for _, way := range []string{set.Database, ""} {
			db := dbtest.Open(t, s.TCP(way))
			var version string
			if err := db.QueryRow("SELECT version()").Scan(&version); err != nil {
				t.Fatal(err)
			}
			t.Log(version)
		}
	}
}
