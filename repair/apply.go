package repair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// ErrStale says that a row is not what the plan says. Nothing was changed.
var ErrStale = errors.New("the database changed since the plan was made")

// Result says what Apply or Undo did.
type Result struct {
	ID   ID  `json:"id,omitempty"` // empty where there was nothing to do
	Rows int `json:"rows"`         // rows written
	// Skipped are rows that an undo left alone because somebody changed
	// them.
	Skipped int `json:"skipped"`
	// Warnings are what went wrong after the COMMIT: the repair is done.
	Warnings []string `json:"warnings"`
}

// guard is a condition on rows or sessions that are not in the plan. It is
// asked in the transaction, when the planned rows are locked and nothing is
// written.
type guard func(ctx context.Context, s *session) error

// Apply carries a plan out, all of it or nothing: the journal first, durable;
// then one transaction, in which every row is locked, compared with the plan
// and written; then the journal's mark. It returns ErrStale, in a
// fault, where a row is no longer what the plan says. When it returns an error
// nothing was changed, with one exception that the error names: where the
// connection broke during COMMIT and the rows could not be asked since. A plan
// without changes is no repair, and makes no entry in the journal.
func Apply(ctx context.Context, db *database.DB, j *Journal, p *Plan) (Result, error) {
	if p.Empty() {
		return Result{}, nil
	}
	r, err := j.begin(ctx, p)
	if err != nil {
		return Result{}, fault.Hint(fmt.Errorf("nothing was changed: %w", err), "check the store (--store); a repair is only made when its journal is safe")
	}
	c := changeover{db: db, changes: p.changes(), guards: p.guards}
	done, err := c.run(ctx)
	if errors.Is(err, errUnknown) {
		return j.settle(ctx, db, r, err)
	}
	if err != nil {
		return Result{}, errors.Join(err, j.remove(ctx, r.ID))
	}
	return j.committed(ctx, r, done), nil
}

// committed marks a repair whose COMMIT the server has confirmed.
func (j *Journal) committed(ctx context.Context, r *record, done time.Time) Result {
	result := Result{ID: r.ID, Rows: r.Rows, Warnings: []string{}}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := j.mark(ctx, r.ID, committedName, mark{Time: done, Rows: r.Rows}); err != nil {
		result.Warnings = append(result.Warnings, fmt.Sprintf(
			"the repair is made, but its mark in the journal is not: %v; harbordb repair ls tells it from the rows", err))
	}
	return result
}

// errUnknown says that the connection broke during COMMIT.
var errUnknown = errors.New("the connection broke during COMMIT")

// settle finds out whether a COMMIT whose answer was lost took place.
func (j *Journal) settle(ctx context.Context, db *database.DB, r *record, cause error) (Result, error) {
	state, err := r.changes.settle(ctx, db)
	switch state {
	case Committed:
		return j.committed(ctx, r, r.Plan.Made), nil
	case NotCommitted:
		return Result{}, errors.Join(fmt.Errorf("nothing was changed: %w", cause), j.remove(ctx, r.ID))
	}
	return Result{}, fault.Failedf("repair %s may or may not be made: %w", r.ID, errors.Join(cause, err)).
		WithHint("harbordb repair ls looks at the rows and says which, as soon as the database can be reached")
}

// settleTime bounds how long the rows are asked after a broken COMMIT.
const settleTime = time.Minute

// settle asks the rows, and locks them, so that the server is done by then with
// the transaction in question. Without an answer the changes stay Unsettled.
func (c changes) settle(ctx context.Context, db *database.DB) (State, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	n, err := c.count(ctx, db, held)
	switch {
	case err == nil && n.after > 0:
		return Committed, nil
	case err == nil && n.before > 0:
		return NotCommitted, nil
	}
	return Unsettled, err
}

// changeover is one transaction that takes the database from the before to the
// after of changes.
type changeover struct {
	db *database.DB
	changes
	guards []guard
}

func (c changeover) dialect() *dialect { return dialects[c.db.Engine()] }

// run returns the server's time of the change. An error that is errUnknown is
// the only one after which the rows may be changed.
func (c changeover) run(ctx context.Context) (time.Time, error) {
	if c.version != nil {
		return c.runVersion(ctx)
	}
	s, off, err := c.open(ctx)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return time.Time{}, c.explain(err)
	}
	m, err := c.change(ctx, s)
	if err == nil {
		err = s.holdOn(ctx, off)
	}
	if err == nil {
		err = ctx.Err() // the last moment to stop
	}
	if err != nil {
		return time.Time{}, c.explain(err)
	}
	if err := s.tx.Commit(); err != nil {
		if s.d.trouble(err) == unknown {
			return time.Time{}, fmt.Errorf("%w: %w", errUnknown, err)
		}
		return time.Time{}, c.explain(fmt.Errorf("commit: %w", err))
	}
	return m.made, nil
}

// change locks, compares, asks the guards, writes and verifies. All rows are
// locked before the first is written, in the order of their tables and keys.
func (c changeover) change(ctx context.Context, s *session) (moment, error) {
	if err := c.transactional(ctx, s); err != nil {
		return moment{}, err
	}
	for _, t := range c.tables {
		if err := s.expect(ctx, t, asBefore, held); err != nil {
			return moment{}, err
		}
	}
	for _, g := range c.guards {
		if err := g(ctx, s); err != nil {
			return moment{}, err
		}
	}
	for _, t := range c.tables {
		if err := s.write(ctx, t); err != nil {
			return moment{}, err
		}
	}
	for _, t := range c.tables {
		if err := s.verify(ctx, t); err != nil {
			return moment{}, err
		}
	}
	return s.now(ctx, utc)
}

// verify reads again what was written: a trigger, a rule or a column type that
// somebody made could have made something else of it, and an undo would not
// know the rows any more.
func (s *session) verify(ctx context.Context, t tableChanges) error {
	list, err := s.conflicts(ctx, t, asAfter, plain)
	if err != nil || list == nil {
		return err
	}
	for i := range list {
		list[i].Found = "not what was written"
	}
	return fault.Refusedf("nothing was changed: %s", describe(list)).
		WithHint("a trigger, a rule or a column type that is not Harbor's changes what is written; take it away for the time of the repair")
}

// transactional refuses tables that an error would leave half written.
func (c changeover) transactional(ctx context.Context, s *session) error {
	if s.d.untransactional == "" {
		return nil
	}
	for _, t := range c.tables {
		var engine string
		err := s.scan(ctx, s.d.untransactional, []any{t.table.Schema, t.table.Name}, &engine)
		if err == nil {
			return fault.Refusedf("table %s has the storage engine %s, which has no transactions", t.table.Name, engine).
				WithHint("convert it first: alter table %s engine = InnoDB", t.table.Name)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("storage engine of %s: %w", t.table.Name, err)
		}
	}
	return nil
}

// expect fails where a row does not stand as it should.
func (s *session) expect(ctx context.Context, t tableChanges, want finding, lock rowLock) error {
	list, err := s.conflicts(ctx, t, want, lock)
	if err != nil || list == nil {
		return err
	}
	return fault.Refusedf("%w: %s", ErrStale, describe(list)).WithHint("%s", staleHint)
}

// staleHint: whoever changes rows that are stuck is jobservice as a rule.
const staleHint = "nothing was changed; make sure that jobservice is stopped, and run the command again to see the rows as they are now"

// conflicts are the rows that do not stand as they should.
func (s *session) conflicts(ctx context.Context, t tableChanges, want finding, lock rowLock) ([]Conflict, error) {
	findings, rows, err := s.compare(ctx, t, lock)
	if err != nil {
		return nil, err
	}
	var list []Conflict
	for i, f := range findings {
		if f != want {
			side := t.changes[i].before
			if want == asAfter {
				side = t.changes[i].after
			}
			list = append(list, t.table.conflict(side, rows[i], f))
		}
	}
	return list, nil
}
