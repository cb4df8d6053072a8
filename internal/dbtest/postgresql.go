package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/harbordb/harbordb/database"
)

// postgreSQL is the PostgreSQL of one major.
type postgreSQL struct {
	number int
	bin    string
}

func launchPostgreSQL(o Options) (*Server, error) {
	if o.Major == 0 {
		o.Major = DefaultMajor
	}
	bin, err := postgresBin(o.Major)
	if err != nil {
		return nil, err
	}
	return launch(postgreSQL{number: o.Major, bin: bin}, o)
}

func (p postgreSQL) engine() database.Engine { return database.PostgreSQL }
func (p postgreSQL) major() int              { return p.number }
func (p postgreSQL) account() string         { return "postgres" }
func (p postgreSQL) superuser() string       { return "postgres" }
func (p postgreSQL) adminDatabase() string   { return "postgres" }

func (p postgreSQL) socket(s *Server) (string, int) { return s.dir, s.port }

// create makes the data folder and its configuration files.
func (p postgreSQL) create(s *Server) error {
	o, err := s.owner()
	if err != nil {
		return err
	}
	version, err := o.run(s.dir, filepath.Join(p.bin, "postgres"), "--version")
	if err != nil {
		return fmt.Errorf("%w: %s", err, version)
	}
	data := filepath.Join(s.dir, "data")
	err = s.fromTemplate("postgresql-"+word(version), data, func(dir string) error {
		out, err := o.run(s.dir, filepath.Join(p.bin, "initdb"), "-D", dir, "-U", p.superuser(),
			"-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
		if err != nil {
			return fmt.Errorf("initdb: %w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.configure(s, o, data); err != nil {
		return err
	}
	return p.setPassword(s, o, data)
}

// word turns a version text into a part of a file name.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

func (p postgreSQL) configure(s *Server, o owner, data string) error {
	conf := []string{
		"listen_addresses = '127.0.0.1'",
		"unix_socket_directories = '" + s.dir + "'",
		"shared_buffers = 64MB",
		"max_wal_size = 512MB",
		"autovacuum = off", // rows stay where a test put them
		"timezone = '" + timeZone(s.options, "UTC") + "'",
		"log_timezone = 'UTC'",
		"logging_collector = off",
	}
	if !s.options.Durable {
		conf = append(conf, "fsync = off", "full_page_writes = off", "synchronous_commit = off")
	}
	if s.options.Password != "" {
		conf = append(conf, "password_encryption = 'scram-sha-256'")
	}
	if c := s.options.TLS; c != nil {
		cert, key, err := c.install(o, s.dir)
		if err != nil {
			return err
		}
		conf = append(conf, "ssl = on", "ssl_cert_file = '"+cert+"'", "ssl_key_file = '"+key+"'")
	}
	conf = append(conf, s.options.Settings...)
	if err := appendLines(filepath.Join(data, "postgresql.conf"), conf); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(strings.Join(p.hba(s.options), "\n")+"\n"), 0o600)
}

func (p postgreSQL) hba(o Options) []string {
	if o.HBA != nil {
		return o.HBA
	}
	method, host := "trust", "host"
	if o.Password != "" {
		method = "scram-sha-256"
	}
	if o.RequireTLS {
		host = "hostssl"
	}
	return []string{
		"local all all " + method,
		host + " all all 127.0.0.1/32 " + method,
		"local replication all " + method,
	}
}

// setPassword sets the superuser's password in single-user mode: no moment
// passes in which the server listens without it.
func (p postgreSQL) setPassword(s *Server, o owner, data string) error {
	if s.options.Password == "" {
		return nil
	}
	if strings.ContainsAny(s.options.Password, "\n\x00") {
		return errors.New("a password of one line is needed")
	}
	script := filepath.Join(s.dir, "password.sql")
	quoted := "'" + strings.ReplaceAll(s.options.Password, "'", "''") + "'"
	statement := "ALTER ROLE " + p.superuser() + " PASSWORD " + quoted + "\n"
	if err := os.WriteFile(script, []byte(statement), 0o644); err != nil {
		return err
	}
	defer os.Remove(script)
	out, err := o.run(s.dir, "/bin/sh", "-c", `exec "$1" --single -D "$2" postgres <"$3"`, "sh",
		filepath.Join(p.bin, "postgres"), data, script)
	if err == nil && strings.Contains(out, "ERROR") {
		err = errors.New("refused")
	}
	if err != nil {
		return fmt.Errorf("set the password: %w: %s", err, out)
	}
	return nil
}

func (p postgreSQL) command(s *Server) (command, error) {
	return command{
		path: filepath.Join(p.bin, "postgres"),
		args: []string{"-D", filepath.Join(s.dir, "data"), "-p", fmt.Sprint(s.port)},
		quit: syscall.SIGINT, // fast shutdown
	}, nil
}

// dropDatabases ends the sessions first: a failed test may have left some.
func (p postgreSQL) dropDatabases(db *sql.DB, name string) error {
	rows, err := db.Query(`SELECT quote_ident(datname), datname FROM pg_database
		WHERE datname = $1 OR left(datname, length($1) + 1) = $1 || '_'`, name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var quoted, datname string
		if err := rows.Scan(&quoted, &datname); err != nil {
			return err
		}
		if err := dropDatabase(db, quoted, datname); err != nil {
			return err
		}
	}
	return rows.Err()
}

func dropDatabase(db *sql.DB, quoted, datname string) error {
	// A template cannot be dropped, and a session may come between.
	if _, err := db.Exec(`ALTER DATABASE ` + quoted + ` WITH ALLOW_CONNECTIONS false IS_TEMPLATE false`); err != nil {
		return err
	}
	return poll(func() error {
		if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, datname); err != nil {
			return err
		}
		_, err := db.Exec(`DROP DATABASE IF EXISTS ` + quoted)
		return err
	}, nil)
}

func timeZone(o Options, fallback string) string {
	if o.TimeZone == "" {
		return fallback
	}
	return o.TimeZone
}

func appendLines(name string, lines []string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	return errors.Join(err, f.Close())
}
