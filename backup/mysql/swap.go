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

// swapping says which databases change places.
type swapping struct {
	live, with string
	aside      string // empty where the live database holds nothing
	how        target.Disconnect
	after      *mark // what with is again if the swap fails; nil for no mark
}

// swap puts the tables of one database in the place of another's with one
// RENAME TABLE, which is done whole or not at all as long as the server lives.
// Views and triggers cannot be renamed into another database: they are dropped
// before it and made again after it. All of it is written down first, in the
// database that goes away.
func (s *Server) swap(ctx context.Context, w swapping) (notes []string, err error) {
	on, err := connect(ctx, s.db, "")
	if err != nil {
		return nil, err
	}
	defer on.close()
	j, err := s.prepare(ctx, on, w)
	if err != nil {
		return nil, err
	}
	stop := func() {}
	if w.how == target.EndSessions {
		if stop, err = s.endSessions(ctx, on, w.live, w.with); err != nil {
			return nil, errors.Join(err, s.undo(ctx, on, j, w.after))
		}
	}
	defer stop()
	if err := s.move(ctx, on, j); err != nil {
		// A connection that is lost does not tell how the statement ended;
		// the names do.
		if tables, _, lookErr := s.places(context.WithoutCancel(ctx), j); lookErr != nil || !j.moved(tables) {
			stop()
			err = fmt.Errorf("swap database %s in as %s: %w", w.with, w.live, err)
			return nil, s.explain(ctx, w, errors.Join(err, s.undo(ctx, on, j, w.after)))
		}
	}
	return s.complete(context.WithoutCancel(ctx), on, j)
}

// prepare writes the journal and makes the databases that the tables go to.
func (s *Server) prepare(ctx context.Context, on *session, w swapping) (*journal, error) {
	if err := on.takeLock(ctx, w.with); err != nil {
		return nil, err
	}
	j := &journal{Live: w.live, With: w.with, Aside: w.aside}
	there, err := s.exists(ctx, w.live)
	if err != nil {
		return nil, err
	}
	if j.In, err = s.readHalf(ctx, on, w.with); err != nil {
		return nil, err
	}
	j.Out.Database = j.In.Database
	if there {
		if j.Out, err = s.readHalf(ctx, on, w.live); err != nil {
			return nil, err
		}
	}
	if w.aside == "" && len(j.Out.Tables)+len(j.Out.Views) > 0 {
		return nil, fault.Refusedf("database %s was empty and is not any more", w.live)
	}
	// Aside first: if there is a database of that name, its tables must not
	// be taken for those of the swap.
	if w.aside != "" {
		if err := on.exec(ctx, databaseStatement("CREATE", w.aside, j.Out.Database)); err != nil {
			return nil, fmt.Errorf("create database %s: %w", w.aside, err)
		}
	}
	m := mark{State: stateSwapping, Swap: j}
	if w.after != nil {
		m.Snapshot = w.after.Snapshot
	}
	err = writeMark(ctx, on, w.with, m)
	if err == nil && !there {
		err = on.exec(ctx, databaseStatement("CREATE", w.live, j.In.Database))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the swap: %w", err), s.undo(ctx, on, j, w.after))
	}
	return j, nil
}

// move is the swap itself.
func (s *Server) move(ctx context.Context, on *session, j *journal) error {
	if err := j.Out.dropPrograms(ctx, on, j.Live); err != nil {
		return err
	}
	if err := j.In.dropPrograms(ctx, on, j.With); err != nil {
		return err
	}
	if err := on.exec(ctx, "SET SESSION foreign_key_checks = 0"); err != nil {
		return err
	}
	if sql := renames(j.forward()); sql != "" {
		return on.exec(ctx, sql)
	}
	return nil
}

// moved tells whether the one RENAME TABLE was done.
func (j *journal) moved(tables map[[2]string]bool) bool {
	for _, t := range j.In.Tables {
		if tables[[2]string{j.With, t}] || !tables[[2]string{j.Live, t}] {
			return false
		}
	}
	return true
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
	err = on.exec(ctx, databaseStatement("ALTER", j.Live, j.In.Database))
	if err == nil {
		err = j.In.makePrograms(ctx, on, j.Live)
	}
	if err == nil && j.Aside != "" {
		err = j.Out.makePrograms(ctx, on, j.Aside)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("%w: %w", errHalf, err), "harbordb restore --rollback puts everything back to where it was")
	}
	if err := s.dropEmptied(ctx, j.With); err != nil {
		notes = append(notes, err.Error())
	}
	return notes, nil
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
	if there, err := s.exists(ctx, j.Live); err != nil || !there {
		return errors.Join(err, s.unprepare(ctx, on, j, after)) // it was not even made
	}
	tables, _, err := s.places(ctx, j)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return j.In.dropPrograms(ctx, on, j.Live) },
		func() error { return j.Out.dropPrograms(ctx, on, j.Live) },
		func() error { return j.In.dropPrograms(ctx, on, j.With) },
		func() error { return on.exec(ctx, "SET SESSION foreign_key_checks = 0") },
	}
	if j.Aside != "" {
		steps = append(steps, func() error { return j.Out.dropPrograms(ctx, on, j.Aside) })
	}
	if sql := renames(j.backward(tables)); sql != "" {
		steps = append(steps, func() error { return on.exec(ctx, sql) })
	}
	steps = append(steps,
		func() error { return on.exec(ctx, databaseStatement("ALTER", j.Live, j.Out.Database)) },
		func() error { return j.Out.makePrograms(ctx, on, j.Live) },
		func() error { return j.In.makePrograms(ctx, on, j.With) },
		func() error { return s.unprepare(ctx, on, j, after) },
	)
	for _, step := range steps {
		if err := step(); err != nil {
			return fault.Hint(fmt.Errorf("undo the swap: %w", err), "harbordb restore --rollback tries it again; nothing is lost")
		}
	}
	return nil
}

func (s *Server) unprepare(ctx context.Context, on *session, j *journal, after *mark) error {
	if j.Aside != "" {
		if err := s.dropEmptied(ctx, j.Aside); err != nil {
			return err
		}
	}
	if after == nil {
		return dropMark(ctx, on, j.With)
	}
	return writeMark(ctx, on, j.With, *after)
}

// explain says who was in the way of the rename.
func (s *Server) explain(ctx context.Context, w swapping, err error) error {
	if number(err) != errLockWaitTimeout {
		return err
	}
	sessions, lookErr := s.sessions(context.WithoutCancel(ctx), w.live)
	if lookErr == nil && len(sessions) > 0 {
		return refuseInUse(w.live, sessions)
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

// PlanRollback finds the newest database that was set aside, or a swap that
// was cut off in the middle, which a rollback undoes.
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
		if b.Kind == target.SetAside && p.Back.Kind != target.Interrupted || b.Kind == target.Interrupted {
			p.Back = b
		}
	}
	if p.Back.Name == "" {
		return target.Rollback{}, fault.Usagef("nothing was set aside beside database %s", name).
			WithHint("harbordb snapshots ls shows the snapshots that can be restored")
	}
	if p.Back.Kind == target.SetAside && live.State == target.Live {
		if p.Aside, err = s.freeName(ctx, name, asideMark); err != nil {
			return target.Rollback{}, err
		}
	}
	if err := s.may("replace database "+name, name, name, p.Back.Name, besideName(name, asideMark, p.Back.Time)); err != nil {
		return p, err
	}
	return p, checkSwap(live, how)
}

// Rollback swaps what was set aside back in; the present database is set
// aside in turn.
func (s *Server) Rollback(ctx context.Context, p target.Rollback, how target.Disconnect) error {
	if p.Back.Kind == target.Interrupted {
		return s.finishInterrupted(ctx, p.Back)
	}
	_, err := s.swap(ctx, swapping{live: p.Target.Name, with: p.Back.Name, aside: p.Aside, how: how})
	return err
}

// finishInterrupted undoes a swap that was cut off in the middle. What was to
// be swapped in is as it was before: loaded, or set aside.
func (s *Server) finishInterrupted(ctx context.Context, b target.Beside) error {
	on, err := connect(ctx, s.db, "")
	if err != nil {
		return err
	}
	defer on.close()
	if err := on.takeLock(ctx, b.Name); err != nil {
		return err
	}
	m, err := readMark(ctx, on, b.Name)
	if err != nil {
		return err
	}
	if m == nil || m.State != stateSwapping || m.Swap == nil || m.Swap.With != b.Name {
		return fault.Refusedf("database %s has changed since the plan was made", b.Name)
	}
	var after *mark
	if m.Snapshot != "" {
		after = &mark{State: stateLoaded, Snapshot: m.Snapshot}
	}
	return s.undo(ctx, on, m.Swap, after)
}
