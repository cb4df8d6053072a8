package schema

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratedb "github.com/golang-migrate/migrate/v4/database"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

// longWait is a wait that a test never sees the end of, shortWait one that it
// does.
const (
	longWait  = time.Minute
	shortWait = 10 * time.Millisecond
)

func conn(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func recorded(t *testing.T, q database.Querier) Record {
	t.Helper()
	rec, err := Recorded(t.Context(), q, database.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestForceWritesTheRow(t *testing.T) {
	db := harbor(t, 31)
	for name, c := range map[string]struct {
		row      string
		decision Decision
		want     string
	}{
		"a dirty row, its data_version kept": {`insert into schema_migrations values (40, true, 30)`, Decision{Action: Set, To: Mark{Version: 31}}, "31 30"},
		"a missing row":                      {``, Decision{Action: Set, To: Mark{Version: 31}}, "31 null"},
		"several rows":                       {`insert into schema_migrations values (12, false, null), (40, true, 30), (50, true, null)`, Decision{Action: Set, To: Mark{Version: 30}}, "30 30"},
		"no row is the right one":            {`insert into schema_migrations values (1, true, null)`, Decision{Action: Empty}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			exec(t, db, "delete from schema_migrations; "+c.row)
			d := NewDriver(t.Context(), conn(t, db), recorded(t, db), longWait, nil)
			if err := d.Force(c.decision); err != nil {
				t.Fatal(err)
			}
			got, err := column[string](t.Context(), db, `select version || ' ' || coalesce(data_version::text, 'null') from schema_migrations where not dirty`)
			if err != nil || strings.Join(got, ", ") != c.want {
				t.Errorf("rows %q, %v; want %q", got, err, c.want)
			}
			if list, err := MigrationRunning(t.Context(), db, database.PostgreSQL); err != nil || len(list) > 0 {
				t.Errorf("the lock is still held: %v, %v", list, err)
			}
		})
	}
}

func TestForceMakesAMissingTable(t *testing.T) {
	db := harbor(t, 12)
	exec(t, db, `drop table schema_migrations`)
	ev := look(t, db)
	if ev.Verdict.Row != RowNoTable || ev.Verdict.Shown.Version != 12 {
		t.Fatalf("%s at %s", ev.Verdict.Row, ev.Verdict.Shown)
	}
	if err := NewDriver(t.Context(), conn(t, db), ev.Record, longWait, nil).Force(Decide(ev)); err != nil {
		t.Fatal(err)
	}
	if ev = look(t, db); !ev.Verdict.Healthy() || len(ev.Drift) > 0 {
		t.Errorf("%q, %v", ev.Verdict.Findings, ev.Drift)
	}
}

func TestForceLeavesAChangedRow(t *testing.T) {
	db := harbor(t, 12)
	rec := recorded(t, db)
	exec(t, db, `update schema_migrations set dirty = true`)
	err := NewDriver(t.Context(), conn(t, db), rec, longWait, nil).Force(Decision{Action: Set, To: Mark{Version: 5}})
	if fault.KindOf(err) != fault.Refused {
		t.Errorf("error %v, want a refusal", err)
	}
	if now := recorded(t, db); now.String() != "12, dirty" {
		t.Errorf("the row says %s", now)
	}
}

func TestForceIsUndoneByItsHook(t *testing.T) {
	db := harbor(t, 12)
	full := errors.New("the journal's disk is full")
	var seen string
	hook := func(ctx context.Context, tx database.Querier) error {
		rec, err := Recorded(ctx, tx, database.PostgreSQL)
		seen = rec.String()
		return errors.Join(err, full)
	}
	err := NewDriver(t.Context(), conn(t, db), recorded(t, db), longWait, hook).Force(Decision{Action: Set, To: Mark{Version: 5}})
	if !errors.Is(err, full) || seen != "5" {
		t.Errorf("error %v, the hook saw %s", err, seen)
	}
	if now := recorded(t, db); now.String() != "12" {
		t.Errorf("the row says %s", now)
	}
}

func TestLockExcludesEveryCore(t *testing.T) {
	db := harbor(t, 12)
	rec := recorded(t, db)
	var dbname string
	if err := db.QueryRowContext(t.Context(), `select current_database()`).Scan(&dbname); err != nil {
		t.Fatal(err)
	}
	for era, key := range LockKeys(dbname, "public") {
		core := conn(t, db)
		if _, err := core.ExecContext(t.Context(), `select pg_advisory_lock($1)`, key); err != nil {
			t.Fatal(err)
		}
		d := NewDriver(t.Context(), conn(t, db), rec, shortWait, nil)
		err := d.Force(Decision{Action: Set, To: Mark{Version: 5}})
		if fault.KindOf(err) != fault.Refused || !errors.Is(err, migratedb.ErrLocked) || !strings.Contains(err.Error(), "session ") {
			t.Errorf("era %d: error %v, want a refusal that names the session", era, err)
		}
		if decision := Decide(lyingWith(t, db)); decision.Action != Refuse {
			t.Errorf("era %d: the decision is to %s while a core migrates", era, decision.Action)
		}
		if _, err := core.ExecContext(t.Context(), `select pg_advisory_unlock($1)`, key); err != nil {
			t.Fatal(err)
		}
		var held int
		if err := db.QueryRowContext(t.Context(), `select count(*) from pg_locks where locktype = 'advisory'`).Scan(&held); err != nil || held > 0 {
			t.Errorf("era %d: %d locks left, %v", era, held, err)
		}
	}
}

// lyingWith looks at the database with a row that lies, and puts it right
// again.
func lyingWith(t *testing.T, db *sql.DB) Evidence {
	t.Helper()
	exec(t, db, `update schema_migrations set version = 5`)
	defer exec(t, db, `update schema_migrations set version = 12`)
	return look(t, db)
}

func TestDriverRunsNothing(t *testing.T) {
	db := harbor(t, 12)
	before := dbtest.Dump(t, db)
	r, err := ParseRelease("2.15.2")
	if err != nil {
		t.Fatal(err)
	}
	d := NewDriver(t.Context(), conn(t, db), recorded(t, db), longWait, nil)
	m, err := migrate.NewWithInstance("release", r.Source(), "harbor", d)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Drop(); fault.KindOf(err) != fault.Refused {
		t.Errorf("drop: %v", err)
	}
	if err := d.Run(strings.NewReader("drop table tag")); fault.KindOf(err) != fault.Refused {
		t.Errorf("run: %v", err)
	}
	if v, dirty, err := m.Version(); v != 12 || dirty || err != nil {
		t.Errorf("version %d, %v, %v", v, dirty, err)
	}
	dbtest.RequireSame(t, before, dbtest.Dump(t, db))
}

func TestWriteIsItsOwnUndo(t *testing.T) {
	db := harbor(t, 31)
	exec(t, db, loose)
	thirty := 30
	for name, from := range map[string][]Row{
		"NULL":    {{Version: 31, NullDirty: true}, {NullVersion: true, Dirty: true}},
		"twice":   {{Version: 31}, {Version: 31}},
		"one":     {{Version: 40, Dirty: true, DataVersion: &thirty}},
		"none":    {},
		"several": {{Version: 12}, {Version: 31, DataVersion: &thirty}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recorded(t, db)
			start := rec
			start.Rows = from
			write(t, db, rec, start)
			to := start.with(Mark{Version: 31})
			write(t, db, start, to)
			write(t, db, to, start)
			if now := recorded(t, db); !slices.EqualFunc(now.Rows, from, Row.equal) {
				t.Errorf("rows %v, want %v", now.Rows, from)
			}
		})
	}
}

func write(t *testing.T, db *sql.DB, from, to Record) {
	t.Helper()
	if err := tryWrite(t, db, from, to); err != nil {
		t.Fatal(err)
	}
}

func tryWrite(t *testing.T, db *sql.DB, from, to Record) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := Write(t.Context(), tx, from, to); err != nil {
		return err
	}
	return tx.Commit()
}
