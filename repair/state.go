package repair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// State is what became of a repair.
type State string

// The states.
const (
	Committed    State = "committed"
	NotCommitted State = "not committed"
	Undone       State = "undone"
	PartlyUndone State = "partly undone"
	// Unsettled is a repair whose process ended between two marks of the
	// journal, and whose rows have not been asked yet.
	Unsettled State = "unsettled"
	// Unclear is one whose rows have been asked, and none of them is what
	// it was before the repair or after it.
	Unclear State = "unclear"
	// Damaged is one whose journal cannot be read.
	Damaged State = "damaged"
)

// Entry is one repair in the journal.
type Entry struct {
	ID     ID        `json:"id"`
	Kind   Kind      `json:"kind"`
	Scope  string    `json:"scope"`
	Target Target    `json:"target"`
	Made   time.Time `json:"made"`
	Tool   string    `json:"tool"`
	Rows   int       `json:"rows"`
	State  State     `json:"state"`
	// Detail says how the state is known, Next what can be done.
	Detail string `json:"detail,omitempty"`
	Next   string `json:"next,omitempty"`
}

// List returns all repairs in the journal, oldest first, with the states that
// their marks show. It needs no database; Settle asks one about those that are
// unsettled.
func (j *Journal) List(ctx context.Context) ([]Entry, error) {
	ids, err := j.ids(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(ids))
	for _, id := range ids {
		r, err := j.head(ctx, id)
		switch {
		case err == nil:
			entries = append(entries, r.entry())
		case ctx.Err() != nil || errors.Is(err, blobstore.ErrDenied):
			return nil, err
		default:
			entries = append(entries, Entry{ID: id, State: Damaged, Detail: err.Error(), Next: fault.HintOf(err)})
		}
	}
	return entries, nil
}

// entry is what the marks show.
func (r *record) entry() Entry {
	e := Entry{ID: r.ID, Kind: r.Plan.Kind, Scope: r.Plan.Scope, Target: r.Plan.Target,
		Made: r.Plan.Made, Tool: r.Tool, Rows: r.Rows, State: Unsettled}
	undoing, began := r.marks[undoingName]
	undone, ended := r.marks[undoneName]
	_, committed := r.marks[committedName]
	switch {
	case began && (!ended || undone.Time.Before(undoing.Time)):
		e.Detail = "an undo ended between its journal and its mark"
	case ended && undone.Skipped > 0:
		e.State = PartlyUndone
		e.Detail = fmt.Sprintf("%d of %d rows, by %s", undone.Rows, r.Rows, undone.Time.Format(time.RFC3339))
		e.Next = "harbordb repair undo " + string(r.ID) + " for rows that are as the repair made them again"
	case ended:
		e.State = Undone
		e.Detail = "on " + undone.Time.Format(time.RFC3339)
	case committed:
		e.State = Committed
		e.Next = "harbordb repair undo " + string(r.ID)
	default:
		e.Detail = "the repair ended between its journal and its mark, or is at work right now"
	}
	if e.State == Unsettled {
		e.Next = "harbordb repair ls with a connection to " + r.Plan.Target.Database + " looks at the rows"
	}
	return e
}

// tally counts rows by how they stand against a repair.
type tally struct{ before, after, otherwise, missing int }

func (t *tally) add(findings []finding) {
	for _, f := range findings {
		switch f {
		case asBefore:
			t.before++
		case asAfter:
			t.after++
		case missing:
			t.missing++
		default:
			t.otherwise++
		}
	}
}

// String is the tally for people.
func (t tally) String() string {
	var list []string
	for _, part := range []struct {
		n    int
		what finding
	}{{t.before, asBefore}, {t.after, asAfter}, {t.otherwise, otherwise}, {t.missing, missing}} {
		if part.n > 0 {
			list = append(list, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return "rows: " + strings.Join(list, ", ")
}

// count asks the rows. Held, it waits for whoever writes them, and lets go of
// them again.
func (c changes) count(ctx context.Context, db *database.DB, lock rowLock) (tally, error) {
	if c.version != nil {
		return c.version.count(ctx, db, lock)
	}
	opts := reading()
	if lock == held {
		opts = nil
	}
	s, err := begin(ctx, db, opts, db.Settings().LockTimeout)
	if err != nil {
		return tally{}, err
	}
	defer s.close()
	var n tally
	for _, t := range c.tables {
		if t.table, err = s.present(ctx, t.table); err != nil {
			return tally{}, err
		}
		findings, _, err := s.compare(ctx, t, lock)
		if err != nil {
			return tally{}, err
		}
		n.add(findings)
	}
	return n, nil
}

// Settle asks the rows what became of an unsettled repair; it changes nothing.
// Every other entry comes back as it is.
func (j *Journal) Settle(ctx context.Context, db *database.DB, e Entry) (Entry, error) {
	if e.State != Unsettled {
		return e, nil
	}
	here, err := targetOf(ctx, db)
	if err != nil {
		return e, err
	}
	if !here.same(e.Target) {
		e.Next = fmt.Sprintf("it belongs to %s; connect to that", e.Target)
		return e, nil
	}
	r, err := j.load(ctx, e.ID)
	if err != nil {
		return e, err
	}
	n, err := r.changes.count(ctx, db, plain)
	if err != nil {
		return e, fmt.Errorf("rows of repair %s: %w", e.ID, err)
	}
	_, undo := r.marks[undoingName]
	return e.settled(n, undo), nil
}

// settled is the entry after a look at the rows. A repair is all or nothing:
// one row that shows it shows all of it.
func (e Entry) settled(n tally, undo bool) Entry {
	e.Detail = n.String()
	switch {
	case undo && n.before > 0 && n.after+n.otherwise+n.missing > 0:
		e.State, e.Next = PartlyUndone, "harbordb repair undo "+string(e.ID)+" for rows that are as the repair made them again"
	case undo && n.before > 0:
		e.State, e.Next = Undone, ""
	case n.after > 0:
		e.State, e.Next = Committed, "harbordb repair undo "+string(e.ID)
	case n.before > 0:
		e.State, e.Next = NotCommitted, "nothing was changed; unless it is at work right now, run the repair again"
	default:
		e.State, e.Next = Unclear, "somebody changed all of its rows since; harbordb repair show "+string(e.ID)+" lists what they were"
	}
	return e
}

// Show returns one repair with all its rows; LeftAlone and the conditions of
// the plan are not kept.
func (j *Journal) Show(ctx context.Context, id ID) (Entry, *Plan, error) {
	r, err := j.load(ctx, id)
	if err != nil {
		return Entry{}, nil, err
	}
	r.Plan.LeftAlone = []Item{}
	return r.entry(), r.Plan, nil
}
