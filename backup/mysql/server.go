package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// Server is the server that a database is restored on. Its own connections
// are to no database.
type Server struct {
	db     *database.DB
	rights rights
}

var _ target.Server = (*Server)(nil)

// OpenServer connects to the server in settings; the database that they name
// need not exist. The caller closes it.
func OpenServer(ctx context.Context, settings database.Settings) (*Server, error) {
	settings.Database = ""
	db, err := database.Open(ctx, settings)
	if err != nil {
		return nil, err
	}
	s := &Server{db: db}
	if s.rights, err = readRights(ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the connections.
func (s *Server) Close() error { return s.db.Close() }

// System identifies the server.
func (s *Server) System(ctx context.Context) (string, error) { return s.db.SystemIdentifier(ctx) }

// here is the server as something to render a model for.
func (s *Server) here() mymodel.Target {
	return mymodel.Target{Product: s.db.Server().Product, Number: s.db.Server().Number}
}

// exists tells whether there is a database of exactly that name.
func (s *Server) exists(ctx context.Context, name string) (bool, error) {
	list, err := texts(ctx, s.db, "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?", name)
	if err != nil {
		return false, fmt.Errorf("look for database %s: %w", name, err)
	}
	return len(list) > 0, nil
}

const contents = `SELECT COALESCE((SELECT CAST(SUM(COALESCE(data_length, 0) + COALESCE(index_length, 0)) AS SIGNED)
  FROM information_schema.tables WHERE table_schema = ?), 0),
(SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?)
+ (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = ?)
+ (SELECT COUNT(*) FROM information_schema.events WHERE event_schema = ?)`

// look looks at the database of that name.
func (s *Server) look(ctx context.Context, name string) (target.Database, error) {
	t := target.Database{Name: name, State: target.Missing, Sessions: []target.Session{}}
	there, err := s.exists(ctx, name)
	if err != nil || !there {
		return t, err
	}
	var objects int64
	if err := s.db.QueryRowContext(ctx, contents, name, name, name, name).Scan(&t.Bytes, &objects); err != nil {
		return t, fmt.Errorf("look at database %s: %w", name, err)
	}
	t.State = target.Empty
	if objects > 0 {
		t.State = target.Live
	}
	if t.Sessions, err = s.sessions(ctx, name); err != nil {
		return t, err
	}
	t.Held, err = s.held(ctx, name)
	return t, err
}

// sessions lists those that have the database as their own. Without the right
// PROCESS only those of the same user are seen.
func (s *Server) sessions(ctx context.Context, name string) ([]target.Session, error) {
	lines, err := texts(ctx, s.db, `SELECT id, COALESCE(user, ''), COALESCE(host, ''), LOWER(command)
		FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID() ORDER BY id`, name)
	if err != nil {
		return nil, fmt.Errorf("list sessions on database %s: %w", name, err)
	}
	list := []target.Session{}
	for _, line := range lines {
		pid, err := strconv.ParseInt(line[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("list sessions on database %s: %w", name, err)
		}
		list = append(list, target.Session{PID: pid, User: line[1], Client: line[2], State: line[3]})
	}
	return list, nil
}

// held names the foreign keys of other databases: they would follow the old
// tables to where these are set aside.
func (s *Server) held(ctx context.Context, name string) ([]string, error) {
	lines, err := texts(ctx, s.db, `SELECT DISTINCT constraint_schema, table_name FROM information_schema.key_column_usage
		WHERE referenced_table_schema = ? AND table_schema <> referenced_table_schema ORDER BY 1, 2`, name)
	if err != nil {
		return nil, fmt.Errorf("look for foreign keys of other databases: %w", err)
	}
	var list []string
	for _, line := range lines {
		list = append(list, "foreign key of table "+line[0]+"."+line[1])
	}
	return list, nil
}

// Beside lists the databases beside name, and those that the same restores
// have made beside others, oldest first.
func (s *Server) Beside(ctx context.Context, name string) ([]target.Beside, error) {
	lines, err := texts(ctx, s.db, "SELECT schema_name FROM information_schema.schemata")
	if err != nil {
		return nil, fmt.Errorf("list databases beside %s: %w", name, err)
	}
	names := []string{name}
	for _, line := range lines {
		if !target.IsBeside(line[0]) {
			names = append(names, line[0])
		}
	}
	var all []target.Beside
	forms := map[string]string{}
	for _, line := range lines {
		if of, form, at, ok := naming.LiveOf(line[0], names); ok {
			all = append(all, target.Beside{Name: line[0], Of: of, Time: at})
			forms[line[0]] = form
		}
	}
	list := []target.Beside{}
	for _, b := range target.Concerning(all, name) {
		if err := s.classify(ctx, &b, forms[b.Name]); err != nil {
			return nil, err
		}
		if b.Kind != "" {
			list = append(list, b)
		}
	}
	return list, nil
}

// classify decides by name and mark both. A database with a loading name but
// without our mark was killed between its creation and its mark, or is
// somebody else's: it is not ours to drop.
func (s *Server) classify(ctx context.Context, b *target.Beside, form string) error {
	t, err := s.look(ctx, b.Name)
	if err != nil {
		return err
	}
	b.Bytes = t.Bytes
	m, err := readMark(ctx, s.db, b.Name)
	if err != nil {
		return err
	}
	busy, err := locked(ctx, s.db, b.Name)
	if err != nil {
		return err
	}
	switch {
	case m == nil && form == target.AsideMark:
		b.Kind = target.SetAside
		if t.State == target.Empty {
			b.Kind = target.Dead // of a swap that was killed before it began
		}
		return nil
	case m == nil:
		return nil
	}
	b.Snapshot = m.Snapshot
	switch {
	case busy:
		b.Kind = target.Loading
	case m.State == stateLoaded:
		b.Kind = target.Loaded
	case m.State == stateSwapping && m.Swap != nil:
		b.Kind = target.Interrupted
		done, err := s.swapDone(ctx, m.Swap)
		if done {
			b.Kind = target.Dead // all is moved, only its mark is left
		}
		return err
	default:
		b.Kind = target.Dead
	}
	return nil
}

// Sweep drops what killed restores and drills left beside name and returns it.
func (s *Server) Sweep(ctx context.Context, name string) ([]target.Beside, error) {
	list, err := s.Beside(ctx, name)
	if err != nil {
		return nil, err
	}
	var swept []target.Beside
	for _, b := range list {
		if b.Kind != target.Dead {
			continue
		}
		if err := s.drop(ctx, b.Name); err != nil {
			return swept, err
		}
		swept = append(swept, b)
	}
	return swept, nil
}

// drop drops a database of ours. A killed restore's session may still be
// building an index in it: it is ended.
func (s *Server) drop(ctx context.Context, name string) error {
	list, err := s.sessions(ctx, name)
	if err != nil {
		return err
	}
	for _, session := range list {
		_, _ = s.db.ExecContext(ctx, "KILL CONNECTION "+strconv.FormatInt(session.PID, 10)) // it may have ended by itself
	}
	if _, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+mymodel.QuoteIdent(name)); err != nil {
		return fault.Hint(fmt.Errorf("drop database %s: %w", name, err), "drop it by hand: DROP DATABASE %s", mymodel.QuoteIdent(name))
	}
	return nil
}

// Discard drops a database that Beside found.
func (s *Server) Discard(ctx context.Context, b target.Beside) error {
	list, err := s.Beside(ctx, b.Of)
	if err != nil {
		return err
	}
	if err := refuseInterrupted(list, b.Of); err != nil {
		return err
	}
	// The journal of a swap that is done must not outlive what it speaks of.
	if _, err := s.Sweep(ctx, b.Of); err != nil {
		return err
	}
	sessions, err := s.sessions(ctx, b.Name)
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		return fault.Refusedf("database %s is in use: %s", b.Name, sessions[0])
	}
	return s.drop(ctx, b.Name)
}

// refuseInterrupted: while a swap is cut in half, the databases beside the
// live one hold some of its tables.
func refuseInterrupted(list []target.Beside, name string) error {
	for _, b := range list {
		if b.Kind == target.Interrupted {
			return fault.Refusedf("a swap of database %s with %s was cut off in the middle", name, b.Name).
				WithHint("harbordb restore --rollback puts everything back to where it was")
		}
	}
	return nil
}

func refuseInUse(name string, sessions []target.Session) error {
	text := sessions[0].String()
	if len(sessions) > 1 {
		text += fmt.Sprintf(" and %d more", len(sessions)-1)
	}
	return fault.Refusedf("database %s is in use: %s", name, text).
		WithHint("stop Harbor first, or let --disconnect end the sessions at the moment of the swap")
}

// restoreRights are what it takes to fill a database and to move its tables.
var restoreRights = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES",
	"CREATE VIEW", "SHOW VIEW", "TRIGGER"}

// may refuses where the login lacks a right on one of the databases.
func (s *Server) may(doing, name string, databases ...string) error {
	for _, on := range databases {
		missing := s.rights.missing(on, restoreRights...)
		if len(missing) == 0 {
			continue
		}
		scope := escapedName(name) + ".*"
		if on != name {
			scope = strings.TrimSuffix(escapedName(name), "`") + "\\_%`.*"
		}
		return s.rights.refuse(doing, scope, missing)
	}
	return nil
}
