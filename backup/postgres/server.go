package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/jackc/pgx/v5"
)

// Server is the server that a database is restored on. It is connected to
// another database than that one, which may not exist and which cannot be
// renamed by a session of its own.
type Server struct {
	db   *database.DB
	role role
}

// role is what the login may do.
type role struct {
	name                string
	superuser, createDB bool
}

// OpenServer connects to the server in settings, to any database but the one
// they name. The caller closes it.
func OpenServer(ctx context.Context, settings database.Settings) (*Server, error) {
	db, err := openBeside(ctx, settings, []string{settings.Database})
	if err != nil {
		return nil, err
	}
	return newServer(ctx, db)
}

// openBeside connects to a database of the server that is none of those named.
func openBeside(ctx context.Context, settings database.Settings, avoid []string) (*database.DB, error) {
	var last error
	for _, name := range []string{"postgres", "template1", ""} {
		if name == "" {
			var err error
			if name, err = someDatabase(ctx, settings, avoid); err != nil {
				return nil, err
			}
		}
		if slices.Contains(avoid, name) {
			continue
		}
		there := settings
		there.Database = name
		db, err := database.Open(ctx, there)
		if err == nil {
			return db, nil
		}
		if state := sqlState(err); state != "3D000" && state != "42501" && state != "28000" {
			return nil, err
		}
		last = err
	}
	return nil, fault.Hint(last, "grant the role CONNECT on a database beside %s, postgres for example", strings.Join(avoid, ", "))
}

// someDatabase finds a database that the role may connect to, from within the
// target itself.
func someDatabase(ctx context.Context, settings database.Settings, avoid []string) (string, error) {
	db, err := database.Open(ctx, settings)
	if err != nil {
		return "", err
	}
	defer db.Close()
	var name string
	err = db.QueryRowContext(ctx, `SELECT datname FROM pg_catalog.pg_database
		WHERE datallowconn AND datname <> ALL($1)
		AND datname !~ '`+target.BesideForm+`'
		AND pg_catalog.has_database_privilege(oid, 'CONNECT') ORDER BY datistemplate, datname LIMIT 1`, avoid).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.Refusedf("there is no other database to connect to while %s is renamed", strings.Join(avoid, ", ")).
			WithHint("create an empty database named postgres, or grant CONNECT on it")
	}
	if err != nil {
		return "", fmt.Errorf("look for another database: %w", err)
	}
	return name, nil
}

// leave moves the server's own connections away from databases that are to be
// renamed, and returns when they are gone: Clair's database is named postgres.
func (s *Server) leave(ctx context.Context, names []string) error {
	was := s.db
	if !slices.Contains(names, was.Settings().Database) {
		return nil
	}
	pids, err := backends(ctx, was)
	if err != nil {
		return err
	}
	db, err := openBeside(ctx, was.Settings(), names)
	if err != nil {
		return err
	}
	s.db = db
	was.Close()
	for _, pid := range pids {
		if err := s.awaitEnd(ctx, pid); err != nil {
			return err
		}
	}
	return nil
}

// backends returns the sessions that a pool has.
func backends(ctx context.Context, pool *database.DB) (pids []int64, err error) {
	var held []*sql.Conn
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	for range pool.Stats().OpenConnections {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		held = append(held, conn)
		var pid int64
		if err := conn.QueryRowContext(ctx, "SELECT pg_catalog.pg_backend_pid()").Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func newServer(ctx context.Context, db *database.DB) (*Server, error) {
	s := &Server{db: db}
	if err := db.CheckDirect(ctx); err != nil {
		db.Close()
		return nil, err
	}
	err := db.QueryRowContext(ctx, `SELECT rolname, rolsuper, rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user`).
		Scan(&s.role.name, &s.role.superuser, &s.role.createDB)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("read rights of the login: %w", err)
	}
	return s, nil
}

// Close closes the connections.
func (s *Server) Close() error { return s.db.Close() }

// System identifies the server.
func (s *Server) System(ctx context.Context) (string, error) { return s.db.SystemIdentifier(ctx) }

// look looks at the database of that name.
func (s *Server) look(ctx context.Context, name string) (target.Database, error) {
	t := target.Database{Name: name, State: target.Missing, Sessions: []target.Session{}}
	err := s.db.QueryRowContext(ctx, `SELECT pg_catalog.pg_get_userbyid(d.datdba),
		`+sizeOf+` FROM pg_catalog.pg_database d WHERE d.datname = $1`, name).Scan(&t.Owner, &t.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("look at database %s: %w", name, err)
	}
	if t.State, err = s.state(ctx, name); err != nil {
		return t, err
	}
	if t.Sessions, err = s.sessions(ctx, name); err != nil {
		return t, err
	}
	t.Held, err = s.held(ctx, name)
	return t, err
}

// anything finds relations, functions and types of users; those of extensions
// do not count, nor does the schema_migrations without a row that Harbor's
// database image makes from 1.7.0 on.
const anything = `
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relkind NOT IN ('i', 'c')
  AND c.relname <> 'schema_migrations' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'))
OR EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'))`

func (s *Server) state(ctx context.Context, name string) (state target.State, err error) {
	err = s.visit(ctx, name, func(conn *pgx.Conn) error {
		state, err = stateOf(ctx, conn, name)
		return err
	})
	return state, err
}

// visit runs do on a connection to another database and returns once the
// server has let go of it: a session that is still ending would be in the way
// of a swap, and be listed as somebody else's.
func (s *Server) visit(ctx context.Context, name string, do func(*pgx.Conn) error) error {
	conn, err := connect(ctx, s.db, name)
	if err != nil {
		return s.db.ConnectError(ctx, name, err)
	}
	pid := int64(conn.PgConn().PID())
	err = do(conn)
	conn.Close(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	return s.awaitEnd(ctx, pid)
}

// awaitEnd returns when the server has let go of a session that was closed.
func (s *Server) awaitEnd(ctx context.Context, pid int64) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		var there bool
		err := s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1)", pid).Scan(&there)
		if err != nil || !there {
			return err
		}
		<-tick.C
	}
}

func stateOf(ctx context.Context, conn *pgx.Conn, name string) (target.State, error) {
	var used bool
	if err := conn.QueryRow(ctx, anything).Scan(&used); err != nil {
		return target.Live, fmt.Errorf("look into database %s: %w", name, err)
	}
	if used {
		return target.Live, nil
	}
	tables, err := relations(ctx, conn)
	if err != nil {
		return target.Live, err
	}
	for _, t := range tables { // only schema_migrations is left
		var rows bool
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+quote(t.schema, t.name)+")").Scan(&rows)
		if err != nil {
			return target.Live, fmt.Errorf("look into database %s: %w", name, err)
		}
		if rows {
			return target.Live, nil
		}
	}
	return target.Empty, nil
}

func (s *Server) sessions(ctx context.Context, name string) ([]target.Session, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT pid, COALESCE(usename, ''), COALESCE(application_name, ''),
		COALESCE(pg_catalog.host(client_addr), ''), COALESCE(state, '')
		FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()
		AND COALESCE(usename, '') <> '' ORDER BY pid`, name)
	if err != nil {
		return nil, fmt.Errorf("list sessions on database %s: %w", name, err)
	}
	defer rows.Close()
	list := []target.Session{}
	for rows.Next() {
		var t target.Session
		if err := rows.Scan(&t.PID, &t.User, &t.Application, &t.Client, &t.State); err != nil {
			return nil, fmt.Errorf("list sessions on database %s: %w", name, err)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

func (s *Server) held(ctx context.Context, name string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1
		UNION ALL SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots WHERE database = $1`, name)
	if err != nil {
		return nil, fmt.Errorf("look for prepared transactions and replication slots: %w", err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// exec runs one statement on a connection of its own, which the statements on
// databases need: they stand outside of any transaction.
func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := connect(ctx, s.db, s.db.Settings().Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return exec(ctx, conn.PgConn(), statement)
}
