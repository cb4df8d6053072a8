package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"

	hdb "github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// Driver is golang-migrate's database driver for repairing the version row of
// a PostgreSQL database: migrate.Force on it writes the row as Harbor would
// have, and nothing else can be done with it. It differs from the stock
// drivers in four ways: Lock takes the keys of every golang-migrate that
// Harbor has used and waits no longer than it is told to; SetVersion keeps
// data_version, which their TRUNCATE loses; SetVersion refuses where the row
// has changed since it was read; and Run and Drop refuse always.
//
// It lives on one connection, which holds the lock and which the caller opens
// and closes. golang-migrate's interface has no context: the one that
// NewDriver is given counts for every call. A Driver is not safe for
// concurrent use.
type Driver struct {
	ctx    context.Context
	conn   *sql.Conn
	rec    Record
	wait   time.Duration
	before func(context.Context, hdb.Querier) error
	keys   []int64 // held, in the order they were taken
}

var _ database.Driver = (*Driver)(nil)

// NewDriver returns a driver for the database of conn whose recorded version
// was rec. wait bounds Lock and every lock that SetVersion takes. before, if
// not nil, runs in SetVersion's transaction when the row is written and not
// yet committed, with that transaction: what fails there undoes it.
func NewDriver(ctx context.Context, conn *sql.Conn, rec Record, wait time.Duration, before func(context.Context, hdb.Querier) error) *Driver {
	return &Driver{ctx: ctx, conn: conn, rec: rec, wait: wait, before: before}
}

// Open is part of golang-migrate's interface; a Driver is made by NewDriver.
func (d *Driver) Open(string) (database.Driver, error) {
	return nil, errors.New("open a connection and use NewDriver")
}

// Close releases the lock, if it is held, and leaves the connection open.
func (d *Driver) Close() error {
	if len(d.keys) == 0 {
		return nil
	}
	return d.Unlock()
}

// lockPoll is how often Lock tries again.
const lockPoll = 100 * time.Millisecond

// Lock takes all three keys, in the same order everywhere, or none. Where one
// is held by another session for longer than the wait, it returns a fault of
// kind Refused that names the session and wraps database.ErrLocked.
func (d *Driver) Lock() error {
	if len(d.keys) > 0 {
		return database.ErrLocked
	}
	var dbname string
	if err := d.conn.QueryRowContext(d.ctx, "select pg_catalog.current_database()").Scan(&dbname); err != nil {
		return fmt.Errorf("taking the migration lock: %w", err)
	}
	wait, cancel := context.WithTimeout(d.ctx, d.wait)
	defer cancel()
	for _, key := range LockKeys(dbname, d.rec.Schema) {
		if err := d.take(wait, key); err != nil {
			return errors.Join(err, d.release())
		}
		d.keys = append(d.keys, key)
	}
	return nil
}

// take tries one key until wait ends.
func (d *Driver) take(wait context.Context, key int64) error {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		var got bool
		if err := d.conn.QueryRowContext(d.ctx, "select pg_catalog.pg_try_advisory_lock($1)", key).Scan(&got); err != nil {
			return fmt.Errorf("taking the migration lock: %w", err)
		}
		if got {
			return nil
		}
		select {
		case <-wait.Done():
			if err := d.ctx.Err(); err != nil {
				return err
			}
			return d.held()
		case <-tick.C:
		}
	}
}

// held says who has the lock.
func (d *Driver) held() error {
	who := "another session"
	if list, err := MigrationRunning(d.ctx, d.conn, hdb.PostgreSQL); err == nil && len(list) > 0 {
		who = list[0].String()
	}
	return fault.Refusedf("the migration lock is not free after %s: %s: %w", d.wait, who, database.ErrLocked).
		WithHint("a core is migrating: wait for it, or stop it and look again with harbordb schema status")
}

// Unlock releases all keys.
func (d *Driver) Unlock() error {
	if len(d.keys) == 0 {
		return database.ErrNotLocked
	}
	return d.release()
}

// release gives back what is held, with a context of its own: an interrupted
// repair must not leave the lock to a connection that lives on.
func (d *Driver) release() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), 10*time.Second)
	defer cancel()
	var errs []error
	for _, key := range d.keys {
		if _, err := d.conn.ExecContext(ctx, "select pg_catalog.pg_advisory_unlock($1)", key); err != nil {
			errs = append(errs, fmt.Errorf("releasing the migration lock: %w", err))
		}
	}
	d.keys = nil
	return errors.Join(errs...)
}

// Version returns the version and the dirty flag as golang-migrate does: the
// first row, or NilVersion where there is none.
func (d *Driver) Version() (version int, dirty bool, err error) {
	rec, err := Recorded(d.ctx, d.conn, hdb.PostgreSQL)
	if err != nil {
		return 0, false, err
	}
	if len(rec.Rows) == 0 {
		return database.NilVersion, false, nil
	}
	return int(rec.Rows[0].Version), rec.Rows[0].Dirty, nil
}

// SetVersion makes the version table hold one row, or none for NilVersion, in
// one transaction.
func (d *Driver) SetVersion(version int, dirty bool) (err error) {
	to := d.rec.with(Mark{Version: Version(version)})
	to.Rows[0].Dirty = dirty
	if version == database.NilVersion && !dirty {
		to.Rows = []Row{}
	}
	tx, err := d.conn.BeginTx(d.ctx, nil)
	if err != nil {
		return fmt.Errorf("writing the schema version: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(tx.Rollback()))
		}
	}()
	if _, err = tx.ExecContext(d.ctx, fmt.Sprintf("set local lock_timeout = %d", max(1, d.wait.Milliseconds()))); err != nil {
		return fmt.Errorf("writing the schema version: %w", err)
	}
	if err = Write(d.ctx, tx, d.rec, to); err != nil {
		return err
	}
	if d.before != nil {
		if err = d.before(d.ctx, tx); err != nil {
			return err
		}
	}
	if err = tx.Commit(); err != nil {
		return fmt.Errorf("writing the schema version: %w", err)
	}
	d.rec = to
	return nil
}

// Force carries out a decision through golang-migrate, which takes the lock,
// writes the row and gives the lock back. A decision to keep or to refuse
// changes nothing and is an error.
func (d *Driver) Force(decision Decision) error {
	version := database.NilVersion
	switch decision.Action {
	case Set:
		version = int(decision.To.Version)
	case Empty:
	default:
		return fmt.Errorf("nothing to write: the decision is to %s", decision.Action)
	}
	m, err := migrate.NewWithInstance("none", Release{}.Source(), "harbor", d)
	if err != nil {
		return fmt.Errorf("writing the schema version: %w", err)
	}
	// golang-migrate gives up waiting without telling the driver: the bound
	// that counts is the driver's own.
	m.LockTimeout = 2*d.wait + time.Minute
	return m.Force(version)
}

// ignoreDone drops the error of rolling back what has ended already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Run refuses: repairing never runs a migration.
func (d *Driver) Run(io.Reader) error {
	return fault.Refusedf("harbordb never runs a migration").WithHint("start the core of the release: it migrates")
}

// Drop refuses.
func (d *Driver) Drop() error { return fault.Refusedf("harbordb never drops Harbor's tables") }
