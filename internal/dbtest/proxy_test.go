package dbtest_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestProxyPassesEverything(t *testing.T) {
	for _, s := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		p := dbtest.NewProxy(t, s)
		var got string
		if err := dbtest.Open(t, p.Settings("")).QueryRow("SELECT repeat('x', 100000)").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if len(got) != 100000 || p.Passed(dbtest.ToClient) < 100000 || p.Passed(dbtest.ToServer) == 0 {
			t.Errorf("%s: %d bytes; passed %d and %d", s.Engine(), len(got), p.Passed(dbtest.ToClient), p.Passed(dbtest.ToServer))
		}
	}
}

func TestProxyCutsAfterSoManyBytes(t *testing.T) {
	for _, s := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		p := dbtest.NewProxy(t, s)
		db := dbtest.Open(t, p.Settings(""))
		ping(t, db)
		before := p.Passed(dbtest.ToClient)
		p.CutAfter(dbtest.ToClient, 5000)
		var got string
		if err := db.QueryRow("SELECT repeat('x', 100000)").Scan(&got); err == nil {
			t.Errorf("%s: no error", s.Engine())
		}
		if passed := p.Passed(dbtest.ToClient) - before; passed != 5000 || p.Cuts() != 1 {
			t.Errorf("%s: %d bytes passed, %d cuts", s.Engine(), passed, p.Cuts())
		}
		ping(t, db) // a new connection lives
	}
}

func TestProxyCutsTowardsTheServer(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	db := dbtest.Open(t, p.Settings(""))
	conn := connect(t, db)
	p.CutAfter(dbtest.ToServer, 3)
	if _, err := conn.ExecContext(t.Context(), "SELECT 1"); err == nil {
		t.Error("no error")
	}
}

func TestProxyCutsNow(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	conn := connect(t, dbtest.Open(t, p.Settings("")))
	p.CutNow()
	if _, err := conn.ExecContext(t.Context(), "SELECT 1"); err == nil {
		t.Error("no error")
	}
}

func TestProxyRefusesWhileItIsDown(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	db := dbtest.Open(t, p.Settings(""))
	p.Down()
	if err := db.Ping(); err == nil {
		t.Error("connected")
	}
	p.Up()
	ping(t, db)
}

func TestProxyStallsUntilResumed(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	conn := connect(t, dbtest.Open(t, p.Settings("")))
	p.Pause()
	before := p.Passed(dbtest.ToServer)
	answer := make(chan error)
	go func() {
		_, err := conn.ExecContext(context.Background(), "SELECT 1")
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Errorf("answered while paused: %v", err)
	default:
	}
	if p.Passed(dbtest.ToServer) != before {
		t.Error("bytes passed while paused")
	}
	p.Resume()
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

func ping(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
