package repair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// UndoPlan is what an undo would put back.
type UndoPlan struct {
	ID     ID        `json:"id"`
	Kind   Kind      `json:"kind"`
	Scope  string    `json:"scope"`
	Target Target    `json:"target"`
	Made   time.Time `json:"made"` // when the rows were read, by the server's clock, UTC
	// Rows are those that still are as the repair made them, from what they
	// are now to what they were.
	Rows []Item `json:"rows"`
	// Conflicts are rows that somebody changed or deleted since. An undo
	// is refused because of them, or leaves them as they are.
	Conflicts []Conflict `json:"conflicts"`
	// Already counts rows that are as before the repair.
	Already int    `json:"already"`
	Before  []Step `json:"before"`
	After   []Step `json:"after"`

	changes changes // reversed
}

// Empty reports whether there is nothing to put back.
func (u *UndoPlan) Empty() bool { return len(u.Rows) == 0 }

// OnConflict says what an undo does about rows that somebody changed since.
type OnConflict int

const (
	// Refuse changes nothing where there is any such row.
	Refuse OnConflict = iota
	// Skip leaves such rows as they are and puts the rest back.
	Skip
)

// PlanUndo compares the rows of a repair with its journal. The repair may be
// one whose marks are missing: the rows decide.
func PlanUndo(ctx context.Context, db *database.DB, j *Journal, id ID) (*UndoPlan, error) {
	r, err := j.load(ctx, id)
	if err != nil {
		return nil, err
	}
	here, err := targetOf(ctx, db)
	if err != nil {
		return nil, err
	}
	if !here.same(r.Plan.Target) {
		return nil, fault.Refusedf("repair %s belongs to %s, and this is %s", id, r.Plan.Target, here).
			WithHint("connect to the database that was repaired")
	}
	s, err := look(ctx, db)
	if err != nil {
		return nil, err
	}
	defer s.close()
	m, err := s.now(ctx, utc)
	if err != nil {
		return nil, err
	}
	u := &UndoPlan{ID: id, Kind: r.Plan.Kind, Scope: r.Plan.Scope, Target: here, Made: m.made,
		Rows: []Item{}, Conflicts: []Conflict{}, Before: r.Plan.Before, After: r.Plan.After}
	if r.Plan.Version != nil {
		err = u.readVersion(ctx, s, r)
	} else {
		err = u.read(ctx, s, r)
	}
	return u, explainReading(db.Engine(), err)
}

// read sorts the rows of a repair into those to put back and the others.
func (u *UndoPlan) read(ctx context.Context, s *session, r *record) error {
	n := 0
	for _, t := range r.changes.tables {
		var err error
		if t.table, err = s.present(ctx, t.table); err != nil {
			return fmt.Errorf("rows of repair %s: %w", u.ID, err)
		}
		findings, rows, err := s.compare(ctx, t, plain)
		if err != nil {
			return fmt.Errorf("rows of repair %s: %w", u.ID, err)
		}
		back := tableChanges{table: t.table}
		for i, c := range t.changes {
			switch findings[i] {
			case asAfter:
				back.changes = append(back.changes, c)
				u.Rows = append(u.Rows, r.Plan.Rows[n].reversed())
			case asBefore:
				u.Already++
			default:
				u.Conflicts = append(u.Conflicts, t.table.conflict(c.after, rows[i], findings[i]))
			}
			n++
		}
		if len(back.changes) > 0 {
			u.changes.tables = append(u.changes.tables, back.reversed())
		}
	}
	return nil
}

// reversed is the item of the undo of a row.
func (i Item) reversed() Item {
	i.From, i.To = i.To, i.From
	changes := make([]ColumnChange, len(i.Changes))
	for n, c := range i.Changes {
		changes[n] = ColumnChange{Column: c.Column, From: c.To, To: c.From}
	}
	i.Changes = changes
	return i
}

// Undo puts back every column of the rows of an UndoPlan, in one transaction,
// comparing each with the plan first. With conflicts it does so only where
// they are to be skipped. Like Apply it leaves nothing half done, and a process
// that is killed on the way leaves a journal from which the rows tell the
// rest.
func Undo(ctx context.Context, db *database.DB, j *Journal, u *UndoPlan, conflicts OnConflict) (Result, error) {
	if len(u.Conflicts) > 0 && conflicts == Refuse {
		return Result{}, fault.Refusedf("undo of repair %s: rows were changed since: %s", u.ID, describe(u.Conflicts)).
			WithHint("nothing was changed; --skip-changed leaves these rows as they are and puts the others back")
	}
	if u.Empty() {
		return Result{ID: u.ID, Skipped: len(u.Conflicts), Warnings: []string{}}, nil
	}
	m := mark{Time: u.Made, Rows: len(u.Rows) + u.Already, Skipped: len(u.Conflicts)}
	if err := j.mark(ctx, u.ID, undoingName, m); err != nil {
		return Result{}, fmt.Errorf("nothing was changed: %w", err)
	}
	done, err := changeover{db: db, changes: u.changes}.run(ctx)
	if err == nil {
		m.Time = done
		return j.undone(ctx, u, m), nil
	}
	if errors.Is(err, errUnknown) {
		return j.settleUndo(ctx, db, u, m, err)
	}
	return Result{}, errors.Join(err, j.notUndone(ctx, u.ID))
}

// settleUndo finds out whether a COMMIT whose answer was lost took place.
func (j *Journal) settleUndo(ctx context.Context, db *database.DB, u *UndoPlan, m mark, cause error) (Result, error) {
	state, err := u.changes.settle(ctx, db)
	switch state {
	case Committed:
		return j.undone(ctx, u, m), nil
	case NotCommitted:
		return Result{}, errors.Join(fmt.Errorf("nothing was changed: %w", cause), j.notUndone(ctx, u.ID))
	}
	return Result{}, fault.Failedf("the undo of repair %s may or may not be made: %w", u.ID, errors.Join(cause, err)).
		WithHint("harbordb repair ls looks at the rows and says which, as soon as the database can be reached")
}

func (j *Journal) undone(ctx context.Context, u *UndoPlan, m mark) Result {
	result := Result{ID: u.ID, Rows: len(u.Rows), Skipped: m.Skipped, Warnings: []string{}}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := j.mark(ctx, u.ID, undoneName, m); err != nil {
		result.Warnings = append(result.Warnings, fmt.Sprintf(
			"the rows are put back, but the mark in the journal is not written: %v; harbordb repair ls tells it from the rows", err))
	}
	return result
}

// notUndone takes back the mark of an undo that changed nothing.
func (j *Journal) notUndone(ctx context.Context, id ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := j.store.Delete(ctx, id.key(undoingName)); err != nil {
		return fmt.Errorf("the mark of the undo could not be removed: %w", err)
	}
	return nil
}
