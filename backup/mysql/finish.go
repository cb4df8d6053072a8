package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"golang.org/x/sync/errgroup"
)

// task is one step on a worker's connection.
type task struct {
	bytes int64
	do    func(ctx context.Context, w *loadWorker) error
}

// finishTables adds foreign keys, reads the rows back and has the server take
// its statistics. MySQL does not look at the rows when a foreign key is added
// to them unchecked: what refers to nothing is looked for here.
func (l *loader) finishTables(ctx context.Context) error {
	// All foreign keys before all checks: adding one changes both tables.
	for _, t := range l.tables {
		if t.step.Foreign == "" {
			continue
		}
		if err := l.workers[0].exec(ctx, t.step.Foreign); err != nil {
			return fmt.Errorf("add foreign keys to table %s: %w", t.Name, err)
		}
	}
	var tasks []task
	var bytes int64
	for _, t := range l.tables {
		if l.readBack && !t.Skipped {
			list, err := l.readTasks(ctx, t)
			if err != nil {
				return fmt.Errorf("plan reading table %s back: %w", t.Name, err)
			}
			tasks = append(tasks, list...)
			bytes += t.Bytes
		}
		tasks = append(tasks, task{do: func(ctx context.Context, w *loadWorker) error { return l.check(ctx, w, t) }})
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(b.bytes, a.bytes) })
	l.report.Begin("compare", bytes, progress.Bytes)
	return l.inParallel(ctx, tasks)
}

func (l *loader) inParallel(ctx context.Context, tasks []task) error {
	var next atomic.Int64
	group, limited := errgroup.WithContext(ctx)
	for _, w := range l.workers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(tasks)); i = next.Add(1) - 1 {
				if err := limited.Err(); err != nil {
					return err
				}
				if err := tasks[i].do(limited, w); err != nil {
					return err
				}
				l.report.Add(tasks[i].bytes)
			}
			return nil
		})
	}
	return group.Wait()
}

// readTasks reads the rows of a table back, in pieces as a dump would.
func (l *loader) readTasks(ctx context.Context, t *tableLoad) ([]task, error) {
	pieces, err := cut(ctx, l.workers[0].session, t.model, extent{rows: t.Rows, bytes: t.Bytes})
	if err != nil {
		return nil, err
	}
	var list []task
	for _, p := range pieces {
		list = append(list, task{bytes: p.Bytes, do: func(ctx context.Context, w *loadWorker) error {
			var lines snapshots.LineTally
			if err := w.copyRows(ctx, p.Query, &lines); err != nil {
				return fmt.Errorf("read table %s back: %w", t.Name, err)
			}
			tally, err := lines.Tally()
			t.mu.Lock()
			defer t.mu.Unlock()
			t.back = t.back.Add(tally)
			return err
		}})
	}
	return list, nil
}

// compare proves that what was unpacked is what the manifest says, and that
// what the server has is what was unpacked.
func (t *tableLoad) compare(readBack bool) error {
	if t.Skipped {
		return nil
	}
	want, err := snapshots.ParseFingerprint(t.Fingerprint)
	if err != nil {
		return err
	}
	if got := t.unpacked.Fingerprint; got != want {
		return fmt.Errorf("table %s: %w: its rows have the fingerprint %s, not %s", t.Name, snapshots.ErrCorrupt, got, want)
	}
	if readBack && t.back != t.unpacked {
		return fmt.Errorf("table %s: the server gives back %d rows with the fingerprint %s, but was given %d with %s",
			t.Name, t.back.Rows, t.back.Fingerprint, t.unpacked.Rows, t.unpacked.Fingerprint)
	}
	return nil
}

// check looks for rows whose foreign key refers to nothing. The fingerprints
// say that the source had them as well, so they are told and not refused.
func (l *loader) check(ctx context.Context, w *loadWorker, t *tableLoad) error {
	for _, k := range t.model.ForeignKeys {
		list, err := w.texts(ctx, orphanQuery(t.Name, k))
		switch {
		case number(err) == errNoSuchTable || number(err) == errUnknownDatabase:
			l.note("foreign key %s of table %s refers to table %s, which is not here", k.Name, t.Name, k.Table)
		case err != nil:
			return fmt.Errorf("check foreign key %s of table %s: %w", k.Name, t.Name, err)
		case list[0][0] != "0":
			l.note("table %s has %s rows whose foreign key %s refers to nothing; they were so in the source", t.Name, list[0][0], k.Name)
		}
	}
	if _, err := w.texts(ctx, "ANALYZE NO_WRITE_TO_BINLOG TABLE "+mymodel.QuoteIdent(t.Name)); err != nil {
		return fmt.Errorf("analyze table %s: %w", t.Name, err)
	}
	return nil
}

func orphanQuery(table string, k mymodel.ForeignKey) string {
	parent := []string{k.Table}
	if k.Schema != "" {
		parent = []string{k.Schema, k.Table}
	}
	var on, where []string
	for i, c := range k.Columns {
		on = append(on, "c."+mymodel.QuoteIdent(c)+" = p."+mymodel.QuoteIdent(k.References[i]))
		where = append(where, "c."+mymodel.QuoteIdent(c)+" IS NOT NULL")
	}
	return "SELECT COUNT(*) FROM " + mymodel.QuoteIdent(table) + " c LEFT JOIN " + mymodel.QuoteIdent(parent...) + " p ON " +
		strings.Join(on, " AND ") + " WHERE " + strings.Join(where, " AND ") + " AND p." + mymodel.QuoteIdent(k.References[0]) + " IS NULL"
}
