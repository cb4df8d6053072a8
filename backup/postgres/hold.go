package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// hold is one moment of a database: a leader whose REPEATABLE READ READ ONLY
// transaction locks every table against changes of the schema and exports its
// snapshot, and followers that import it and hold the same locks.
//
// The tables are locked before the snapshot is taken: LOCK TABLE is one of
// the few statements that take none (PostgreSQL manual, LOCK). So everything
// that was done to a table before our lock is in the snapshot, and nothing
// can be done to it after; a TRUNCATE or a rewriting ALTER TABLE between
// snapshot and lock, which would show an empty table, is not possible.
//
// All connections have all locks before the long work begins. A follower that
// came later could queue behind a statement that waits for the leader to end,
// and neither would ever move.
type hold struct {
	name      string // of the database
	leader    *pgx.Conn
	followers []*pgx.Conn
	snapshot  string
	moment    time.Time
	tables    []relation // locked
	// running says which transactions of the server the snapshot sees. It is
	// empty where the server cannot tell.
	running string
}

type relation struct {
	oid          uint32
	schema, name string
}

// listTables lists what has rows to copy: of the tables of extensions only
// those that hold rows of users.
const listTables = `
SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
  AND NOT c.oid = ANY (COALESCE(e.extconfig, '{}')))
ORDER BY c.oid`

// holds are the holds of several databases.
type holds []*hold

// holdDatabases takes the moment of each database over 1 + followers
// connections, and of all of them the same one if it can. Where someone
// changes tables meanwhile it lets him through and tries again, for no longer
// than locks may be waited for. The caller closes the holds.
func holdDatabases(ctx context.Context, db *database.DB, names []string, followers int) (holds, error) {
	var all holds
	for _, name := range names {
		h := &hold{name: name}
		all = append(all, h)
		if err := h.connect(ctx, db, followers); err != nil {
			all.close()
			return nil, h.failed(err)
		}
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	for {
		err := all.try(ctx, limited)
		if err == nil {
			return all, nil
		}
		again := errors.Is(err, errTablesMoved) || errors.Is(err, errApart)
		if !again || limited.Err() != nil {
			all.close()
			return nil, err
		}
	}
}

func (h *hold) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("hold database %s: %w", h.name, err)
}

func (h *hold) connect(ctx context.Context, db *database.DB, followers int) (err error) {
	if h.leader, err = connect(ctx, db, h.name); err != nil {
		return err
	}
	for range followers {
		conn, err := connect(ctx, db, h.name)
		if err != nil {
			return err
		}
		h.followers = append(h.followers, conn)
	}
	return nil
}

func (h *hold) conns() []*pgx.Conn { return append([]*pgx.Conn{h.leader}, h.followers...) }

func (h *hold) close() {
	for _, conn := range h.conns() {
		if conn != nil {
			conn.Close(context.Background())
		}
	}
}

func (all holds) close() {
	for _, h := range all {
		h.close()
	}
}

// errTablesMoved: tables came or went, or someone waits for one, while they
// were being locked.
var errTablesMoved = fault.Refusedf("someone is changing tables").
	WithHint("wait until the migration or maintenance is over, or give more time with --lock-timeout")

// errApart: the databases were not caught at the same moment.
var errApart = errors.New("transactions began or ended between two snapshots")

const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// try takes all moments. It insists on the same one for as long as patience
// has not ended.
func (all holds) try(ctx, patience context.Context) error {
	err := all.lead(ctx)
	if err == nil && all.apart() && patience.Err() == nil {
		err = errApart
	}
	for _, h := range all {
		if err == nil {
			err = h.failed(h.follow(ctx))
		}
	}
	if err == nil {
		return nil
	}
	for _, h := range all {
		for _, conn := range h.conns() {
			if conn.PgConn().TxStatus() != 'I' {
				_ = exec(context.WithoutCancel(ctx), conn.PgConn(), "ROLLBACK")
			}
		}
	}
	return err
}

// lead has every leader lock its tables, and only then all of them take their
// snapshots, side by side: the less time in between, the likelier it is that
// they see the same.
func (all holds) lead(ctx context.Context) error {
	for _, h := range all {
		if err := h.lock(ctx); err != nil {
			return h.failed(err)
		}
	}
	group, limited := errgroup.WithContext(ctx)
	for _, h := range all {
		group.Go(func() error { return h.failed(h.take(limited)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, h := range all {
		if err := h.unmoved(ctx); err != nil {
			return h.failed(err)
		}
	}
	return nil
}

// oneMoment tells whether all snapshots see the same transactions. They are
// numbered for the whole server, so equal lists in two databases are the same
// moment (PostgreSQL manual, "Transaction ID and Snapshot Information
// Functions").
func (all holds) oneMoment() bool {
	for _, h := range all {
		if len(all) > 1 && (h.running == "" || h.running != all[0].running) {
			return false
		}
	}
	return true
}

// apart tells whether trying again could make it one moment.
func (all holds) apart() bool { return !all.oneMoment() && all[0].running != "" }

// lock begins the leader's transaction and locks the tables.
func (h *hold) lock(ctx context.Context) (err error) {
	if h.tables, err = relations(ctx, h.leader); err != nil {
		return err
	}
	if err := exec(ctx, h.leader.PgConn(), begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return lockTables(ctx, h.leader, h.tables, "")
}

// take takes and exports the snapshot. In recovery a server does not list the
// transactions that run.
func (h *hold) take(ctx context.Context) error {
	row := h.leader.QueryRow(ctx, `SELECT pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp(),
		CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE pg_catalog.txid_current_snapshot()::text END`)
	if err := row.Scan(&h.snapshot, &h.moment, &h.running); err != nil {
		return fmt.Errorf("export snapshot: %w", err)
	}
	h.moment = h.moment.UTC()
	return nil
}

// unmoved proves that the tables of the snapshot are those that were locked.
func (h *hold) unmoved(ctx context.Context) error {
	seen, err := relations(ctx, h.leader)
	if err != nil {
		return err
	}
	if !slices.Equal(h.tables, seen) {
		return errTablesMoved
	}
	return nil
}

// follow has the followers import the snapshot and lock what the leader holds
// already. Nobody but a statement that waits for the leader can be in their
// way, so they do not wait.
func (h *hold) follow(ctx context.Context) error {
	for _, conn := range h.followers {
		// SET TRANSACTION SNAPSHOT must stand alone in its query.
		for _, sql := range []string{begin, "SET TRANSACTION SNAPSHOT '" + h.snapshot + "'"} {
			if err := exec(ctx, conn.PgConn(), sql); err != nil {
				return fmt.Errorf("import snapshot: %w", err)
			}
		}
		err := lockTables(ctx, conn, h.tables, " NOWAIT")
		if sqlState(err) == "55P03" {
			return fmt.Errorf("%w: %w", errTablesMoved, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func relations(ctx context.Context, conn *pgx.Conn) ([]relation, error) {
	rows, err := conn.Query(ctx, listTables)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r relation, err error) {
		return r, row.Scan(&r.oid, &r.schema, &r.name)
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return list, nil
}

// lockTables waits no longer than the session's lock_timeout for each table,
// or not at all.
func lockTables(ctx context.Context, conn *pgx.Conn, tables []relation, nowait string) error {
	if len(tables) == 0 {
		return nil
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = quote(t.schema, t.name)
	}
	err := exec(ctx, conn.PgConn(), "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS SHARE MODE"+nowait)
	switch sqlState(err) {
	case "":
		return err
	case "42P01", "3F000": // undefined table or schema
		return fmt.Errorf("%w: %w", errTablesMoved, err)
	case "55P03": // lock not available
		return fault.Refusedf("lock tables for reading: someone holds a lock on one of them: %w", err).
			WithHint("wait until the migration or maintenance is over, or give more time with --lock-timeout")
	case "42501": // insufficient privilege
		return fault.Failedf("lock tables for reading: %w", err).
			WithHint("connect as the owner of the Harbor database, or GRANT SELECT on all its tables")
	}
	return fmt.Errorf("lock tables for reading: %w", err)
}

// sqlState returns the SQLSTATE of a server's error, or the empty string.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
