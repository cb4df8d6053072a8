// Package dbtest starts real database servers for tests: PostgreSQL 10 to 18,
// MariaDB and MySQL 5.6, each in a folder of its own under /tmp, reachable over
// a unix socket and on 127.0.0.1 alone.
//
// Only tests import it. It must never touch a server that it did not start,
// never leave one behind (a watchdog outlives the test process for just that),
// and never let a test pass because a server is missing: what is not installed
// is a failure that names the command that installs it.
//
// A package that needs servers has one TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
//
// PostgreSQL, PostgreSQLMajor, MariaDB and MySQL56 return servers that all
// tests of the binary share; a test takes a database of its own with
// CreateDatabase. What restarts, kills or configures a server starts one for
// itself with StartPostgreSQL or StartMariaDB.
package dbtest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/canary"
)

// DefaultMajor is the PostgreSQL major that PostgreSQL starts.
const DefaultMajor = 15

// startTimeout bounds the wait for a server to come up or go down.
const startTimeout = 60 * time.Second

// lockTimeout is what Settings carry: long enough for a busy machine.
const lockTimeout = 30 * time.Second

// Server is one running server. Its methods may be called from several tests
// at once, except Restart, Stop and Kill.
type Server struct {
	product product
	options Options
	dir     string // 0711, short: a socket path has at most 107 bytes
	port    int
	process *process
}

// Options describe a server that a test starts for itself. The zero value is a
// server like the shared ones.
type Options struct {
	// Major is the PostgreSQL major, 10 to 18; 0 means DefaultMajor.
	Major int
	// Password, if not empty, has canary.New in it and is required of the superuser over the socket
	// and over TCP (PostgreSQL: scram-sha-256).
	Password string
	// TLS is the server's certificate; nil means no TLS. The server's own
	// authority is what TCP settings trust.
	TLS *Certificate
	// RequireTLS makes PostgreSQL and MariaDB refuse TCP connections without
	// TLS.
	RequireTLS bool
	// TimeZone is the server's default time zone, such as "Asia/Shanghai"
	// or, for MariaDB, "+08:00". The default is UTC.
	TimeZone string
	// Settings are further lines of postgresql.conf ("max_connections = 5"),
	// or command line options of mariadbd ("--lower-case-table-names=1").
	Settings []string
	// HBA replaces PostgreSQL's pg_hba.conf.
	HBA []string
	// DiskMB, if not 0, puts the data on a disk of that many megabytes
	// that is gone when the server stops: such a server cannot be restarted.
	// An empty PostgreSQL takes some 25, MariaDB 40.
	DiskMB int
	// Durable keeps fsync on, for tests that kill the server.
	Durable bool
}

// product is what differs from one database server to another.
type product interface {
	engine() database.Engine
	major() int
	// account is the system's account that runs the server when we are root.
	account() string
	// create makes the data folder below the server's dir.
	create(s *Server) error
	// command is the server in the foreground, logging to the server's log.
	command(s *Server) (command, error)
	// socket is the Host and Port of a connection over the unix socket.
	socket(s *Server) (host string, port int)
	superuser() string
	// adminDatabase is one that always exists.
	adminDatabase() string
	// dropDatabases drops every database named name or name_….
	dropDatabases(db *sql.DB, name string) error
}

// Settings are the superuser's settings over the unix socket. An empty dbname
// means the database that always exists ("postgres" or "mysql").
func (s *Server) Settings(dbname string) database.Settings {
	set := s.settings(dbname)
	set.Host, set.Port = s.product.socket(s)
	return set
}

// TCP are the superuser's settings over 127.0.0.1; with TLS, in the mode
// verify-full.
func (s *Server) TCP(dbname string) database.Settings {
	set := s.settings(dbname)
	set.Host, set.Port = "127.0.0.1", s.port
	if s.options.TLS != nil {
		set.TLS = database.TLS{Mode: database.TLSVerifyFull, CAFile: s.options.TLS.Authority.File}
	}
	return set
}

func (s *Server) settings(dbname string) database.Settings {
	if dbname == "" {
		dbname = s.product.adminDatabase()
	}
	return database.Settings{
		Engine:      s.product.engine(),
		User:        s.product.superuser(),
		Password:    database.Secret(s.options.Password),
		Database:    dbname,
		TLS:         database.TLS{Mode: database.TLSDisable},
		LockTimeout: lockTimeout,
	}
}

// Engine is the server's engine.
func (s *Server) Engine() database.Engine { return s.product.engine() }

// Major is the server's major version: 15 for PostgreSQL 15.18, 10 for
// MariaDB 10.11, 5 for MySQL 5.6.
func (s *Server) Major() int { return s.product.major() }

// Dir is the folder that the server lives in; it is gone when the server is.
func (s *Server) Dir() string { return s.dir }

// Pid is the process ID of the server's main process, 0 when it is down.
func (s *Server) Pid() int { return s.process.pid() }

func (s *Server) owner() (owner, error) { return findOwner(s.product.account()) }

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// CreateDatabase creates an empty database with a name of its own. When the
// test ends it is dropped, with every database whose name begins with that
// name and an underscore.
func (s *Server) CreateDatabase(t testing.TB) database.Settings {
	t.Helper()
	name := "t" + random()
	s.Exec(t, "", "CREATE DATABASE "+name)
	s.DropDatabase(t, name)
	return s.Settings(name)
}

// DropDatabase arranges that the databases name and name_… are dropped when
// the test ends, whether they exist by then or not.
func (s *Server) DropDatabase(t testing.TB, name string) {
	t.Cleanup(func() {
		if s.Pid() == 0 || s.options.DiskMB > 0 {
			return // the data goes with the server; a full disk takes no DROP
		}
		db, err := open(s.Settings(""))
		if err != nil {
			t.Errorf("drop database %s: %v", name, err)
			return
		}
		defer db.Close()
		if err := s.product.dropDatabases(db, name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
}

// Open opens dbname as superuser over the unix socket; it is closed when the
// test ends.
func (s *Server) Open(t testing.TB, dbname string) *sql.DB {
	t.Helper()
	return Open(t, s.Settings(dbname))
}

// Open opens a database with a plain driver, not through package database. It
// is closed when the test ends.
func Open(t testing.TB, settings database.Settings) *sql.DB {
	t.Helper()
	db, err := open(settings)
	if err != nil {
		t.Fatalf("open %s: %v", settings, err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Exec runs a script of statements in dbname as superuser.
func (s *Server) Exec(t testing.TB, dbname, script string) {
	t.Helper()
	Exec(t, s.Settings(dbname), script)
}

// Restart stops the server, if it runs, and starts it on the same data, port
// and socket.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if s.options.DiskMB > 0 {
		t.Fatal("a server on a disk of its own cannot be restarted: its data went with it")
	}
	if err := s.process.stop(); err != nil {
		t.Fatalf("stop the server: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatalf("start the server again: %v", err)
	}
}

// Stop shuts the server down; Restart brings it back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.process.stop(); err != nil {
		t.Fatalf("stop the server: %v", err)
	}
}

// Kill ends the server and all its processes with SIGKILL; Restart brings it
// back, through crash recovery.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.process.kill(); err != nil {
		t.Fatalf("kill the server: %v", err)
	}
}

// random is a short name that no other test uses.
func random() string {
	b := make([]byte, 5)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// launch makes a server and starts it.
func launch(p product, o Options) (*Server, error) {
	if o.Password != "" && !canary.Is(o.Password) {
		return nil, errors.New("a password of a test server comes from canary.New: it has to be found wherever it leaks to")
	}
	s := &Server{product: p, options: o}
	if err := s.build(); err != nil {
		return nil, fmt.Errorf("start %s %d: %w", p.engine(), p.major(), err)
	}
	return s, nil
}
