package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/jackc/pgx/v5"
)

// killEvery is the pause between two rounds of ending sessions. The rename
// looks every 100 ms whether it is alone; a client that reconnects in between
// must be gone by the next look.
const killEvery = 5 * time.Millisecond

// move puts one database in the place of another: live is renamed to aside,
// with to live. An empty aside means that there is no live one.
type move struct {
	live, with, aside string
	comment           string // that the database gets with its name
}

// exchange are the moves of one swap, all done or none.
type exchange []move

// swap makes the exchange in one transaction. The first rename of a database
// locks its name, so newcomers wait for the commit instead of getting in
// between.
func (s *Server) swap(ctx context.Context, moves exchange, how target.Disconnect) error {
	conn, err := connect(ctx, s.db, s.db.Settings().Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	first := moves[0]
	var oid uint32
	if err := conn.QueryRow(ctx, "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1", first.with).Scan(&oid); err != nil {
		return fmt.Errorf("find database %s: %w", first.with, err)
	}
	stop := func() {}
	if how == target.EndSessions {
		if stop, err = s.endSessions(ctx, moves.databases()...); err != nil {
			return err
		}
	}
	pid := int64(conn.PgConn().PID())
	err = moves.rename(ctx, conn)
	stop()
	if err == nil {
		return nil
	}
	// A connection that is lost at COMMIT does not tell how it ended; the
	// names do, once the server is done with it. One tells for all.
	ctx = context.WithoutCancel(ctx)
	conn.Close(ctx)
	if done, lookErr := s.isNamed(ctx, pid, oid, first.live); lookErr == nil && done {
		return nil
	}
	if sqlState(err) == "55006" { // object in use
		return s.inUse(ctx, moves, err)
	}
	return fmt.Errorf("swap database %s in as %s: %w", first.with, first.live, err)
}

// databases are all that change their names.
func (e exchange) databases() (names []string) {
	for _, m := range e {
		names = append(names, m.live, m.with)
	}
	return names
}

// rename renames in one transaction. An interrupt stops it before the commit,
// and not in the middle of it.
func (e exchange) rename(ctx context.Context, conn *pgx.Conn) error {
	if err := exec(ctx, conn.PgConn(), "BEGIN"); err != nil {
		return err
	}
	if err := e.checkAside(ctx, conn); err != nil {
		return err
	}
	for _, m := range e {
		if m.aside == "" {
			continue
		}
		if err := exec(ctx, conn.PgConn(), rename(m.live, m.aside)); err != nil {
			return err
		}
	}
	for _, m := range e {
		for _, sql := range []string{rename(m.with, m.live), commentOn(m.live, m.comment)} {
			if err := exec(ctx, conn.PgConn(), sql); err != nil {
				return err
			}
		}
	}
	return exec(context.WithoutCancel(ctx), conn.PgConn(), "COMMIT")
}

// checkAside refuses names that another restore has overtaken.
func (e exchange) checkAside(ctx context.Context, conn *pgx.Conn) error {
	names, err := query(ctx, conn, "SELECT datname FROM pg_catalog.pg_database", pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look at the names of databases: %w", err)
	}
	for _, m := range e {
		if m.aside == "" {
			continue
		}
		if err := naming.CheckAside(names, m.live, m.aside); err != nil {
			return err
		}
	}
	return nil
}

func rename(from, to string) string {
	return "ALTER DATABASE " + quote(from) + " RENAME TO " + quote(to)
}

// isNamed tells whether the database has that name, once the session is gone.
func (s *Server) isNamed(ctx context.Context, pid int64, oid uint32, name string) (is bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.awaitEnd(ctx, pid); err != nil {
		return false, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE oid = $1 AND datname = $2)",
		int64(oid), name).Scan(&is)
	return is, err
}

// endSessions ends every session on the databases, from a connection of its
// own, until stop is called.
func (s *Server) endSessions(ctx context.Context, databases ...string) (stop func(), err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close()
		tick := time.NewTicker(killEvery)
		defer tick.Stop()
		for {
			// Where this fails the rename fails, too, and says who is there.
			_ = terminate(ctx, conn, databases...)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }, nil
}

func (s *Server) inUse(ctx context.Context, moves exchange, cause error) error {
	if err := s.unused(ctx, moves.databases()...); fault.KindOf(err) == fault.Refused && err != nil {
		return err
	}
	return fault.Refusedf("database %s is in use: %w", moves[0].live, cause).WithHint("stop Harbor, or let --disconnect end its sessions")
}

// unused refuses where somebody is connected.
func (s *Server) unused(ctx context.Context, databases ...string) error {
	for _, name := range databases {
		sessions, err := s.sessions(ctx, name)
		if err != nil {
			return err
		}
		if len(sessions) > 0 {
			return refuseInUse(name, sessions)
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

// PlanRollback finds what the last restore of a database set aside.
func (s *Server) PlanRollback(ctx context.Context, name string, how target.Disconnect, only ...string) (target.Rollback, error) {
	set, err := target.LastSetAside(ctx, s.Beside, name, only...)
	if err != nil {
		return target.Rollback{}, err
	}
	var names []string
	for _, b := range set {
		names = append(names, b.Of)
	}
	if err := s.leave(ctx, names); err != nil {
		return target.Rollback{}, err
	}
	at, err := s.freeTime(ctx)
	if err != nil {
		return target.Rollback{}, err
	}
	var list []target.DatabaseRollback
	for _, b := range set {
		d, err := s.planRollback(ctx, b, how, at)
		if err != nil {
			return target.Rollback{}, err
		}
		list = append(list, d)
	}
	return target.Rollback{DatabaseRollback: list[0], Companions: list[1:]}, nil
}

func (s *Server) planRollback(ctx context.Context, b target.Beside, how target.Disconnect, at time.Time) (target.DatabaseRollback, error) {
	p := target.DatabaseRollback{Back: b, Swap: target.RenameDatabases}
	var err error
	if p.Target, err = s.look(ctx, b.Of); err != nil {
		return p, err
	}
	if p.Target.State != target.Missing {
		p.Aside = naming.Name(b.Of, target.AsideMark, at)
	}
	return p, s.checkSwap(ctx, p.Target, how)
}

// Rollback swaps what was set aside back in; the present databases are set
// aside in turn.
func (s *Server) Rollback(ctx context.Context, p target.Rollback, how target.Disconnect) error {
	var moves exchange
	for _, d := range p.All() {
		m := move{live: d.Target.Name, with: d.Back.Name, aside: d.Aside}
		err := s.db.QueryRowContext(ctx, `SELECT COALESCE(pg_catalog.shobj_description(oid, 'pg_database'), '')
			FROM pg_catalog.pg_database WHERE datname = $1`, m.with).Scan(&m.comment)
		if err != nil {
			return fmt.Errorf("look at database %s: %w", m.with, err)
		}
		moves = append(moves, m)
	}
	return s.swap(ctx, moves, how)
}

// checkSwap refuses what would make a swap fail, before the long work.
func (s *Server) checkSwap(ctx context.Context, t target.Database, how target.Disconnect) error {
	if len(t.Held) > 0 {
		return fault.Refusedf("database %s cannot be renamed: it has a %s", t.Name, t.Held[0]).
			WithHint("finish the prepared transaction, or drop the replication slot")
	}
	if how == target.Refuse && len(t.Sessions) > 0 {
		return refuseInUse(t.Name, t.Sessions)
	}
	if s.role.superuser {
		return nil
	}
	if !s.role.createDB {
		return s.refuseCreate()
	}
	return s.checkOwner(ctx, t)
}

// checkOwner refuses where the login may not rename the live database.
func (s *Server) checkOwner(ctx context.Context, t target.Database) error {
	var foreign bool
	err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_database
		WHERE datname = $1 AND NOT pg_catalog.pg_has_role(datdba, 'MEMBER'))`, t.Name).Scan(&foreign)
	if err != nil {
		return fmt.Errorf("look at the owner of database %s: %w", t.Name, err)
	}
	if foreign {
		return fault.Refusedf("database %s belongs to %s, so role %s may not rename it", t.Name, t.Owner, s.role.name).
			WithHint("connect as its owner, or GRANT %s TO %s", quote(t.Owner), quote(s.role.name))
	}
	return nil
}

func (s *Server) refuseCreate() error {
	return fault.Refusedf("role %s may neither create nor rename databases", s.role.name).
		WithHint("ALTER ROLE %s CREATEDB; or create an empty database and load into it: restore ID --as NAME", quote(s.role.name))
}
