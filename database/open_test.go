package database_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

func TestOpenTellsWhatTheServerIs(t *testing.T) {
	for _, c := range []struct {
		name    string
		server  func(testing.TB) *dbtest.Server
		product string
		major   int
	}{
		{"PostgreSQL 10", major(10), "PostgreSQL", 10},
		{"PostgreSQL 15", dbtest.PostgreSQL, "PostgreSQL", 15},
		{"PostgreSQL 18", major(18), "PostgreSQL", 18},
		{"MariaDB", dbtest.MariaDB, "MariaDB", 10},
		{"MySQL 5.6", dbtest.MySQL56, "MySQL", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := c.server(t)
			db := open(t, server.CreateDatabase(t))
			got := db.Server()
			if got.Product != c.product || got.Major() != c.major {
				t.Errorf("server is %+v, want %s %d", got, c.product, c.major)
			}
			if !strings.HasPrefix(got.Version, fmt.Sprint(c.major)+".") || strings.Contains(got.Version, " ") {
				t.Errorf("version is %q", got.Version)
			}
			if db.Engine() != server.Engine() {
				t.Errorf("engine is %s", db.Engine())
			}
			sameMoment(t, db)
			sizes(t, db)
			identity(t, db, server)
			if err := db.CheckDirect(t.Context()); err != nil {
				t.Errorf("a direct connection: %v", err)
			}
		})
	}
}

func major(n int) func(testing.TB) *dbtest.Server {
	return func(t testing.TB) *dbtest.Server { return dbtest.PostgreSQLMajor(t, n) }
}

// sameMoment checks Now against the machine that server and test share.
func sameMoment(t *testing.T, db *database.DB) {
	t.Helper()
	before := time.Now().Add(-time.Second)
	now, err := db.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now.Before(before) || now.After(time.Now().Add(time.Second)) || now.Location() != time.UTC {
		t.Errorf("the server's clock shows %v", now)
	}
}

func sizes(t *testing.T, db *database.DB) {
	t.Helper()
	for _, statement := range []string{
		"create table small (id int primary key)",
		"create table large (id int primary key, filler varchar(4000))",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	insert := "insert into large values (%d, '" + strings.Repeat("x", 1500) + "')"
	for i := range 100 {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf(insert, i)); err != nil {
			t.Fatal(err)
		}
	}
	analyze := map[database.Engine]string{database.PostgreSQL: "analyze large", database.MySQL: "analyze table large"}
	if _, err := db.ExecContext(t.Context(), analyze[db.Engine()]); err != nil {
		t.Fatal(err)
	}
	total, err := db.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := db.LargestTables(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) != 1 || tables[0].Name != "large" || tables[0].Bytes < 100_000 || tables[0].Bytes > total {
		t.Errorf("of %d bytes the largest table is %+v", total, tables)
	}
}

func identity(t *testing.T, db *database.DB, server *dbtest.Server) {
	t.Helper()
	id, err := db.SystemIdentifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, server.TCP("")).SystemIdentifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// MariaDB has no identity: then it depends on the way there.
	if id == "" || again != id && !strings.HasPrefix(id, "host-") {
		t.Errorf("the server's identity is %q over the socket and %q over TCP", id, again)
	}
}

func TestIdentityWithoutTheRightToReadItIsADigest(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := server.CreateDatabase(t)
	server.Exec(t, settings.Database, "revoke execute on function pg_control_system() from public; create role curious login")
	defer server.Exec(t, "", "drop role curious")
	settings.User = "curious"
	db := open(t, settings)
	id, err := db.SystemIdentifier(t.Context())
	if err != nil || !strings.HasPrefix(id, "host-") {
		t.Errorf("identity is %q, %v", id, err)
	}
	db.Close()
	if _, err := db.SystemIdentifier(t.Context()); err == nil {
		t.Error("a server that cannot be asked has an identity")
	}
}

func TestSessionsArePinned(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		server := dbtest.PostgreSQL(t)
		settings := server.CreateDatabase(t)
		server.Exec(t, "", "alter database "+settings.Database+
			" set timezone = 'Asia/Shanghai'; alter database "+settings.Database+" set statement_timeout = '10s'")
		settings.LockTimeout = 1500 * time.Millisecond
		db := open(t, settings)
		for name, want := range map[string]string{
			"lock_timeout": "1500ms", "statement_timeout": "0", "timezone": "UTC", "application_name": "harbordb",
			"client_encoding": "UTF8",
		} {
			if got := text(t, db, "select current_setting($1)", name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	})
	t.Run("MySQL", func(t *testing.T) {
		for _, server := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
			settings := server.CreateDatabase(t)
			settings.LockTimeout = 1500 * time.Millisecond
			db := open(t, settings)
			got := text(t, db, "select concat(@@lock_wait_timeout, ' ', @@innodb_lock_wait_timeout, ' ', @@time_zone, ' ', @@character_set_client)")
			if got != "2 2 +00:00 utf8mb4" {
				t.Errorf("the session has %s", got)
			}
		}
	})
}

func TestWaitsForLocksAreBounded(t *testing.T) {
	for _, c := range []struct {
		name   string
		server *dbtest.Server
		lock   string
		hit    func(error) bool
	}{
		{"PostgreSQL", dbtest.PostgreSQL(t), "lock table t in access exclusive mode", func(err error) bool {
			var pg *pgconn.PgError
			return errors.As(err, &pg) && pg.Code == "55P03"
		}},
		{"MariaDB", dbtest.MariaDB(t), "lock table t write", func(err error) bool {
			var my *mysql.MySQLError
			return errors.As(err, &my) && my.Number == 1205
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := c.server.CreateDatabase(t)
			settings.LockTimeout = 10 * time.Millisecond
			db := open(t, settings)
			if _, err := db.ExecContext(t.Context(), "create table t (id int)"); err != nil {
				t.Fatal(err)
			}
			holder, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Close()
			for _, statement := range []string{"begin", c.lock} {
				if _, err := holder.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			_, err = db.ExecContext(t.Context(), "insert into t values (1)")
			if !c.hit(err) {
				t.Errorf("waiting for a lock ended with %v", err)
			}
		})
	}
}

// Every variable that libpq knows is set to something that would break the
// connection or lead it astray.
func TestTheEnvironmentDecidesNothing(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "nowhere.invalid", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGUSER": "nobody", "PGDATABASE": "nothing",
		"PGPASSWORD": "wrong", "PGPASSFILE": "/nonexistent", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nonexistent/ca",
		"PGSSLCERT": "/nonexistent/crt", "PGSSLKEY": "/nonexistent/key", "PGSSLNEGOTIATION": "direct", "PGSSLCERTMODE": "require",
		"PGCONNECT_TIMEOUT": "soon", "PGTARGETSESSIONATTRS": "standby", "PGOPTIONS": "-c no_such_setting=1", "PGTZ": "Mars",
		"PGAPPNAME": "astray", "PGMINPROTOCOLVERSION": "latest", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "oauth",
		"MYSQL_HOST": "nowhere.invalid", "MYSQL_PWD": "wrong",
	} {
		t.Setenv(name, value)
	}
	for _, server := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		for _, settings := range []database.Settings{server.Settings(""), server.TCP("")} {
			db := open(t, settings)
			if got := text(t, db, map[database.Engine]string{
				database.PostgreSQL: "select current_user || ' ' || current_setting('application_name')",
				database.MySQL:      "select concat(substring_index(current_user(), '@', 1), ' harbordb')",
			}[db.Engine()]); got != settings.User+" harbordb" {
				t.Errorf("logged in as %s", got)
			}
		}
	}
}

func TestPGSERVICEIsNamedWhenItGetsInTheWay(t *testing.T) {
	t.Setenv("PGSERVICE", "missing")
	t.Setenv("PGSERVICEFILE", "/nonexistent")
	_, err := database.Open(t.Context(), dbtest.PostgreSQL(t).Settings(""))
	if err == nil || !strings.Contains(fault.HintOf(err), "PGSERVICE") {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

func TestRawConnectionsAreMadeLikeThePools(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	other := server.CreateDatabase(t).Database
	db := open(t, server.CreateDatabase(t))
	config, err := db.PostgreSQLConfig(other)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var got string
	if err := conn.QueryRow(t.Context(), "select current_database() || ' ' || current_setting('lock_timeout')").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != other+" 30s" {
		t.Errorf("the raw connection has %s", got)
	}
	if _, err := db.MySQLConfig(""); err == nil {
		t.Error("a PostgreSQL database has a MySQL configuration")
	}
	config.Port = 1
	config.Host = "127.0.0.1"
	_, err = pgx.ConnectConfig(t.Context(), config)
	if err := db.ConnectError(t.Context(), other, err); !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("explained as %v", err)
	}
	third, err := db.OpenOther(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}

func TestRawMySQLConnectionsAreMadeLikeThePools(t *testing.T) {
	server := dbtest.MariaDB(t)
	other := server.CreateDatabase(t).Database
	db := open(t, server.CreateDatabase(t))
	config, err := db.MySQLConfig(other)
	if err != nil {
		t.Fatal(err)
	}
	if config.DBName != other || config.ParseTime || config.Params["lock_wait_timeout"] != "30" {
		t.Errorf("the raw connection has %s, %v, %s", config.DBName, config.ParseTime, config.Params["lock_wait_timeout"])
	}
	if _, err := db.PostgreSQLConfig(""); err == nil {
		t.Error("a MySQL database has a PostgreSQL configuration")
	}
}

func TestATableThatChangesUnderUsIsReadAgain(t *testing.T) {
	db := open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"create table t as select 1 as a", "", "alter table t alter column a type text", ""} {
		if statement == "" {
			text(t, db, "select a from t where 1 = $1", 1)
		} else if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAServerOlderThanHarborIsRefused(t *testing.T) {
	server := dbtest.StartMariaDB(t, dbtest.Options{Settings: []string{"--version=5.5.62"}})
	_, err := database.Open(t.Context(), server.Settings(""))
	if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "MySQL 5.5.62 is older than MySQL 5.6") {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownEngineIsRefused(t *testing.T) {
	_, err := database.Open(t.Context(), database.Settings{Engine: "oracle"})
	if fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}

func TestAConnectionThroughAPoolerIsRefused(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	db := open(t, dbtest.Pooler(t, server.TCP("")))
	err := db.CheckDirect(t.Context())
	if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "pooler") {
		t.Errorf("got %v", err)
	}
	// Its settings would go to whoever gets the session next.
	if got := text(t, db, "select current_setting('lock_timeout')"); got != "0" {
		t.Errorf("a pooled session was given lock_timeout %s", got)
	}
	raw, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.Raw(func(c any) error { return c.(*stdlib.Conn).Ping(t.Context()) }); err != nil {
		t.Error(err)
	}
}
