package mysql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"golang.org/x/sync/errgroup"
)

// hold is one moment of a database: a leader and workers, each in a
// transaction that began while no one could write, and each with every table
// open, so that nobody can change its definition until they end.
type hold struct {
	leader  *session
	workers []*session
	moment  time.Time
	model   *mymodel.Model
}

// Waiting for the global lock keeps all writers waiting, too, behind us. So
// no single attempt takes longer than patience, and none is made while a
// statement runs that has been running for that long already.
const (
	patience = 3 * time.Second
	lookAt   = 200 * time.Millisecond // pause between two looks at the process list
)

// errBusy: somebody kept us from the lock; the next attempt may succeed.
var errBusy = errors.New("the lock was not to be had")

// holdDatabase takes the moment, over one connection for the lock, which ends
// here, one for the leader and one for each worker. The caller closes the
// hold.
func holdDatabase(ctx context.Context, db *database.DB, name string, workers int) (*hold, error) {
	h := &hold{}
	err := h.take(ctx, db, name, workers)
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *hold) take(ctx context.Context, db *database.DB, name string, workers int) (err error) {
	if h.leader, err = connect(ctx, db, name); err != nil {
		return err
	}
	for range workers {
		w, err := connect(ctx, db, name)
		if err != nil {
			return err
		}
		h.workers = append(h.workers, w)
		// Values come as they are stored, in the character set of their
		// column.
		if err := w.exec(ctx, "SET SESSION character_set_results = NULL"); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	for {
		last := waitForQuiet(limited, h.leader)
		if last == nil {
			last = h.try(ctx, db, name)
		}
		switch {
		case last == nil, ctx.Err() != nil, !errors.Is(last, errBusy):
			return last
		case limited.Err() != nil:
			return fault.Refusedf("lock tables for reading: %w", last).
				WithHint("wait until that is over, or give more time with --lock-timeout")
		}
	}
}

func (h *hold) close() {
	h.leader.close()
	for _, w := range h.workers {
		w.close()
	}
}

const longStatements = `SELECT id, COALESCE(user, ''), time, LEFT(COALESCE(info, ''), 100) FROM information_schema.processlist
WHERE command IN ('Query', 'Execute') AND time >= ? AND id <> CONNECTION_ID() AND COALESCE(user, '') <> 'system user'
ORDER BY time DESC LIMIT 1`

// waitForQuiet waits until no statement has been running for long: the lock
// would wait for it, and everybody else for the lock. Without the right
// PROCESS it sees the statements of its own user alone.
func waitForQuiet(ctx context.Context, s *session) error {
	tick := time.NewTicker(lookAt)
	defer tick.Stop()
	for {
		list, err := s.texts(context.WithoutCancel(ctx), longStatements, int(patience.Seconds()))
		if err != nil {
			return fmt.Errorf("look at the process list: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: statement %s of %s has been running for %s s: %s", errBusy, list[0][0], list[0][1], list[0][2], list[0][3])
		}
	}
}

// try begins all transactions under the lock and reads the catalog.
func (h *hold) try(ctx context.Context, db *database.DB, name string) error {
	// The lock ends with its session, whatever happens.
	locker, err := connect(ctx, db, name)
	if err != nil {
		return err
	}
	defer locker.close()
	seconds := math.Ceil(min(patience, db.Settings().LockTimeout).Seconds())
	if err := locker.exec(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d, innodb_lock_wait_timeout = %[1]d", int(seconds))); err != nil {
		return err
	}
	if err := lock(ctx, locker, name); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	return h.begin(limited, db)
}

// lock keeps all writers out: of the whole server, or where the login may not
// do that, of all tables of the database.
func lock(ctx context.Context, locker *session, name string) error {
	// The first statement does the waiting for tables in use without the
	// global lock.
	err := locker.exec(ctx, "FLUSH NO_WRITE_TO_BINLOG TABLES")
	if err == nil {
		err = locker.exec(ctx, "FLUSH TABLES WITH READ LOCK")
	}
	switch {
	case err == nil:
		return nil
	case denied(err):
		return lockTables(ctx, locker, name)
	case number(err) == errLockWaitTimeout:
		return fmt.Errorf("%w: %w", errBusy, err)
	}
	return fmt.Errorf("lock tables for reading: %w", err)
}

const baseTables = `SELECT table_name FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name`

// lockTables locks every table by name. InnoDB waits for each transaction
// that has written to one of them, so no transaction is half seen.
func lockTables(ctx context.Context, locker *session, name string) error {
	before, err := locker.texts(ctx, baseTables)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	list := make([]string, len(before))
	for i, t := range before {
		list[i] = mymodel.QuoteIdent(t[0]) + " READ"
	}
	if len(list) > 0 {
		err = locker.exec(ctx, "LOCK TABLES "+strings.Join(list, ", "))
	}
	switch {
	case denied(err):
		return fault.Refusedf("lock tables for reading: %w", err).
			WithHint("GRANT RELOAD ON *.* or GRANT LOCK TABLES ON %s.* to the login", escapedName(name))
	case number(err) == errLockWaitTimeout, number(err) == errNoSuchTable:
		return fmt.Errorf("%w: %w", errBusy, err)
	case err != nil:
		return fmt.Errorf("lock tables for reading: %w", err)
	}
	after, err := locker.texts(ctx, baseTables)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if !slices.EqualFunc(before, after, slices.Equal[[]string]) {
		return fmt.Errorf("%w: someone is making or dropping tables", errBusy)
	}
	return nil
}

// begin is all that happens under the lock.
func (h *hold) begin(ctx context.Context, db *database.DB) error {
	var err error
	if h.moment, err = db.Now(ctx); err != nil {
		return err
	}
	// Up to here no session of ours is in a transaction: one that has gone
	// on after an attempt would keep its old moment.
	for _, s := range append([]*session{h.leader}, h.workers...) {
		for _, statement := range []string{"ROLLBACK", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"} {
			if err := s.exec(ctx, statement); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
	}
	if h.model, err = ReadCatalog(ctx, h.leader, db.Server()); err != nil {
		return err
	}
	group, limited := errgroup.WithContext(ctx)
	for _, s := range append([]*session{h.leader}, h.workers...) {
		group.Go(func() error { return touch(limited, s, h.model.Tables) })
	}
	return group.Wait()
}

// touch opens every table, which keeps its definition as it is until the
// transaction ends.
func touch(ctx context.Context, s *session, tables []mymodel.Table) error {
	for _, t := range tables {
		err := s.exec(ctx, "DO (SELECT 1 FROM "+mymodel.QuoteIdent(t.Name)+" LIMIT 1)")
		switch {
		case number(err) == errLockWaitTimeout, number(err) == errTableDefChanged:
			return fmt.Errorf("%w: table %s: %w", errBusy, t.Name, err)
		case denied(err):
			return fault.Refusedf("open table %s: %w", t.Name, err).
				WithHint("connect as the owner of the Harbor database, or GRANT SELECT on all its tables")
		case err != nil:
			return fmt.Errorf("open table %s: %w", t.Name, err)
		}
	}
	return nil
}
