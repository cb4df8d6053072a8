package repair

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/harbordb/harbordb/database"
)

// session is one connection with pinned settings in one transaction.
type session struct {
	db   *database.DB
	d    *dialect
	conn *sql.Conn
	tx   *sql.Tx
	// spent says that the connection has settings that nobody else expects.
	spent bool
}

// reading are the options of a transaction that only reads, at one moment.
func reading() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// look opens a transaction of reading.
func look(ctx context.Context, db *database.DB) (*session, error) {
	return begin(ctx, db, reading(), db.Settings().LockTimeout)
}

// begin opens a transaction whose waits for locks are bounded; nil is one that
// writes. The caller ends it with close, and before that may commit it.
func begin(ctx context.Context, db *database.DB, opts *sql.TxOptions, wait time.Duration) (*session, error) {
	conn, err := liveConn(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", db.Settings(), err)
	}
	s := &session{db: db, d: dialects[db.Engine()], conn: conn}
	if err := s.start(ctx, opts, wait); err != nil {
		s.close()
		return nil, fmt.Errorf("begin a transaction in %s: %w", db.Settings(), err)
	}
	return s, nil
}

// liveConn takes a connection from the pool that answers: while a person reads
// a plan, a firewall may have forgotten those that were idle.
func liveConn(ctx context.Context, db *database.DB) (*sql.Conn, error) {
	const attempts = 5 // more than the pool keeps idle
	var last error
	for range attempts {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if last = conn.PingContext(ctx); last == nil {
			return conn, nil
		}
		_ = conn.Close() // it is gone already
		if !errors.Is(last, driver.ErrBadConn) {
			break
		}
	}
	return nil, last
}

// start begins the transaction apart from ctx: a cancelled ctx ends the
// statement that runs, but never comes between COMMIT and its answer.
func (s *session) start(ctx context.Context, opts *sql.TxOptions, wait time.Duration) error {
	for _, statement := range s.d.before(wait) {
		s.spent = true
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	var err error
	if s.tx, err = s.conn.BeginTx(context.WithoutCancel(ctx), opts); err != nil {
		return err
	}
	for _, statement := range s.d.within(wait) {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// pin sets the wait for locks anew, for the rest of the transaction.
func (s *session) pin(ctx context.Context, wait time.Duration) error {
	for _, statement := range slices.Concat(s.d.before(wait), s.d.within(wait)) {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// close rolls back what is not committed and gives the connection back.
func (s *session) close() {
	if s.tx != nil {
		_ = s.tx.Rollback() // of no effect after a COMMIT; without a connection the server does it
	}
	if s.spent {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn }) // its settings are ours
	}
	_ = s.conn.Close()
}

func (s *session) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, s.d.bind(query), args...)
}

func (s *session) scan(ctx context.Context, query string, args []any, to ...any) error {
	return s.tx.QueryRowContext(ctx, s.d.bind(query), args...).Scan(to...)
}

func (s *session) exec(ctx context.Context, query string, args ...any) error {
	_, err := s.tx.ExecContext(ctx, s.d.bind(query), args...)
	return err
}

func (s *session) quote(parts ...string) string { return s.db.Engine().QuoteIdent(parts...) }

// zone is how a generation of releases writes times into columns that have no
// zone.
type zone string

const (
	utc   zone = "utc"
	local zone = "local" // the time zone that the server gives Harbor's sessions
)

// moment is one reading of the server's clock.
type moment struct {
	made   time.Time // in UTC, to the millisecond
	column string    // as a column without a zone has it
}

// now reads the server's clock.
func (s *session) now(ctx context.Context, z zone) (moment, error) {
	name := "+00:00"
	if z == local {
		if err := s.scan(ctx, s.d.zone, nil, &name); err != nil {
			return moment{}, fmt.Errorf("time zone of the server: %w", err)
		}
	}
	var made string
	var m moment
	if err := s.scan(ctx, s.d.clock, []any{name}, &made, &m.column); err != nil {
		return moment{}, fmt.Errorf("clock of the server: %w", err)
	}
	var err error
	if m.made, err = time.Parse(time.RFC3339, made); err != nil {
		return moment{}, fmt.Errorf("clock of the server: %w", err)
	}
	return m, nil
}
