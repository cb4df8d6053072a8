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
	leader    *pgx.Conn
	followers []*pgx.Conn
	snapshot  string
	moment    time.Time
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

// holdDatabase takes the moment over 1 + followers connections. Where someone
// changes tables meanwhile it lets him through and tries again, for no longer
// than locks may be waited for. The caller closes the hold.
func holdDatabase(ctx context.Context, db *database.DB, name string, followers int) (*hold, error) {
	h := &hold{}
	if err := h.connect(ctx, db, name, followers); err != nil {
		h.close()
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, db.Settings().LockTimeout)
	defer cancel()
	for {
		err := h.try(ctx)
		if err == nil {
			return h, nil
		}
		if errors.Is(err, errTablesMoved) && limited.Err() == nil {
			continue
		}
		h.close()
		return nil, err
	}
}

func (h *hold) connect(ctx context.Context, db *database.DB, name string, followers int) (err error) {
	if h.leader, err = connect(ctx, db, name); err != nil {
		return err
	}
	for range followers {
		conn, err := connect(ctx, db, name)
		if err != nil {
			return err
		}
		h.followers = append(h.followers, conn)
	}
	return nil
}

func (h *hold) close() {
	for _, conn := range append([]*pgx.Conn{h.leader}, h.followers...) {
		if conn != nil {
			conn.Close(context.Background())
		}
	}
}

// errTablesMoved: tables came or went, or someone waits for one, while they
// were being locked.
var errTablesMoved = fault.Refusedf("someone is changing tables").
	WithHint("wait until the migration or maintenance is over, or give more time with --lock-timeout")

const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

func (h *hold) try(ctx context.Context) error {
	listed, err := relations(ctx, h.leader)
	if err != nil {
		return err
	}
	if err = h.lead(ctx, listed); err == nil {
		err = h.follow(ctx, listed)
	}
	if err == nil {
		return nil
	}
	for _, conn := range append([]*pgx.Conn{h.leader}, h.followers...) {
		if conn.PgConn().TxStatus() != 'I' {
			_ = exec(context.WithoutCancel(ctx), conn.PgConn(), "ROLLBACK")
		}
	}
	return err
}

// lead locks the tables and takes the snapshot.
func (h *hold) lead(ctx context.Context, listed []relation) error {
	if err := exec(ctx, h.leader.PgConn(), begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := lockTables(ctx, h.leader, listed, ""); err != nil {
		return err
	}
	row := h.leader.QueryRow(ctx, "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp()")
	if err := row.Scan(&h.snapshot, &h.moment); err != nil {
		return fmt.Errorf("export snapshot: %w", err)
	}
	h.moment = h.moment.UTC()
	seen, err := relations(ctx, h.leader)
	if err != nil {
		return err
	}
	if !slices.Equal(listed, seen) {
		return errTablesMoved
	}
	return nil
}

// follow has the followers import the snapshot and lock what the leader holds
// already. Nobody but a statement that waits for the leader can be in their
// way, so they do not wait.
func (h *hold) follow(ctx context.Context, listed []relation) error {
	for _, conn := range h.followers {
		// SET TRANSACTION SNAPSHOT must stand alone in its query.
		for _, sql := range []string{begin, "SET TRANSACTION SNAPSHOT '" + h.snapshot + "'"} {
			if err := exec(ctx, conn.PgConn(), sql); err != nil {
				return fmt.Errorf("import snapshot: %w", err)
			}
		}
		err := lockTables(ctx, conn, listed, " NOWAIT")
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
