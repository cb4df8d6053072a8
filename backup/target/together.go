package target

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// Member is one database of a restore, on its way beside the live one.
type Member interface {
	Name() string // of the live database, or of the one to load into
	Plan() DatabasePlan
	// Fill fills and compares the database. Where it fails, what it made is
	// gone again or is named in the error.
	Fill(ctx context.Context, report progress.Reporter) error
	// Abandon drops what Fill has made.
	Abandon(ctx context.Context) error
	// Notes are what the server refused and nothing depends on.
	Notes() []string
}

// Together are the databases of one restore, planned: what is done with them
// alike on every engine. How they are swapped in is the engine's own.
type Together[M Member] struct {
	Snapshot  snapshots.ID
	Options   Options
	Databases []M
}

// In says at which database something failed, where there are several.
func (r *Together[M]) In(d M, err error) error {
	if err == nil || len(r.Options.Companions) == 0 {
		return err
	}
	return fmt.Errorf("restore database %s: %w", d.Name(), err)
}

// Plan returns what the restore will do.
func (r *Together[M]) Plan() Plan {
	p := Plan{Snapshot: r.Snapshot, Mode: r.Options.Mode, DatabasePlan: r.Databases[0].Plan()}
	for _, d := range r.Databases[1:] {
		p.Companions = append(p.Companions, d.Plan())
	}
	return p
}

// Load fills and compares the databases. Where it fails, what it made is gone
// again or is named in the error; the live databases are not touched.
func (r *Together[M]) Load(ctx context.Context, report progress.Reporter) error {
	for i, d := range r.Databases {
		err := r.In(d, d.Fill(ctx, report))
		if err == nil {
			continue
		}
		for _, loaded := range r.Databases[:i] {
			err = errors.Join(err, loaded.Abandon(context.WithoutCancel(ctx)))
		}
		return err
	}
	return nil
}

// Result returns what the restore has done, with what the swap had to note.
func (r *Together[M]) Result(notes []string) Result {
	result := Result{Mode: r.Options.Mode, Snapshot: r.Snapshot, Notes: []string{}}
	var list []DatabaseResult
	for _, d := range r.Databases {
		plan := d.Plan()
		list = append(list, DatabaseResult{Database: d.Name(), Rows: plan.Rows, Aside: plan.Aside})
		result.Notes = append(result.Notes, d.Notes()...)
	}
	result.DatabaseResult, result.Companions = list[0], list[1:]
	result.Notes = append(result.Notes, notes...)
	return result
}

// KeptFor says of a swap that failed that the long work was not for nothing.
func (r *Together[M]) KeptFor(err error) error {
	var into []string
	for _, d := range r.Databases {
		into = append(into, d.Plan().Into)
	}
	return fault.Hint(fmt.Errorf("%w; the snapshot is loaded and compared in database %s", err, strings.Join(into, ", ")),
		"harbordb restore %s --disconnect swaps it in; harbordb restore --discard %s drops it", r.Snapshot, into[0])
}
