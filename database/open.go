package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/internal/fault"
)

// defaultLockTimeout bounds lock waits where the settings name no bound.
const defaultLockTimeout = 30 * time.Second

// connectTimeout bounds one attempt to reach a server, TLS and login included.
const connectTimeout = 15 * time.Second

// DB is an open database: the pool of database/sql, and what is known of the
// server behind it. Every session of the pool waits for locks no longer than
// Settings.LockTimeout, runs in UTC, and is called harbordb where the server
// lists sessions. DB is safe for concurrent use; the caller closes it.
type DB struct {
	*sql.DB
	settings Settings
	server   Server
	dialect  dialect
}

// Open connects to the database that settings describe and asks the server
// what it is. Nothing but settings decides how: no environment, no file that
// they do not name. An error says who, where and why, never the password, and
// hints at what to look at; a server that is too old for any Harbor is refused.
func Open(ctx context.Context, settings Settings) (*DB, error) {
	if settings.LockTimeout <= 0 {
		settings.LockTimeout = defaultLockTimeout
	}
	var connector driver.Connector
	var d dialect
	var err error
	switch settings.Engine {
	case PostgreSQL:
		d = postgresDialect
		connector, err = postgresConnector(settings)
	case MySQL:
		d = mysqlDialect
		connector, err = mysqlConnector(settings)
	default:
		return nil, fault.Usagef("database engine %q: it is postgresql or mysql", settings.Engine)
	}
	if err != nil {
		return nil, err
	}
	db := &DB{DB: sql.OpenDB(connector), settings: settings, dialect: d}
	if err := db.meet(ctx); err != nil {
		_ = db.Close() // no session was of any use
		return nil, err
	}
	return db, nil
}

// meet makes the first connection and reads the server's version.
func (db *DB) meet(ctx context.Context) error {
	// The MySQL driver itself would wait for ever for a server that accepts
	// and says nothing; two attempts, because TLS may fall back to none.
	limited, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	err := db.PingContext(limited)
	if err != nil {
		return connectError(ctx, db.settings, err)
	}
	if db.server, err = db.dialect.server(ctx, db.DB); err != nil {
		return fmt.Errorf("read the version of the server at %s: %w", db.settings, err)
	}
	if oldest := db.dialect.oldest; db.server.Number < oldest.Number {
		return fault.Refusedf("%s: %s %s is older than %s %s, the oldest that Harbor ran on",
			db.settings, db.server.Product, db.server.Version, oldest.Product, oldest.Version)
	}
	return nil
}

// Engine returns which dialect the server speaks.
func (db *DB) Engine() Engine { return db.settings.Engine }

// Server returns what the server said of itself when it was opened.
func (db *DB) Server() Server { return db.server }

// Settings returns what Open was given, with the defaults filled in.
func (db *DB) Settings() Settings { return db.settings }

// PostgreSQLConfig returns the configuration of a raw connection to a database
// on the same server, with the same login, TLS and timeouts as the pool's; an
// empty name means the database that was opened. The caller may change it
// before use. It holds the password and must not be printed.
func (db *DB) PostgreSQLConfig(database string) (*pgx.ConnConfig, error) {
	if db.settings.Engine != PostgreSQL {
		return nil, fmt.Errorf("%s is no PostgreSQL database", db.settings)
	}
	return postgresConfig(db.settings.named(database))
}

// MySQLConfig is PostgreSQLConfig for MySQL and MariaDB.
func (db *DB) MySQLConfig(database string) (*mysql.Config, error) {
	if db.settings.Engine != MySQL {
		return nil, fmt.Errorf("%s is no MySQL database", db.settings)
	}
	return mysqlConfig(db.settings.named(database))
}

func (s Settings) named(database string) Settings {
	if database != "" {
		s.Database = database
	}
	return s
}

// OpenOther opens another database on the same server with the same settings.
func (db *DB) OpenOther(ctx context.Context, database string) (*DB, error) {
	return Open(ctx, db.settings.named(database))
}

// ConnectError explains an error of a connection that was made from a
// configuration of PostgreSQLConfig or MySQLConfig, as Open does for its own.
func (db *DB) ConnectError(ctx context.Context, database string, err error) error {
	if err == nil {
		return nil
	}
	return connectError(ctx, db.settings.named(database), err)
}
