// Package postgres is the dump and restore engine for PostgreSQL 9.6 to 18.
//
// It moves rows as the server's own COPY text, never parses a value, and
// never holds more than a few megabytes of them. It must never write to the
// database that it dumps, never wait for a lock without a bound, never touch
// the live database of a restore before the swap, and never run a program of
// the operating system: the catalog is read into a model (package pgmodel)
// and rendered for the server at hand.
package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pinned are the settings that decide how values look and whether statements
// are interrupted, on both sides of a dump. Those that a server does not have
// are left out. The list follows what pg_dump sets (PostgreSQL manual,
// "Client Connection Defaults").
var pinned = []struct {
	name, value string
	since       int // server_version_num
}{
	{"search_path", "", 0},
	{"DateStyle", "ISO", 0},
	{"IntervalStyle", "postgres", 0},
	{"TimeZone", "UTC", 0},
	{"extra_float_digits", "3", 0},
	{"bytea_output", "hex", 0},
	{"lc_monetary", "C", 0},
	{"xmloption", "content", 0},
	{"standard_conforming_strings", "on", 0},
	{"synchronize_seqscans", "off", 0},
	{"quote_all_identifiers", "off", 0},
	{"row_security", "off", 0},
	{"check_function_bodies", "off", 0},
	{"client_encoding", "UTF8", 0},
	{"default_transaction_read_only", "off", 0},
	{"max_parallel_workers_per_gather", "0", 0}, // --jobs says how much of the server is taken
	{"jit", "off", 110000},                      // compiling a query on the catalog takes longer than running it
	{"statement_timeout", "0", 0},
	{"idle_in_transaction_session_timeout", "0", 0},
	{"transaction_timeout", "0", 170000},
	{"idle_session_timeout", "0", 140000},
}

// connect opens a session with everything pinned that could change what is
// read or written. Names and statements are UTF-8; rows pass in the encoding
// of the database, untouched (see encodingOption).
func connect(ctx context.Context, db *database.DB, name string) (*pgx.Conn, error) {
	config, err := db.PostgreSQLConfig(name)
	if err != nil {
		return nil, err
	}
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(newRowJoiner(r), w)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to database %s: %w", name, err)
	}
	if err := pin(ctx, conn.PgConn(), db.Server().Number, db.Settings().LockTimeout); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("set up session on database %s: %w", name, err)
	}
	return conn, nil
}

func pin(ctx context.Context, conn *pgconn.PgConn, server int, lockTimeout time.Duration) error {
	var b strings.Builder
	for _, s := range pinned {
		if server >= s.since {
			fmt.Fprintf(&b, "SELECT pg_catalog.set_config('%s', '%s', false);", s.name, s.value)
		}
	}
	fmt.Fprintf(&b, "SELECT pg_catalog.set_config('lock_timeout', '%d', false)", lockTimeout.Milliseconds())
	return exec(ctx, conn, b.String())
}

// exec runs statements in the simple protocol, where several may stand
// together and one may stand alone.
func exec(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}
