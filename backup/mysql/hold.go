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
	name    string // of the database
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

// holds are the holds of several databases, all of one moment.
type holds []*hold

// holdDatabases takes the moment, over one connection for the lock, which ends
// here, and for each database one for the leader and one for each worker. The
// caller closes the holds.
func holdDatabases(ctx context.Context, db *database.DB, names []string, workers int) (holds, error) {
	all := make(holds, len(names))
	for i, name := range names {
		all[i] = &hold{name: name}
	}
	if err := all.hold(ctx, db, workers); err != nil {
		all.close()
		return nil, fmt.Errorf("hold database %s: %w", strings.Join(names, ", "), err)
	}
	return all, nil
}

func (all holds) hold(ctx context.Context, db *database.DB, workers int) error {
	for _, h := range all {
		if err := h.connect(ctx, db, workers); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	for {
		last := waitForQuiet(limited, all[0].leader)
		if last == nil {
			last = all.try(ctx, db)
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

func (h *hold) connect(ctx context.Context, db *database.DB, workers int) (err error) {
	if h.leader, err = connect(ctx, db, h.name); err != nil {
		return err
	}
	for range workers {
		w, err := connect(ctx, db, h.name)
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
	return nil
}

func (h *hold) sessions() []*session { return append([]*session{h.leader}, h.workers...) }

func (h *hold) close() {
	for _, s := range h.sessions() {
		s.close()
	}
}

func (all holds) close() {
	for _, h := range all {
		h.close()
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

// try begins all transactions under the lock and reads the catalogs.
func (all holds) try(ctx context.Context, db *database.DB) error {
	// The lock ends with its session, whatever happens.
	locker, err := connect(ctx, db, all[0].name)
	if err != nil {
		return err
	}
	defer locker.close()
	seconds := math.Ceil(min(patience, db.Settings().LockTimeout).Seconds())
	if err := locker.exec(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d, innodb_lock_wait_timeout = %[1]d", int(seconds))); err != nil {
		return err
	}
	if err := all.lock(ctx, locker); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	return all.begin(limited, db)
}

// lock keeps all writers out: of the whole server, or where the login may not
// do that, of all tables of the databases.
func (all holds) lock(ctx context.Context, locker *session) error {
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
		return all.lockTables(ctx, locker)
	case number(err) == errLockWaitTimeout:
		return fmt.Errorf("%w: %w", errBusy, err)
	}
	return fmt.Errorf("lock tables for reading: %w", err)
}

// tables lists the tables of all databases as SQL names them.
func (all holds) tables(ctx context.Context, locker *session) (quoted []string, err error) {
	for _, h := range all {
		list, err := locker.texts(ctx, `SELECT table_name FROM information_schema.tables
			WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY table_name`, h.name)
		if err != nil {
			return nil, fmt.Errorf("list tables of database %s: %w", h.name, err)
		}
		for _, t := range list {
			quoted = append(quoted, mymodel.QuoteIdent(h.name, t[0]))
		}
	}
	return quoted, nil
}

// lockTables locks every table by name. InnoDB waits for each transaction
// that has written to one of them, so no transaction is half seen.
func (all holds) lockTables(ctx context.Context, locker *session) error {
	before, err := all.tables(ctx, locker)
	if err != nil {
		return err
	}
	if len(before) > 0 {
		err = locker.exec(ctx, "LOCK TABLES "+strings.Join(before, " READ, ")+" READ")
	}
	switch {
	case denied(err):
		return fault.Refusedf("lock tables for reading: %w", err).
			WithHint("GRANT RELOAD ON *.* to the login, or GRANT LOCK TABLES ON %s.*", all.escapedNames())
	case number(err) == errLockWaitTimeout, number(err) == errNoSuchTable:
		return fmt.Errorf("%w: %w", errBusy, err)
	case err != nil:
		return fmt.Errorf("lock tables for reading: %w", err)
	}
	after, err := all.tables(ctx, locker)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return fmt.Errorf("%w: someone is making or dropping tables", errBusy)
	}
	return nil
}

func (all holds) escapedNames() string {
	names := make([]string, len(all))
	for i, h := range all {
		names[i] = escapedName(h.name)
	}
	return strings.Join(names, ".*, ")
}

// begin is all that happens under the lock.
func (all holds) begin(ctx context.Context, db *database.DB) error {
	moment, err := db.Now(ctx)
	if err != nil {
		return err
	}
	// Up to here no session of ours is in a transaction: one that has gone
	// on after an attempt would keep its old moment.
	for _, h := range all {
		h.moment = moment
		for _, s := range h.sessions() {
			for _, statement := range []string{"ROLLBACK", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"} {
				if err := s.exec(ctx, statement); err != nil {
					return fmt.Errorf("begin: %w", err)
				}
			}
		}
	}
	group, limited := errgroup.WithContext(ctx)
	for _, h := range all {
		if h.model, err = ReadCatalog(ctx, h.leader, db.Server()); err != nil {
			return errors.Join(err, group.Wait())
		}
		for _, s := range h.sessions() {
			group.Go(func() error { return touch(limited, s, h.model.Tables) })
		}
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
