package mysql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
)

// killEvery is the pause between two rounds of ending sessions.
const killEvery = 5 * time.Millisecond

// errHalf: the tables are moved, and something after them failed.
var errHalf = errors.New("the tables are swapped, and not all views and triggers are made again")

// exchange says which databases change places, all or none.
type exchange struct {
	moves []move // names alone: prepare reads what they move
	how   target.Disconnect
	after *mark // what each With is again if the swap fails; nil for no mark
}

// swap puts the tables of databases in the place of others' with one RENAME
// TABLE, which is done whole or not at all as long as the server lives. Views
// and triggers cannot be renamed into another database: they are dropped
// before it and made again after it. All of it is written down first, in the
// databases that go away.
func (s *Server) swap(ctx context.Context, w exchange) (notes []string, err error) {
	on, err := connect(ctx, s.db, "")
	if err != nil {
		return nil, err
	}
	defer on.close()
	locks, err := s.lockAll(ctx, (&journal{w.moves}).into())
	if err != nil {
		return nil, err
	}
	defer locks.close()
	j, err := s.prepare(ctx, on, w)
	if err != nil {
		return nil, err
	}
	stop := func() {}
	if w.how == target.EndSessions {
		if stop, err = s.endSessions(ctx, on, j.databases()...); err != nil {
			return nil, errors.Join(err, s.undo(ctx, on, j, w.after))
		}
	}
	defer stop()
	if err := s.move(ctx, on, j); err != nil {
		// A connection that is lost does not tell how the statement ended;
		// the names do.
		if tables, _, lookErr := s.places(context.WithoutCancel(ctx), j); lookErr != nil || !j.moved(tables) {
			stop()
			err = fmt.Errorf("swap database %s in as %s: %w", j.Moves[0].With, j.Moves[0].Live, err)
			return nil, s.explain(ctx, j, errors.Join(err, s.undo(ctx, on, j, w.after)))
		}
	}
	return s.complete(context.WithoutCancel(ctx), on, j)
}

// sessions are connections that are closed together.
type sessions []*session

func (list sessions) close() {
	for _, s := range list {
		s.close()
	}
}

// lockAll says that we are at work on databases, over a session for each: on
// MySQL 5.6 a session has one such lock.
func (s *Server) lockAll(ctx context.Context, names []string) (sessions, error) {
	var list sessions
	for _, name := range names {
		lock, err := connect(ctx, s.db, "")
		if err == nil {
			list = append(list, lock)
			err = lock.takeLock(ctx, name)
		}
		if err != nil {
			list.close()
			return nil, err
		}
	}
	return list, nil
}

// prepare writes the journal and makes the databases that the tables go to.
func (s *Server) prepare(ctx context.Context, on *session, w exchange) (*journal, error) {
	j := &journal{}
	for _, m := range w.moves {
		if err := s.readMove(ctx, on, &m); err != nil {
			return nil, err
		}
		j.Moves = append(j.Moves, m)
	}
	// Aside first: if there is a database of that name, its tables must not
	// be taken for those of the swap.
	if err := s.makeAside(ctx, on, j); err != nil {
		return nil, err
	}
	m := mark{State: stateSwapping, Swap: j}
	if w.after != nil {
		m.Snapshot = w.after.Snapshot
	}
	err := on.writeMarks(ctx, j.into(), m)
	for _, m := range j.Moves {
		if err == nil {
			err = on.exec(ctx, "CREATE DATABASE IF NOT EXISTS "+databaseForm(m.Live, m.In.Database))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the swap: %w", err), s.undo(ctx, on, j, w.after))
	}
	return j, nil
}

// readMove reads what has to move for one database.
func (s *Server) readMove(ctx context.Context, on *session, m *move) error {
	there, err := s.exists(ctx, m.Live)
	if err != nil {
		return err
	}
	if m.In, err = s.readHalf(ctx, on, m.With); err != nil {
		return err
	}
	m.Out.Database = m.In.Database
	if there {
		if m.Out, err = s.readHalf(ctx, on, m.Live); err != nil {
			return err
		}
	}
	if m.Aside == "" && len(m.Out.Tables)+len(m.Out.Views) > 0 {
		return fault.Refusedf("database %s was empty and is not any more", m.Live)
	}
	return nil
}

// makeAside makes the databases that the live tables go to: all, or none.
func (s *Server) makeAside(ctx context.Context, on *session, j *journal) error {
	if err := s.checkAside(ctx, j); err != nil {
		return err
	}
	var made []string
	for _, m := range j.Moves {
		if m.Aside == "" {
			continue
		}
		err := on.exec(ctx, "CREATE DATABASE "+databaseForm(m.Aside, m.Out.Database))
		if err == nil {
			made = append(made, m.Aside)
			continue
		}
		err = fmt.Errorf("create database %s: %w", m.Aside, err)
		for _, name := range made {
			err = errors.Join(err, s.dropEmptied(ctx, name))
		}
		return err
	}
	return nil
}

// checkAside refuses names that another restore has overtaken.
func (s *Server) checkAside(ctx context.Context, j *journal) error {
	names, err := s.databaseNames(ctx)
	if err != nil {
		return err
	}
	for _, m := range j.Moves {
		if m.Aside == "" {
			continue
		}
		if err := naming.CheckAside(names, m.Live, m.Aside); err != nil {
			return err
		}
	}
	return nil
}

// databases are all whose tables move.
func (j *journal) databases() (names []string) {
	for _, m := range j.Moves {
		names = append(names, m.Live, m.With)
	}
	return names
}

// move is the swap itself.
func (s *Server) move(ctx context.Context, on *session, j *journal) error {
	for _, m := range j.Moves {
		if err := m.Out.dropPrograms(ctx, on, m.Live); err != nil {
			return err
		}
		if err := m.In.dropPrograms(ctx, on, m.With); err != nil {
			return err
		}
	}
	if err := on.exec(ctx, "SET SESSION foreign_key_checks = 0"); err != nil {
		return err
	}
	if sql := renames(j.forward()); sql != "" {
		return on.exec(ctx, sql)
	}
	return nil
}

// complete does what follows the rename. The old data is safe and the new is
// live: nothing here undoes that.
func (s *Server) complete(ctx context.Context, on *session, j *journal) (notes []string, err error) {
	if on.PingContext(ctx) != nil { // lost at the rename
		if on, err = connect(ctx, s.db, ""); err != nil {
			return nil, fmt.Errorf("%w: %w", errHalf, err)
		}
		defer on.close()
	}
	for _, m := range j.Moves {
		if err := m.finish(ctx, on); err != nil {
			return nil, fault.Hint(fmt.Errorf("%w: %w", errHalf, err), "harbordb restore --rollback puts everything back to where it was")
		}
	}
	for _, name := range j.into() {
		if err := s.dropEmptied(ctx, name); err != nil {
			notes = append(notes, err.Error())
		}
	}
	return notes, nil
}

// finish gives the new live database its character set, and both their views
// and triggers.
func (m *move) finish(ctx context.Context, on *session) error {
	err := on.exec(ctx, "ALTER DATABASE "+databaseForm(m.Live, m.In.Database))
	if err == nil {
		err = m.In.makePrograms(ctx, on, m.Live)
	}
	if err == nil && m.Aside != "" {
		err = m.Out.makePrograms(ctx, on, m.Aside)
	}
	return err
}

// dropEmptied drops a database whose tables have moved away, unless somebody
// has put others there.
func (s *Server) dropEmptied(ctx context.Context, name string) error {
	var others int
	row := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name <> ?", name, markTable)
	if err := row.Scan(&others); err != nil {
		return fmt.Errorf("look at database %s: %w", name, err)
	}
	if others > 0 {
		return fmt.Errorf("database %s was left in place: it holds %d tables that are not of the restore", name, others)
	}
	return s.drop(ctx, name)
}

// undo puts everything back to where it was before the swap, whatever part of
// it was done.
func (s *Server) undo(ctx context.Context, on *session, j *journal, after *mark) error {
	ctx = context.WithoutCancel(ctx)
	if on.PingContext(ctx) != nil {
		var err error
		if on, err = connect(ctx, s.db, ""); err != nil {
			return err
		}
		defer on.close()
	}
	tables, _, err := s.places(ctx, j)
	if err != nil {
		return err
	}
	var made []move // the live database is there; else nothing of it can have moved
	for _, m := range j.Moves {
		there, err := s.exists(ctx, m.Live)
		if err != nil {
			return err
		}
		if there {
			made = append(made, m)
		}
	}
	steps := []func() error{func() error { return clearWay(ctx, on, made) }}
	if sql := renames((&journal{made}).backward(tables)); sql != "" {
		steps = append(steps, func() error { return on.exec(ctx, sql) })
	}
	for _, m := range made {
		steps = append(steps,
			func() error { return on.exec(ctx, "ALTER DATABASE "+databaseForm(m.Live, m.Out.Database)) },
			func() error { return m.Out.makePrograms(ctx, on, m.Live) },
			func() error { return m.In.makePrograms(ctx, on, m.With) })
	}
	steps = append(steps, func() error { return s.unprepare(ctx, on, j, after) })
	for _, step := range steps {
		if err := step(); err != nil {
			return fault.Hint(fmt.Errorf("undo the swap: %w", err), "harbordb restore --rollback tries it again; nothing is lost")
		}
	}
	return nil
}

// clearWay drops views and triggers from wherever a swap can have made them.
func clearWay(ctx context.Context, on *session, moves []move) error {
	for _, m := range moves {
		for _, drop := range []struct {
			half *half
			in   string
		}{{&m.In, m.Live}, {&m.Out, m.Live}, {&m.In, m.With}, {&m.Out, m.Aside}} {
			if drop.in == "" {
				continue
			}
			if err := drop.half.dropPrograms(ctx, on, drop.in); err != nil {
				return err
			}
		}
	}
	return on.exec(ctx, "SET SESSION foreign_key_checks = 0")
}

func (s *Server) unprepare(ctx context.Context, on *session, j *journal, after *mark) error {
	for _, m := range j.Moves {
		if m.Aside == "" {
			continue
		}
		if err := s.dropEmptied(ctx, m.Aside); err != nil {
			return err
		}
	}
	if after != nil {
		return on.writeMarks(ctx, j.into(), *after)
	}
	for _, name := range j.into() {
		if err := dropMark(ctx, on, name); err != nil {
			return err
		}
	}
	return nil
}

// explain says who was in the way of the rename.
func (s *Server) explain(ctx context.Context, j *journal, err error) error {
	if number(err) != errLockWaitTimeout {
		return err
	}
	for _, m := range j.Moves {
		sessions, lookErr := s.sessions(context.WithoutCancel(ctx), m.Live)
		if lookErr == nil && len(sessions) > 0 {
			return refuseInUse(m.Live, sessions)
		}
	}
	return fault.Refusedf("%w", err).WithHint("stop Harbor, or let --disconnect end its sessions")
}

// endSessions ends every session on the databases, from a connection of its
// own, until stop is called. Stop may be called twice.
func (s *Server) endSessions(ctx context.Context, spare *session, databases ...string) (stop func(), err error) {
	conn, err := connect(ctx, s.db, "")
	if err != nil {
		return nil, err
	}
	own, err := spare.texts(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		conn.close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.close()
		tick := time.NewTicker(killEvery)
		defer tick.Stop()
		for {
			for _, name := range databases {
				// What may not be ended stays in the way, and then the rename
				// says so.
				list, _ := conn.texts(ctx, `SELECT id FROM information_schema.processlist
					WHERE db = ? AND id <> CONNECTION_ID() AND id <> ?`, name, own[0][0])
				for _, line := range list {
					_ = conn.exec(ctx, "KILL CONNECTION "+line[0])
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }, nil
}

// mayKill refuses where the login cannot end the sessions of others.
func (s *Server) mayKill(name string, sessions []target.Session) error {
	for _, right := range []string{"SUPER", "CONNECTION ADMIN", "CONNECTION_ADMIN"} {
		if s.rights.may(right, name) {
			return nil
		}
	}
	for _, t := range sessions {
		if t.User != s.rights.user {
			return s.rights.refuse("end "+t.String(), "*.*", []string{"SUPER"})
		}
	}
	return nil
}

// checkSwap refuses what would make a swap fail, before the long work.
func checkSwap(t target.Database, how target.Disconnect) error {
	if len(t.Held) > 0 {
		return fault.Refusedf("the tables of database %s cannot be moved: there is a %s", t.Name, t.Held[0]).
			WithHint("drop the foreign key, and make it again afterwards")
	}
	if how == target.Refuse && len(t.Sessions) > 0 {
		return refuseInUse(t.Name, t.Sessions)
	}
	return nil
}
