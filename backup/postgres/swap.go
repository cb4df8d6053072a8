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

// swap puts one database in the place of another in one transaction: live is
// renamed to aside, with to live. An empty aside means that there is no live
// one. The first rename locks the name, so newcomers wait for the commit
// instead of getting in between.
func (s *Server) swap(ctx context.Context, live, with, aside string, how target.Disconnect, comment string) error {
	conn, err := connect(ctx, s.db, s.db.Settings().Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var oid uint32
	if err := conn.QueryRow(ctx, "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1", with).Scan(&oid); err != nil {
		return fmt.Errorf("find database %s: %w", with, err)
	}
	stop := func() {}
	if how == target.EndSessions {
		if stop, err = s.endSessions(ctx, live, with); err != nil {
			return err
		}
	}
	pid := int64(conn.PgConn().PID())
	err = renameBoth(ctx, conn, live, with, aside, comment)
	stop()
	if err == nil {
		return nil
	}
	// A connection that is lost at COMMIT does not tell how it ended; the
	// names do, once the server is done with it.
	ctx = context.WithoutCancel(ctx)
	conn.Close(ctx)
	if done, lookErr := s.isNamed(ctx, pid, oid, live); lookErr == nil && done {
		return nil
	}
	if sqlState(err) == "55006" { // object in use
		return s.inUse(ctx, live, with, err)
	}
	return fmt.Errorf("swap database %s in as %s: %w", with, live, err)
}

// renameBoth renames in one transaction. An interrupt stops it before the
// commit, and not in the middle of it.
func renameBoth(ctx context.Context, conn *pgx.Conn, live, with, aside, comment string) error {
	statements := []string{"BEGIN"}
	if aside != "" {
		statements = append(statements, rename(live, aside))
	}
	for _, sql := range append(statements, rename(with, live), commentOn(live, comment)) {
		if err := exec(ctx, conn.PgConn(), sql); err != nil {
			return err
		}
	}
	return exec(context.WithoutCancel(ctx), conn.PgConn(), "COMMIT")
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

func (s *Server) inUse(ctx context.Context, live, with string, cause error) error {
	for _, name := range []string{live, with} {
		sessions, err := s.sessions(ctx, name)
		if err == nil && len(sessions) > 0 {
			return refuseInUse(name, sessions)
		}
	}
	return fault.Refusedf("database %s is in use: %w", live, cause).WithHint("stop Harbor, or let --disconnect end its sessions")
}

func refuseInUse(name string, sessions []target.Session) error {
	text := sessions[0].String()
	if len(sessions) > 1 {
		text += fmt.Sprintf(" and %d more", len(sessions)-1)
	}
	return fault.Refusedf("database %s is in use: %s", name, text).
		WithHint("stop Harbor first, or let --disconnect end the sessions at the moment of the swap")
}

// PlanRollback finds the newest database that was set aside.
func (s *Server) PlanRollback(ctx context.Context, name string, how target.Disconnect) (target.Rollback, error) {
	live, err := s.look(ctx, name)
	if err != nil {
		return target.Rollback{}, err
	}
	list, err := s.Beside(ctx, name)
	if err != nil {
		return target.Rollback{}, err
	}
	p := target.Rollback{Target: live}
	for _, b := range list {
		if b.Kind == target.SetAside {
			p.Back = b
		}
	}
	if p.Back.Name == "" {
		return target.Rollback{}, fault.Refusedf("nothing was set aside beside database %s", name).
			WithHint("harbordb snapshots ls shows the snapshots that can be restored")
	}
	if live.State != target.Missing {
		now, err := s.now(ctx)
		if err != nil {
			return target.Rollback{}, err
		}
		p.Aside = besideName(name, asideMark, now)
	}
	return p, s.checkSwap(ctx, live, how)
}

// Rollback swaps what was set aside back in; the present database is set
// aside in turn.
func (s *Server) Rollback(ctx context.Context, p target.Rollback, how target.Disconnect) error {
	var comment string
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE(pg_catalog.shobj_description(oid, 'pg_database'), '')
		FROM pg_catalog.pg_database WHERE datname = $1`, p.Back.Name).Scan(&comment)
	if err != nil {
		return fmt.Errorf("look at database %s: %w", p.Back.Name, err)
	}
	return s.swap(ctx, p.Target.Name, p.Back.Name, p.Aside, how, comment)
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
