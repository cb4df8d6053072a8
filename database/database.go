// Package database opens the one database that a Harbor installation lives
// in: MySQL or MariaDB up to Harbor 1.5, PostgreSQL from 1.6 on.
//
// It knows connections, servers and sessions, and nothing of Harbor. The
// switch on the engine stands in Open and nowhere else: what differs further
// up is a dialect, text per engine chosen from a map by DB.Engine. It must
// never read the environment (package harbor turns settings into a Settings
// value), never print a password, and never leave a lock wait unbounded.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Engine is the SQL dialect of a server. MariaDB speaks MySQL.
type Engine string

// The engines that Harbor has used.
const (
	PostgreSQL Engine = "postgresql"
	MySQL      Engine = "mysql"
)

// Secret is a value that cannot print itself.
type Secret string

// String returns a placeholder; convert to string where the value is needed.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "********"
}

// GoString is String, so that %#v does not reveal the value either.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, so that no encoder reveals the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// TLSMode is how a connection is protected, in libpq's words; MySQL's
// settings are translated to them.
type TLSMode string

// The modes, as in libpq's sslmode.
const (
	TLSDisable    TLSMode = "disable"
	TLSAllow      TLSMode = "allow"
	TLSPrefer     TLSMode = "prefer"
	TLSRequire    TLSMode = "require"
	TLSVerifyCA   TLSMode = "verify-ca"
	TLSVerifyFull TLSMode = "verify-full"
)

// TLS are the TLS settings of a connection. CAFile adds roots to those of the
// system; a bundle may hold expired roots beside valid ones.
type TLS struct {
	Mode   TLSMode
	CAFile string
	// ExtraCAFile adds further roots: those that are meant for every
	// connection of harbordb.
	ExtraCAFile string
	CertFile    string
	KeyFile     string
}

// Settings say how to reach one database.
type Settings struct {
	Engine   Engine
	Host     string // name or address; for a unix socket, its folder (PostgreSQL) or path (MySQL)
	Port     int
	User     string
	Password Secret
	Database string
	TLS      TLS
	// LockTimeout bounds every wait for a lock in the database.
	LockTimeout time.Duration
	// Origin says for each setting that a person may ask about ("host",
	// "port", "user", "password", "database", "sslmode") where it came
	// from, such as "environment POSTGRESQL_HOST" or "default".
	Origin map[string]string
}

// String names the database for people: user, host, database, no password.
func (s Settings) String() string {
	if s.Host != "" && s.Host[0] == '/' {
		return fmt.Sprintf("%s as %s over %s", s.Database, s.User, s.Host)
	}
	return fmt.Sprintf("%s as %s on %s:%d", s.Database, s.User, s.Host, s.Port)
}

// Querier is what reads and writes rows: *sql.DB, *sql.Conn or *sql.Tx. The
// caller owns the transaction.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var (
	_ Querier = (*sql.DB)(nil)
	_ Querier = (*sql.Conn)(nil)
	_ Querier = (*sql.Tx)(nil)
)

// Server is what a server says of itself.
type Server struct {
	Product string // "PostgreSQL", "MariaDB" or "MySQL"
	Version string // as the server prints it, e.g. "15.18" or "10.11.19-MariaDB"
	// Number is the version for comparisons: PostgreSQL's
	// server_version_num (150018, 90624), else major*10000+minor*100+patch
	// (101119 for 10.11.19, 50624 for 5.6.24).
	Number int
}

// Major returns the number that names a PostgreSQL major: 9 for 9.6, 15 for
// 15.18.
func (s Server) Major() int { return s.Number / 10000 }
