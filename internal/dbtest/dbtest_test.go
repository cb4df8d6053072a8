package dbtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
)

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
		var version string
		var n int
		err := dbtest.Open(t, s.TCP(set.Database)).QueryRow("SELECT version(), count(*) FROM a").Scan(&version, &n)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(version, fmt.Sprintf("%d.", s.Major())) || n != 2 {
			t.Errorf("server says %s, not %d; %d rows", version, s.Major(), n)
		}
	}
}

func TestDatabasesAreDroppedWithTheirNamesakes(t *testing.T) {
	for _, s := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		var name string
		t.Run("a test that leaves a second database and a session", func(t *testing.T) {
			name = s.CreateDatabase(t).Database
			s.Exec(t, "", "CREATE DATABASE "+name+"_before_2020")
			conn := connect(t, s.Open(t, name+"_before_2020"))
			if err := conn.PingContext(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		query := "SELECT count(*) FROM pg_database WHERE datname LIKE '" + name + "%'"
		if s.Engine() == database.MySQL {
			query = "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE '" + name + "%'"
		}
		var n int
		if err := s.Open(t, "").QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%s: %d databases are left", s.Engine(), n)
		}
	}
}

func TestDataOutlivesRestartAndKill(t *testing.T) {
	servers := []*dbtest.Server{
		dbtest.StartPostgreSQL(t, dbtest.Options{Durable: true}),
		dbtest.StartMariaDB(t, dbtest.Options{Durable: true}),
	}
	for _, s := range servers {
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, "CREATE TABLE a (x int); INSERT INTO a VALUES (1)")
		s.Restart(t)
		s.Exec(t, set.Database, "INSERT INTO a VALUES (2)")
		s.Kill(t)
		if s.Pid() != 0 {
			t.Errorf("%s: still there", s.Engine())
		}
		s.Restart(t)
		var n int
		if err := s.Open(t, set.Database).QueryRow("SELECT count(*) FROM a").Scan(&n); err != nil || n != 2 {
			t.Errorf("%s: %d rows, %v", s.Engine(), n, err)
		}
	}
}

func TestPasswordIsAskedFor(t *testing.T) {
	o := dbtest.Options{Password: canary.New() + " & more"}
	for _, s := range []*dbtest.Server{dbtest.StartPostgreSQL(t, o), dbtest.StartMariaDB(t, o), dbtest.StartMySQL56(t, o)} {
		for _, set := range []database.Settings{s.Settings(""), s.TCP("")} {
			if err := dbtest.Open(t, set).Ping(); err != nil {
				t.Errorf("with the password: %s: %v", set, err)
			}
			set.Password = "wrong"
			if err := dbtest.Open(t, set).Ping(); err == nil {
				t.Errorf("let in with a wrong password: %s", set)
			}
		}
	}
}

func TestServersShowTheirCertificate(t *testing.T) {
	o := dbtest.Options{TLS: dbtest.NewAuthority(t).Issue(t), RequireTLS: true}
	for _, s := range []*dbtest.Server{dbtest.StartPostgreSQL(t, o), dbtest.StartMariaDB(t, o)} {
		if err := dbtest.Open(t, s.TCP("")).Ping(); err != nil {
			t.Errorf("%s: %v", s.Engine(), err)
		}
		strange := s.TCP("")
		strange.TLS.CAFile = dbtest.NewAuthority(t).File
		if err := dbtest.Open(t, strange).Ping(); err == nil {
			t.Errorf("%s: a strange authority is believed", s.Engine())
		}
		plain := s.TCP("")
		plain.TLS = database.TLS{Mode: database.TLSDisable}
		if err := dbtest.Open(t, plain).Ping(); err == nil {
			t.Errorf("%s: let in without TLS", s.Engine())
		}
	}
}

func TestExpiredAuthorityIsNotBelieved(t *testing.T) {
	s := dbtest.StartPostgreSQL(t, dbtest.Options{TLS: dbtest.NewExpiredAuthority(t).Issue(t)})
	if err := dbtest.Open(t, s.TCP("")).Ping(); err == nil {
		t.Error("believed")
	}
}

func TestServersTakeTimeZoneAndSettings(t *testing.T) {
	cases := []struct {
		server *dbtest.Server
		query  string
		want   string
	}{
		{
			dbtest.StartPostgreSQL(t, dbtest.Options{TimeZone: "Asia/Shanghai", Settings: []string{"work_mem = '7MB'"}}),
			"SELECT current_setting('timezone') || ' ' || current_setting('work_mem')", "Asia/Shanghai 7MB",
		},
		{
			dbtest.StartMariaDB(t, dbtest.Options{TimeZone: "+08:00", Settings: []string{"--max-connections=77"}}),
			"SELECT concat(@@session.time_zone, ' ', @@max_connections)", "+08:00 77",
		},
	}
	for _, c := range cases {
		var got string
		if err := c.server.Open(t, "").QueryRow(c.query).Scan(&got); err != nil || got != c.want {
			t.Errorf("got %q, %v; want %q", got, err, c.want)
		}
	}
}

func TestSmallDiskRunsFullAndTheServerLives(t *testing.T) {
	grow := map[*dbtest.Server]string{
		dbtest.StartPostgreSQL(t, dbtest.Options{DiskMB: 60}): "INSERT INTO a SELECT md5(random()::text) FROM generate_series(1, 100000)",
		dbtest.StartMariaDB(t, dbtest.Options{DiskMB: 80}):    "INSERT INTO a SELECT repeat('x', 100) FROM seq_1_to_100000",
	}
	for s, statement := range grow {
		set := s.CreateDatabase(t)
		s.Exec(t, set.Database, "CREATE TABLE a (x text)")
		db := s.Open(t, set.Database)
		var err error
		for times := 0; err == nil && times < 50; times++ {
			_, err = db.Exec(statement)
		}
		if err == nil {
			t.Errorf("%s: the disk has no end", s.Engine())
		}
		ping(t, db)
	}
}
