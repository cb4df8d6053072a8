package mysql

import (
	"context"
	"slices"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
)

// PlanRollback finds what the last restore of a database set aside, or a swap
// that was cut off in the middle, which a rollback undoes.
func (s *Server) PlanRollback(ctx context.Context, name string, how target.Disconnect, only ...string) (target.Rollback, error) {
	list, err := s.Beside(ctx, name)
	if err != nil {
		return target.Rollback{}, err
	}
	if refuseInterrupted(list, name) != nil {
		return s.planUndo(ctx, list, how)
	}
	set, err := target.LastSetAside(ctx, s.Beside, name, only...)
	if err != nil {
		return target.Rollback{}, err
	}
	at, err := s.freeTime(ctx)
	if err != nil {
		return target.Rollback{}, err
	}
	var back []target.DatabaseRollback
	for _, b := range set {
		d, err := s.planRollback(ctx, b, how, at)
		if err != nil {
			return target.Rollback{}, err
		}
		back = append(back, d)
	}
	return target.Rollback{DatabaseRollback: back[0], Companions: back[1:]}, nil
}

// planUndo plans to undo a swap that was cut off: of all its databases, which
// each hold its journal.
func (s *Server) planUndo(ctx context.Context, list []target.Beside, how target.Disconnect) (target.Rollback, error) {
	var undo []target.DatabaseRollback
	for _, b := range list {
		if b.Kind != target.Interrupted {
			continue
		}
		live, err := s.look(ctx, b.Of)
		if err == nil {
			err = checkSwap(live, how)
		}
		if err != nil {
			return target.Rollback{}, err
		}
		undo = append(undo, target.DatabaseRollback{Target: live, Back: b, Swap: target.MoveTables})
	}
	return target.Rollback{DatabaseRollback: undo[0], Companions: undo[1:]}, nil
}

func (s *Server) planRollback(ctx context.Context, b target.Beside, how target.Disconnect, at time.Time) (target.DatabaseRollback, error) {
	p := target.DatabaseRollback{Back: b, Swap: target.MoveTables}
	var err error
	if p.Target, err = s.look(ctx, b.Of); err != nil {
		return p, err
	}
	aside := naming.Name(b.Of, target.AsideMark, at)
	if p.Target.State == target.Live {
		p.Aside = aside
	}
	if err := s.may("replace database "+b.Of, b.Of, b.Of, b.Name, aside); err != nil {
		return p, err
	}
	return p, checkSwap(p.Target, how)
}

// Rollback swaps what was set aside back in; the present databases are set
// aside in turn.
func (s *Server) Rollback(ctx context.Context, p target.Rollback, how target.Disconnect) error {
	if p.Back.Kind == target.Interrupted {
		return s.finishInterrupted(ctx, p.Back)
	}
	w := exchange{how: how}
	for _, d := range p.All() {
		// The journal of a swap that is done would be read as that of one
		// that was cut off, once its tables have moved on.
		if _, err := s.Sweep(ctx, d.Target.Name); err != nil {
			return err
		}
		w.moves = append(w.moves, move{Live: d.Target.Name, With: d.Back.Name, Aside: d.Aside})
	}
	_, err := s.swap(ctx, w)
	return err
}

// finishInterrupted undoes a swap that was cut off in the middle. What was to
// be swapped in is as it was before: loaded, or set aside.
func (s *Server) finishInterrupted(ctx context.Context, b target.Beside) error {
	m, err := readMark(ctx, s.db, b.Name)
	if err != nil {
		return err
	}
	changed := fault.Refusedf("database %s has changed since the plan was made", b.Name)
	if m == nil || m.Swap == nil {
		return changed
	}
	locks, err := s.lockAll(ctx, m.Swap.into())
	if err != nil {
		return err
	}
	defer locks.close()
	on := locks[0]
	if m, err = readMark(ctx, on, b.Name); err != nil {
		return err
	}
	if m == nil || m.State != stateSwapping || m.Swap == nil || !slices.Contains(m.Swap.into(), b.Name) {
		return changed
	}
	var after *mark
	if m.Snapshot != "" {
		after = &mark{State: stateLoaded, Snapshot: m.Snapshot}
	}
	return s.undo(ctx, on, m.Swap, after)
}
