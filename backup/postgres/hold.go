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
// snapshot.
//
// The tables are locked before the snapshot is taken: LOCK TABLE is one of
// the few statements that take none (PostgreSQL manual, LOCK). So everything
// that was done to a table before our lock is in the snapshot, and nothing
// can be done to it after; a TRUNCATE or a rewriting ALTER TABLE between
// snapshot and lock, which would show an empty table, is not possible.
type hold struct {
	leader   *pgx.Conn
	locks    string // the statement that locks the tables
	snapshot string
	moment   time.Time
}

// lockAttempts is how often the tables are listed again because one came or
// went between the listing and the lock.
const lockAttempts = 5

type relation struct {
	oid          uint32
	schema, name string
}

const listTables = `
SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid`

// holdDatabase takes the moment. The caller closes the leader.
func holdDatabase(ctx context.Context, db *database.DB, name string) (*hold, error) {
	leader, err := connect(ctx, db, name)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		h, err := tryHold(ctx, leader)
		if err == nil {
			return h, nil
		}
		if attempt < lockAttempts && errors.Is(err, errTablesMoved) && ctx.Err() == nil {
			continue
		}
		leader.Close(context.WithoutCancel(ctx))
		return nil, err
	}
}

// errTablesMoved: tables came or went while they were being locked.
var errTablesMoved = errors.New("tables were created or dropped while they were being locked")

func tryHold(ctx context.Context, leader *pgx.Conn) (*hold, error) {
	listed, err := relations(ctx, leader)
	if err != nil {
		return nil, err
	}
	h := &hold{leader: leader, locks: lockStatement(listed)}
	if err := exec(ctx, leader.PgConn(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	err = h.lockAndExport(ctx, listed)
	if err != nil {
		_ = exec(context.WithoutCancel(ctx), leader.PgConn(), "ROLLBACK")
		return nil, err
	}
	return h, nil
}

func (h *hold) lockAndExport(ctx context.Context, listed []relation) error {
	if err := lockTables(ctx, h.leader, h.locks); err != nil {
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

func lockStatement(tables []relation) string {
	if len(tables) == 0 {
		return ""
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = quote(t.schema, t.name)
	}
	return "LOCK TABLE " + strings.Join(names, ", ") + " IN ACCESS SHARE MODE"
}

// lockTables waits no longer than the session's lock_timeout for each table.
func lockTables(ctx context.Context, conn *pgx.Conn, statement string) error {
	if statement == "" {
		return nil
	}
	err := exec(ctx, conn.PgConn(), statement)
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

// follow opens a connection that sees the same moment and holds the same
// locks, for one worker.
func (h *hold) follow(ctx context.Context, db *database.DB, name string) (*pgx.Conn, error) {
	conn, err := connect(ctx, db, name)
	if err != nil {
		return nil, err
	}
	// SET TRANSACTION SNAPSHOT must stand alone in its query.
	for _, sql := range []string{
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		"SET TRANSACTION SNAPSHOT '" + h.snapshot + "'",
	} {
		if err := exec(ctx, conn.PgConn(), sql); err != nil {
			conn.Close(context.WithoutCancel(ctx))
			return nil, fmt.Errorf("import snapshot: %w", err)
		}
	}
	if err := lockTables(ctx, conn, h.locks); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// sqlState returns the SQLSTATE of a server's error, or the empty string.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
