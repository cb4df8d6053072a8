// Package mysql dumps and restores MySQL and MariaDB databases for package
// backup: MySQL from 5.6 on, MariaDB from 10.2 on.
//
// A dump is one moment: every worker begins its consistent snapshot while one
// short read lock keeps all writers out. A restore loads into a database of
// its own, compares it, and moves all tables with one RENAME TABLE. This
// package must never write to the database that it dumps, never wait for a
// lock without a bound, never read a value into anything but the text that
// the server sent, and never touch a live database before the swap.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/harbordb/harbordb/database"
)

// Numbers of the server's errors.
const (
	errDBAccessDenied    = 1044
	errAccessDenied      = 1045
	errUnknownDatabase   = 1049
	errTableAccessDenied = 1142
	errNoSuchTable       = 1146
	errLockWaitTimeout   = 1205
	errSpecificAccess    = 1227
	errTableDefChanged   = 1412
	errUnknownVariable   = 1193
)

// number returns the number of a server's error, or 0.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

func denied(err error) bool {
	switch number(err) {
	case errDBAccessDenied, errAccessDenied, errTableAccessDenied, errSpecificAccess:
		return true
	}
	return false
}

// sqlMode is the mode under which statements are printed and read and rows are
// loaded: strict, so that no value is changed on the way, but with what old
// servers let in, zero dates, impossible dates and the id 0.
const sqlMode = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO"

// longest is a time-out in seconds that no step reaches, and that every server
// takes.
const longest = 2147483

// session is one connection to one database, or to none where its name is
// empty. It is not shared.
type session struct {
	*sql.Conn
	pool *sql.DB
}

// connect opens a session with everything pinned that a server, a role or a
// configuration could set in another way.
func connect(ctx context.Context, db *database.DB, name string) (*session, error) {
	config, err := db.MySQLConfig(name)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	s := &session{pool: sql.OpenDB(connector)}
	s.pool.SetMaxOpenConns(1)
	if s.Conn, err = s.pool.Conn(ctx); err != nil {
		s.pool.Close()
		return nil, db.ConnectError(ctx, name, err)
	}
	if err := s.pin(ctx, db.Server()); err != nil {
		s.close()
		return nil, fmt.Errorf("set up session on database %s: %w", name, err)
	}
	return s, nil
}

func (s *session) pin(ctx context.Context, server database.Server) error {
	// Time-outs: a slow store must not end a session of ours.
	pins := []string{
		"sql_mode = '" + sqlMode + "'", "time_zone = '+00:00'", "sql_quote_show_create = 1", "autocommit = 1",
		"sql_select_limit = 18446744073709551615", "sql_big_selects = 1", "sql_safe_updates = 0", "big_tables = 0",
		fmt.Sprintf("wait_timeout = %d", longest), "net_read_timeout = 3600", "net_write_timeout = 3600",
	}
	if err := s.exec(ctx, "SET SESSION "+strings.Join(pins, ", ")); err != nil {
		return err
	}
	for _, variable := range newerVariables(server) {
		if err := s.exec(ctx, "SET SESSION "+variable); err != nil && number(err) != errUnknownVariable {
			return err
		}
	}
	return s.exec(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
}

// newerVariables are what not every server has.
func newerVariables(server database.Server) []string {
	if server.Product == "MariaDB" {
		return []string{"max_statement_time = 0", "idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0",
			"check_constraint_checks = 0"}
	}
	return []string{"max_execution_time = 0"}
}

func (s *session) close() {
	if s == nil {
		return
	}
	s.Conn.Close()
	s.pool.Close()
}

func (s *session) exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.ExecContext(ctx, statement, args...)
	return err
}

// texts reads all rows of a query whose columns are all text.
func (s *session) texts(ctx context.Context, query string, args ...any) ([][]string, error) {
	return texts(ctx, s, query, args...)
}

func texts(ctx context.Context, q database.Querier, query string, args ...any) ([][]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var list [][]string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		line := make([]string, len(columns))
		for i, v := range values {
			line[i] = v.String
		}
		list = append(list, line)
	}
	return list, rows.Err()
}

// warned returns an error where the last statement made the server warn: a
// value was cut or changed.
func (s *session) warned(ctx context.Context) error {
	list, err := s.texts(ctx, "SHOW WARNINGS LIMIT 1")
	if err != nil || len(list) == 0 {
		return err
	}
	return fmt.Errorf("the server warns: %s", list[0][2])
}
