package mysql

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// Source is a MySQL or MariaDB database held at one moment.
type Source struct {
	db    *database.DB
	name  string
	hold  *hold
	seen  *mymodel.Model // the catalog as it was read
	model *mymodel.Model // what of it is carried
	about source.Description
	parts []source.Part
}

var _ source.Source = (*Source)(nil)

// Choice says what a dump may leave out.
type Choice struct {
	// Unsupported: leave out, by name, what the model cannot carry. Without
	// it such an object refuses the dump.
	Unsupported bool
	// SkipData names tables whose rows are left out.
	SkipData map[string]bool
}

// catalogRights are what it takes to see all of a database: without them the
// server's catalog leaves triggers, events and routines out and says nothing.
var catalogRights = []string{"SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "EXECUTE"}

// OpenSources holds databases of db's server at one moment and reads their
// catalogs, each over one connection and one more for each worker. It refuses,
// before anything is written anywhere, what it cannot carry. The choice of data
// is that of the first of them, Harbor's own; of the others all rows are taken.
// The caller closes the set.
func OpenSources(ctx context.Context, db *database.DB, names []string, workers int, choice Choice) (source.Set, error) {
	r, err := readRights(ctx, db)
	if err != nil {
		return source.Set{}, err
	}
	for _, name := range names {
		if missing := r.missing(name, catalogRights...); len(missing) > 0 {
			return source.Set{}, r.refuse("read all of database "+name, escapedName(name)+".*", missing)
		}
	}
	all, err := holdDatabases(ctx, db, names, workers)
	if err != nil {
		return source.Set{}, err
	}
	set := source.Set{OneMoment: true}
	for _, h := range all {
		set.Databases = append(set.Databases, &Source{db: db, name: h.name, hold: h})
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
	s.seen = s.hold.model
	if len(s.seen.Unsupported) > 0 && !choice.Unsupported {
		return refuseUnsupported(s.seen.Unsupported)
	}
	s.about = source.Description{Name: s.name, Time: s.hold.moment}
	carried := *s.seen
	s.model = &carried
	for _, o := range s.model.LeaveOut() {
		s.about.LeftOut = append(s.about.LeftOut, o.String())
	}
	if s.about.Model, err = mymodel.Encode(s.model); err != nil {
		return err
	}
	if s.about.Pre, s.about.Post, err = mymodel.RenderSQL(s.model); err != nil {
		return fmt.Errorf("render model: %w", err)
	}
	return s.plan(ctx, choice.SkipData)
}

// refuseUnsupported names the objects, so that the operator can decide.
func refuseUnsupported(objects []mymodel.Object) error {
	return fault.Refusedf("it holds what a snapshot cannot carry: %s", listed(objects)).
		WithHint("--leave-out-unsupported takes the snapshot without them and names them in it")
}

// listed names the first few objects.
func listed(objects []mymodel.Object) string {
	const most = 5
	names := make([]string, 0, most)
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
	workers := make([]source.Worker, len(s.hold.workers))
	for i, w := range s.hold.workers {
		workers[i] = &worker{session: w, tables: s.about.Tables}
	}
	return workers
}

// Close ends all transactions.
func (s *Source) Close() error {
	s.hold.close()
	return nil
}

// Finish compares the catalog with the one described. The tables themselves
// could not change while they were held; views and triggers could, and tables
// could be made.
func (s *Source) Finish(ctx context.Context) ([]snapshots.Sequence, error) {
	conn, err := connect(ctx, s.db, s.name)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	now, err := ReadCatalog(ctx, conn, s.db.Server())
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", s.name, err)
	}
	changed := mymodel.Compare(s.seen, now)
	if len(changed) == 0 && !slices.Equal(s.seen.Unsupported, now.Unsupported) {
		changed = []string{"objects were made or dropped"}
	}
	if len(changed) > 0 {
		return nil, fault.Failedf("database %s: its schema changed while it was being copied: %s", s.name, changed[0]).
			WithHint("run the backup again when no migration or maintenance is under way")
	}
	return []snapshots.Sequence{}, nil
}

type worker struct {
	session *session
	tables  []snapshots.Table
}

// Copy writes the lines of a part.
func (w *worker) Copy(ctx context.Context, p source.Part, to io.Writer) error {
	if err := w.session.copyRows(ctx, p.Query, to); err != nil {
		return fmt.Errorf("copy rows of table %s: %w", w.tables[p.Table].FullName(), err)
	}
	return nil
}
