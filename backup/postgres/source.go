package postgres

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/jackc/pgx/v5"
)

// Source is a PostgreSQL database held at one moment.
type Source struct {
	db    *database.DB
	name  string
	hold  *hold
	model *pgmodel.Model // of what is carried
	about source.Description
	parts []source.Part
}

var _ source.Source = (*Source)(nil)

// Choice says what a dump may leave out.
type Choice struct {
	// Unsupported: leave out, by name, what the model cannot carry. Without
	// it such an object refuses the dump.
	Unsupported bool
	// SkipData names tables, schema-qualified, whose rows are left out.
	SkipData map[string]bool
}

// OpenSources holds databases of db's server and reads their catalogs, each
// over one connection and one more for each worker. It refuses, before
// anything is written anywhere, what it cannot carry. The choice of data is
// that of the first of them, Harbor's own; of the others all rows are taken.
// The caller closes the set.
func OpenSources(ctx context.Context, db *database.DB, names []string, workers int, choice Choice) (source.Set, error) {
	all, err := holdDatabases(ctx, db, names, workers)
	if err != nil {
		return source.Set{}, err
	}
	set := source.Set{OneMoment: all.oneMoment()}
	for _, h := range all {
		set.Databases = append(set.Databases, &Source{db: db, name: h.name, hold: h})
		if set.OneMoment {
			h.moment = all[0].moment
		}
	}
	for _, d := range set.Databases {
		s := d.(*Source)
		if err := s.describe(ctx, choice); err != nil {
			set.Close()
			return source.Set{}, fmt.Errorf("database %s: %w", s.name, err)
		}
		choice.SkipData = nil
	}
	return set, nil
}

func (s *Source) describe(ctx context.Context, choice Choice) (err error) {
	if s.model, err = s.readHeld(ctx); err != nil {
		return err
	}
	if len(s.model.Unsupported) > 0 && !choice.Unsupported {
		return refuseUnsupported(s.model.Unsupported)
	}
	s.about = source.Description{Name: s.name, Time: s.hold.moment}
	for _, o := range s.model.LeaveOut() {
		s.about.LeftOut = append(s.about.LeftOut, o.String())
	}
	if s.about.Model, err = pgmodel.Encode(s.model); err != nil {
		return fmt.Errorf("encode model: %w", err)
	}
	if s.about.Pre, s.about.Post, err = pgmodel.RenderSQL(s.model); err != nil {
		return fmt.Errorf("render model: %w", err)
	}
	return s.plan(ctx, choice.SkipData)
}

// refuseUnsupported names the objects, so that the operator can decide.
func refuseUnsupported(objects []pgmodel.Object) error {
	return fault.Refusedf("it holds what a snapshot cannot carry: %s", listSome(objects)).
		WithHint("--leave-out-unsupported takes the snapshot without them and names them in it")
}

// listSome names the first of the objects, and how many more there are.
func listSome(objects []pgmodel.Object) string {
	const most = 5
	var names []string
	for _, o := range objects[:min(len(objects), most)] {
		names = append(names, o.String())
	}
	text := strings.Join(names, ", ")
	if more := len(objects) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Describe returns what the source holds.
func (s *Source) Describe() source.Description { return s.about }

// Parts returns the work, largest first.
func (s *Source) Parts() []source.Part { return s.parts }

// Workers returns the workers. They end with the source.
func (s *Source) Workers() []source.Worker {
	workers := make([]source.Worker, len(s.hold.followers))
	for i, conn := range s.hold.followers {
		workers[i] = &worker{conn: conn, tables: s.about.Tables}
	}
	return workers
}

// Close ends all transactions.
func (s *Source) Close() error {
	s.hold.close()
	// An unreachable connection is closed by the garbage collector, and the
	// exported snapshot dies with it: keep the leader reachable until here.
	runtime.KeepAlive(s.hold)
	return nil
}

// Finish reads the sequences, whose values no snapshot holds still. They come
// last, so that no row has a value that its sequence has yet to give. The
// catalog was proved when it was read.
func (s *Source) Finish(ctx context.Context) ([]snapshots.Sequence, error) {
	sequences := make([]snapshots.Sequence, 0, len(s.model.Sequences))
	for _, q := range s.model.Sequences {
		state := snapshots.Sequence{Schema: q.Name.Schema, Name: q.Name.Name}
		row := s.hold.leader.QueryRow(ctx, "SELECT last_value, is_called FROM "+q.SQL())
		if err := row.Scan(&state.Last, &state.IsCalled); err != nil {
			return nil, fmt.Errorf("database %s: read sequence %s: %w", s.name, q.Name, err)
		}
		sequences = append(sequences, state)
	}
	return sequences, nil
}

type worker struct {
	conn   *pgx.Conn
	tables []snapshots.Table
}

// Copy runs the part's COPY. What it writes is cut anywhere: lines are found
// by whoever reads them.
func (w *worker) Copy(ctx context.Context, p source.Part, to io.Writer) error {
	out := newAhead(to)
	_, err := w.conn.PgConn().CopyTo(ctx, out, p.Query)
	if end := out.Close(); end != nil {
		err = end
	}
	if err != nil {
		return fmt.Errorf("copy rows of table %s: %w", w.tables[p.Table].FullName(), err)
	}
	return nil
}
