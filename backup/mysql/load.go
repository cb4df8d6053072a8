package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"golang.org/x/sync/errgroup"
)

// keysFirst is the size, in bytes of text, up to which a table gets its keys
// before its rows: on a small one the second statement costs more than it
// saves.
const keysFirst = 4 << 20

// loader fills one new database from a snapshot: tables, rows, keys, foreign
// keys and everything after them. Nobody else uses the database meanwhile.
type loader struct {
	server   *Server
	name     string
	script   mymodel.Script
	tables   []*tableLoad
	workers  []*loadWorker
	readBack bool // read the loaded rows back and compare them
	infile   bool // the server takes LOAD DATA LOCAL
	packet   int  // bytes that one statement may have
	report   progress.Reporter

	mu    sync.Mutex
	notes []string
}

// tableLoad is the state of one table while it is loaded.
type tableLoad struct {
	*snapshots.Table
	model *mymodel.Table
	step  mymodel.TableStep
	late  bool // its keys follow its rows

	mu             sync.Mutex
	left           int // parts that have not landed yet
	unpacked, back snapshots.Tally
}

// loadWorker is one connection with what it needs to unpack parts.
type loadWorker struct {
	*session
	parts  *snapshots.PartReader
	reader string // the name under which the driver knows its reader
}

func (r *loading) newLoader(ctx context.Context, report progress.Reporter) (*loader, error) {
	l := &loader{server: r.server, name: r.plan.Into, script: r.script, readBack: !r.options.SkipReadBack, report: report}
	for i := range r.content.Tables {
		t := &tableLoad{Table: &r.content.Tables[i], left: len(r.content.Tables[i].Parts)}
		t.model = r.model.Table(t.Name)
		for _, step := range r.script.Tables {
			if step.Name == t.Name {
				t.step = step
			}
		}
		t.late = t.Bytes > keysFirst && t.step.Keys != ""
		l.tables = append(l.tables, t)
	}
	row := r.server.db.QueryRowContext(ctx, "SELECT @@local_infile, @@max_allowed_packet")
	if err := row.Scan(&l.infile, &l.packet); err != nil {
		return nil, fmt.Errorf("look at what the server takes: %w", err)
	}
	for i := range max(r.options.Jobs, 1) {
		w, err := l.openWorker(ctx, r.snapshot, i)
		if err != nil {
			l.close()
			return nil, err
		}
		l.workers = append(l.workers, w)
	}
	return l, nil
}

func (l *loader) openWorker(ctx context.Context, snapshot *snapshots.Snapshot, i int) (*loadWorker, error) {
	s, err := connect(ctx, l.server.db, l.name)
	if err != nil {
		return nil, err
	}
	w := &loadWorker{session: s, reader: fmt.Sprintf("harbordb.%p.%d", l, i)}
	err = s.exec(ctx, "SET SESSION foreign_key_checks = 0, unique_checks = 0, character_set_results = NULL")
	if err == nil {
		w.parts, err = snapshot.Parts()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return w, nil
}

func (l *loader) close() {
	for _, w := range l.workers {
		w.parts.Close()
		w.close()
	}
}

func (l *loader) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// run does all of it.
func (l *loader) run(ctx context.Context) error {
	first := l.workers[0]
	for _, t := range l.tables {
		create := t.step.Whole
		if t.late {
			create = t.step.Create
		}
		if err := first.exec(ctx, create); err != nil {
			return fmt.Errorf("create table %s: %w", t.Name, err)
		}
	}
	if err := l.loadRows(ctx); err != nil {
		return err
	}
	if err := l.finishTables(ctx); err != nil {
		return err
	}
	for _, t := range l.tables {
		if err := t.compare(l.readBack); err != nil {
			return err
		}
	}
	if err := first.exec(ctx, "SET SESSION character_set_results = utf8mb4"); err != nil {
		return err
	}
	notes, err := first.make(ctx, append(slices.Clone(l.script.Views), l.script.Triggers...))
	l.notes = append(l.notes, notes...)
	return err
}

// make makes views and triggers, each in the session that it needs, and
// returns what the server had to say about them.
func (s *session) make(ctx context.Context, list []mymodel.Made) (notes []string, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	was, err := s.texts(ctx, "SELECT @@character_set_database, @@collation_database")
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if err = s.makeOne(ctx, m); err != nil {
			return notes, fmt.Errorf("create %s: %w", m.Object, err)
		}
		if warning := s.warned(ctx); warning != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", m.Object, warning))
		}
	}
	for _, back := range []string{
		"ALTER DATABASE CHARACTER SET " + was[0][0] + " COLLATE " + was[0][1],
		"SET NAMES utf8mb4", "SET SESSION sql_mode = '" + sqlMode + "'",
	} {
		if err = s.exec(ctx, back); err != nil {
			return notes, err
		}
	}
	return notes, nil
}

// makeOne gives the database, for a moment, the collation that it had when a
// trigger was made: there is no other way to give it to the trigger.
func (s *session) makeOne(ctx context.Context, m mymodel.Made) error {
	statements := []string{m.SetSession(), m.SQL}
	if m.Session.Database != "" {
		statements = append([]string{"ALTER DATABASE COLLATE " + m.Session.Database}, statements...)
	}
	for _, sql := range statements {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// pieceOf is one part to be loaded.
type pieceOf struct {
	table *tableLoad
	part  snapshots.Part
}

// loadRows loads every part, largest first, and builds the keys of a table as
// soon as its last part has landed.
func (l *loader) loadRows(ctx context.Context) error {
	q := &queue{busy: map[*tableLoad]bool{}}
	q.changed = sync.NewCond(&q.mu)
	var bytes int64
	for _, t := range l.tables {
		for _, p := range t.Parts {
			q.pieces = append(q.pieces, pieceOf{t, p})
			bytes += p.Bytes
		}
	}
	slices.SortStableFunc(q.pieces, func(a, b pieceOf) int {
		return cmp.Or(cmp.Compare(b.table.Bytes, a.table.Bytes), cmp.Compare(b.part.Bytes, a.part.Bytes))
	})
	l.report.Begin("load", bytes, progress.Bytes)
	group, limited := errgroup.WithContext(ctx)
	for _, w := range l.workers {
		group.Go(func() error {
			for p, ok := q.next(); ok; p, ok = q.next() {
				err := l.loadPiece(limited, w, p)
				q.done(p.table, err)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (l *loader) loadPiece(ctx context.Context, w *loadWorker, p pieceOf) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.loadPart(ctx, w, p.table, p.part); err != nil {
		return fmt.Errorf("load %s into table %s: %w", p.part.Object, p.table.Name, err)
	}
	l.report.Add(p.part.Bytes)
	if !p.table.landed() || !p.table.late {
		return nil
	}
	if err := w.exec(ctx, p.table.step.Keys); err != nil {
		return fmt.Errorf("add keys to table %s: %w", p.table.Name, err)
	}
	return nil
}

// landed tells whether the last part of the table is in.
func (t *tableLoad) landed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left--
	return t.left == 0
}

// queue hands out parts, no two of one table at a time: LOAD DATA into a
// table with an AUTO_INCREMENT column locks its counter until it ends, and a
// second one would wait, and then fail, for nothing.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	pieces  []pieceOf
	busy    map[*tableLoad]bool
	failed  bool
}

func (q *queue) next() (pieceOf, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.failed && len(q.pieces) > 0 {
		i := slices.IndexFunc(q.pieces, func(p pieceOf) bool { return !q.busy[p.table] })
		if i >= 0 {
			p := q.pieces[i]
			q.pieces = slices.Delete(q.pieces, i, i+1)
			q.busy[p.table] = true
			return p, true
		}
		q.changed.Wait()
	}
	return pieceOf{}, false
}

func (q *queue) done(t *tableLoad, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, t)
	q.failed = q.failed || err != nil
	q.changed.Broadcast()
}
