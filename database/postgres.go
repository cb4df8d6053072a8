package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/harbordb/harbordb/internal/fault"
)

var postgresDialect = dialect{
	oldest: Server{Product: "PostgreSQL", Version: "9.6", Number: 90600},
	server: postgresServer,
	clock:  `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`,
	identity: []string{
		`select system_identifier::text from pg_control_system()`,
	},
	databaseSize: `select pg_database_size(current_database())`,
	tableSizes: `select n.nspname, c.relname, pg_total_relation_size(c.oid)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%'
		order by 3 desc, 1, 2 limit $1`,
	pooled:     postgresPooled,
	unknowable: postgresUnknowable,
}

func postgresServer(ctx context.Context, q Querier) (Server, error) {
	s := Server{Product: "PostgreSQL"}
	var number string
	err := q.QueryRowContext(ctx, `select current_setting('server_version'), current_setting('server_version_num')`).
		Scan(&s.Version, &number)
	if err != nil {
		return Server{}, err
	}
	// Distributions add their package: "15.18 (Debian 15.18-0+deb12u1)".
	s.Version, _, _ = strings.Cut(s.Version, " ")
	s.Number, err = strconv.Atoi(number)
	return s, err
}

// postgresUnknowable: pg_control_system is new in 9.6 and some clouds keep it
// from their customers.
func postgresUnknowable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42501" || pg.Code == "42883" || pg.Code == "0A000")
}

func postgresConnector(s Settings) (driver.Connector, error) {
	config, err := postgresConfig(s)
	if err != nil {
		return nil, err
	}
	return stdlib.GetConnector(*config), nil
}

// isolated is a connection string that names every setting that pgx would
// otherwise take from the environment (PGHOST and the rest), from files in the
// home folder, or from the operating system's account. The host is a socket,
// for which pgx looks at no TLS setting. postgresConfig then replaces all of
// it. PGSERVICE alone cannot be overridden: with it set, a service file is
// read, and one that is missing is an error here. cmd/harbordb takes it out of
// the process's environment.
const isolated = `host=/ port=5432 user=- password=- database=- passfile=/dev/null sslmode=disable sslcertmode=allow ` +
	`sslnegotiation=postgres connect_timeout=0 target_session_attrs=any ` +
	`min_protocol_version=3.0 max_protocol_version=3.0 channel_binding=prefer require_auth=''`

// postgresConfig describes a connection by the settings alone.
func postgresConfig(s Settings) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(isolated)
	if err != nil {
		return nil, fault.Failedf("prepare a connection to %s: %w", s, err).
			WithHint("the environment variable PGSERVICE gets in the way; unset it")
	}
	if s.Port < 1 || s.Port > math.MaxUint16 {
		return nil, fault.Usagef("port %d of %s: it is 1 to %d", s.Port, s.Host, math.MaxUint16)
	}
	config.Host, config.Port = s.Host, uint16(s.Port)
	config.User, config.Password = s.User, string(s.Password)
	config.Database = s.Database
	config.ConnectTimeout = connectTimeout
	config.DialFunc = dialer().DialContext
	config.RuntimeParams = map[string]string{
		"application_name": applicationName,
		"client_encoding":  "UTF8",
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		return pinSession(ctx, conn, s)
	}
	config.Fallbacks, config.TLSConfig = nil, nil
	// Without a cache of prepared statements, a migration or a restore that
	// changes a table under us cannot make a statement fail.
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	return config, postgresTLS(config, s)
}

// postgresTLS sets what is tried in which order, as libpq does it for each
// sslmode. A unix socket has no TLS.
func postgresTLS(config *pgx.ConnConfig, s Settings) error {
	mode := s.TLS.Mode
	if mode == TLSDisable || isSocket(s.Host) {
		return nil
	}
	secure, err := s.TLS.config(s.Host)
	if err != nil {
		return err
	}
	plain := &pgconn.FallbackConfig{Host: config.Host, Port: config.Port}
	switch mode {
	case TLSAllow:
		config.Fallbacks = []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: secure}}
	case TLSPrefer, "":
		config.TLSConfig = secure
		config.Fallbacks = []*pgconn.FallbackConfig{plain}
	default:
		config.TLSConfig = secure
	}
	return nil
}

// pinSession sets what every session of ours needs. A connection pooler that
// changes sessions between transactions would hand these settings to Harbor:
// there they are left out, and CheckDirect says so to who depends on them.
func pinSession(ctx context.Context, conn *pgconn.PgConn, s Settings) error {
	same, err := sameBackend(ctx, conn)
	if err != nil || !same {
		return err
	}
	timeout := s.LockTimeout
	if timeout <= 0 {
		timeout = defaultLockTimeout
	}
	return conn.Exec(ctx, fmt.Sprintf(
		"set lock_timeout = %d; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set timezone = 'UTC'; set datestyle = 'ISO'",
		min(max(timeout.Milliseconds(), 1), math.MaxInt32))).Close()
}

// sameBackend compares the process that the server announced at login with the
// one that answers. A pooler announces one of its own making.
func sameBackend(ctx context.Context, conn *pgconn.PgConn) (bool, error) {
	results, err := conn.Exec(ctx, "select pg_backend_pid()").ReadAll()
	if err != nil {
		return false, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return false, errors.New("pg_backend_pid() returned no row")
	}
	return string(results[0].Rows[0][0]) == strconv.FormatUint(uint64(conn.PID()), 10), nil
}

func postgresPooled(ctx context.Context, conn *sql.Conn) (bool, error) {
	pooled := false
	err := conn.Raw(func(raw any) error {
		same, err := sameBackend(ctx, raw.(*stdlib.Conn).Conn().PgConn())
		pooled = !same
		return err
	})
	return pooled, err
}

// CheckDirect refuses a connection that goes through a connection pooler such
// as pgbouncer: locks, session settings and snapshots belong to a session of
// the server, and a pooler does not promise that one statement runs in the
// session of the one before.
func (db *DB) CheckDirect(ctx context.Context) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return connectError(ctx, db.settings, err)
	}
	defer conn.Close()
	pooled, err := db.dialect.pooled(ctx, conn)
	if err != nil {
		return fmt.Errorf("find out whether %s is reached directly: %w", db.settings, err)
	}
	if pooled {
		return fault.Refusedf("%s is reached through a connection pooler", db.settings).
			WithHint("name the database server itself; its own port is usually 5432, where pgbouncer's is 6432")
	}
	return nil
}
