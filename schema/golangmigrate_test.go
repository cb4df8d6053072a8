package schema

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// core is golang-migrate as Harbor's core runs it, on a connection of its own.
func core(t *testing.T, settings database.Settings, migrations fs.FS) *migrate.Migrate {
	t.Helper()
	db := dbtest.Open(t, settings)
	driver, err := pgx.WithInstance(db, &pgx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	source, err := iofs.New(migrations, ".")
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// with returns Harbor's migrations with one of them replaced.
func with(t *testing.T, version Version, text string) fs.FS {
	t.Helper()
	changed := fstest.MapFS{}
	for _, m := range Migrations() {
		changed[m.File()] = &fstest.MapFile{Data: []byte(harborsql.Step(int(m.Version)))}
		if m.Version == version {
			changed[m.File()].Data = []byte(text)
		}
	}
	return changed
}

// repaired decides and writes what was decided.
func repaired(t *testing.T, db *sql.DB) Decision {
	t.Helper()
	ev := look(t, db)
	d := Decide(ev)
	if d.Action != Set && d.Action != Empty {
		t.Fatalf("the decision is to %s: %q", d.Action, d.Why)
	}
	if err := NewDriver(t.Context(), conn(t, db), ev.Record, longWait, nil).Force(d); err != nil {
		t.Fatal(err)
	}
	return d
}

// toTheNewest has golang-migrate go on to the end and requires a sound
// database of the newest version.
func toTheNewest(t *testing.T, settings database.Settings, db *sql.DB) {
	t.Helper()
	if err := core(t, settings, harborsql.MigrationsFS()).Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		t.Fatal(err)
	}
	ev := look(t, db)
	newest := migrations[len(migrations)-1].Version
	if ev.Verdict.Shown.Version != newest || ev.Verdict.Row != RowHonest || len(ev.Drift) > 0 {
		t.Errorf("%s at %s, drift %v", ev.Verdict.Row, ev.Verdict.Shown, ev.Drift)
	}
}

func TestMigrationThatFailed(t *testing.T) {
	// What the row says afterwards. Before 50 came 40 or 41, and to run 41
	// again does no harm; 0 is no row.
	for v, want := range map[Version]Version{1: 0, 31: 30, 50: 40, 171: 170} {
		t.Run(v.String(), func(t *testing.T) {
			settings := dbtest.PostgreSQL(t).CreateDatabase(t)
			db := dbtest.Open(t, settings)
			broken := harborsql.Step(int(v)) + ";\nselect 1/0;"
			if err := core(t, settings, with(t, v, broken)).Up(); err == nil || !strings.Contains(err.Error(), "division by zero") {
				t.Fatalf("error %v", err)
			}
			d := repaired(t, db)
			if d.To.Version != want || (d.Action == Empty) != (want == 0) {
				t.Errorf("the decision is to %s %s, want %s", d.Action, d.To, want)
			}
			toTheNewest(t, settings, db)
		})
	}
}

// TestCoreThatDiedBeforeItsLastStep is the crash between the commit of a
// migration and the clean row.
func TestCoreThatDiedBeforeItsLastStep(t *testing.T) {
	for _, v := range []Version{1, 50} {
		t.Run(v.String(), func(t *testing.T) {
			settings := dbtest.PostgreSQL(t).CreateDatabase(t)
			db := dbtest.Open(t, settings)
			build(t, db, v)
			exec(t, db, `update schema_migrations set dirty = true`)
			if d := repaired(t, db); d.To.Version != v {
				t.Errorf("set to %s, want %s", d.To, v)
			}
			toTheNewest(t, settings, db)
		})
	}
}

// TestClientKilledWhileTheServerRuns cuts golang-migrate's connection in the
// middle of a migration. The server goes on: as long as it does, nothing may
// be decided, and then it may have committed or not.
func TestClientKilledWhileTheServerRuns(t *testing.T) {
	for name, c := range map[string]struct {
		ends func(*testing.T, *sql.DB, *sql.Conn)
		want Version
	}{
		"and it commits": {
			func(t *testing.T, _ *sql.DB, gate *sql.Conn) { release(t, gate) },
			15,
		},
		"and it is rolled back": {
			func(t *testing.T, db *sql.DB, gate *sql.Conn) {
				exec(t, db, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`)
				release(t, gate)
			},
			12,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := dbtest.PostgreSQL(t)
			settings := server.CreateDatabase(t)
			db := dbtest.Open(t, settings)
			build(t, db, 12)
			gate := conn(t, db)
			if _, err := gate.ExecContext(t.Context(), `select pg_advisory_lock(4711)`); err != nil {
				t.Fatal(err)
			}
			proxy := dbtest.NewProxy(t, server)
			m := core(t, proxy.Settings(settings.Database), with(t, 15, harborsql.Step(15)+";\nselect pg_advisory_xact_lock(4711);"))
			done := make(chan error, 1)
			go func() { done <- m.Steps(1) }()
			waitUntil(t, db, `select exists (select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted)`)
			if d := Decide(look(t, db)); d.Action != Refuse || !strings.Contains(strings.Join(d.Why, " "), "session ") {
				t.Errorf("while it runs the decision is to %s: %q", d.Action, d.Why)
			}
			proxy.Down()
			if err := <-done; err == nil {
				t.Fatal("golang-migrate did not notice")
			}
			if d := Decide(look(t, db)); d.Action != Refuse {
				t.Errorf("while the server runs it the decision is to %s", d.Action)
			}
			c.ends(t, db, gate)
			waitUntil(t, db, `select not exists (select from pg_locks where locktype = 'advisory'
				and database = (select oid from pg_database where datname = current_database()))`)
			if d := repaired(t, db); d.To.Version != c.want {
				t.Errorf("set to %s, want %s", d.To, c.want)
			}
			toTheNewest(t, settings, db)
		})
	}
}

func release(t *testing.T, gate *sql.Conn) {
	t.Helper()
	if _, err := gate.ExecContext(t.Context(), `select pg_advisory_unlock(4711)`); err != nil {
		t.Fatal(err)
	}
}

// waitUntil asks until the answer is true.
func waitUntil(t *testing.T, db *sql.DB, question string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		if err := db.QueryRowContext(ctx, question).Scan(&yes); err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		if yes {
			return
		}
		<-tick.C
	}
}

// TestGotoAndDownWithoutDownFiles is what an operator does who hopes for a way
// back: golang-migrate reports success and has changed nothing but the row.
func TestGotoAndDownWithoutDownFiles(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(*migrate.Migrate) error
		row  RowState
		then string
	}{
		"goto 5": {func(m *migrate.Migrate) error { return m.Migrate(5) }, RowLying, "5"},
		"down":   {(*migrate.Migrate).Down, RowEmptied, "no row"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := dbtest.PostgreSQL(t).CreateDatabase(t)
			db := dbtest.Open(t, settings)
			build(t, db, 12)
			if err := c.run(core(t, settings, harborsql.MigrationsFS())); err != nil {
				t.Fatal(err)
			}
			ev := look(t, db)
			if ev.Record.String() != c.then || ev.Verdict.Row != c.row || ev.Verdict.Shown.Version != 12 {
				t.Errorf("the row says %s, %s at %s", ev.Record, ev.Verdict.Row, ev.Verdict.Shown)
			}
			repaired(t, db)
			toTheNewest(t, settings, db)
		})
	}
}

// TestOlderCoreOnARowSetByHand is the operator's story to its end: 12 set to 5
// by hand, a 1.9 core runs migration 10 again, fails and leaves 10, dirty.
func TestOlderCoreOnARowSetByHand(t *testing.T) {
	settings := dbtest.PostgreSQL(t).CreateDatabase(t)
	db := dbtest.Open(t, settings)
	build(t, db, 12)
	exec(t, db, `update schema_migrations set version = 5`)
	before := check(t, db, "1.9.4")
	if err := core(t, settings, harborsql.MigrationsFS()).Steps(1); err == nil {
		t.Fatal("migration 10 went through twice")
	}
	ev := look(t, db)
	if ev.Record.String() != "10, dirty" || ev.Verdict.Shown.Version != 12 {
		t.Errorf("the row says %s, shown %s", ev.Record, ev.Verdict.Shown)
	}
	if before.OK() || !strings.Contains(before.Blocking(Blocks)[1].Text, "migration 10 again") {
		t.Errorf("preflight said %+v", before.Findings)
	}
	if d := repaired(t, db); d.To.Version != 12 {
		t.Errorf("set to %s", d.To)
	}
	toTheNewest(t, settings, db)
}
