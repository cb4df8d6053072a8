package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/jackc/pgx/v5"
)

// link is a foreign key that is not there yet.
type link struct {
	step       pgmodel.ForeignKeyStep
	from, to   *tableLoad
	incomplete int // how many of its two tables are
}

// complete adds what becomes possible when a table has its rows and its keys:
// to read it back, to have the server look at it, and the foreign keys whose
// other table is complete, too.
func (l *loader) complete(s *schedule, t *tableLoad) {
	if l.readBack && !t.Skipped {
		s.add(func(ctx context.Context, w *loadWorker, _ bool) error { return l.planReadBack(ctx, w, s, t) })
	}
	for _, k := range l.linksBetweenComplete(t) {
		k.from.turn.add(s, func(ctx context.Context, w *loadWorker, _ bool) error { return l.link(ctx, w.conn, k.step) })
	}
	t.turn.add(s, func(ctx context.Context, w *loadWorker, _ bool) error { return analyze(ctx, w.conn, t) })
}

// linksBetweenComplete returns the foreign keys that waited for this table
// alone.
func (l *loader) linksBetweenComplete(t *tableLoad) (ready []*link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.links {
		if k.from != t && k.to != t {
			continue
		}
		if k.incomplete--; k.incomplete == 0 {
			ready = append(ready, k)
		}
	}
	return ready
}

// findLinks finds the two tables of every foreign key, how early each table
// is loaded, and which of its indexes is built first: the longest work.
func (l *loader) findLinks(model *pgmodel.Model) error {
	tables := map[pgmodel.Name]*tableLoad{}
	for _, t := range l.tables {
		tables[pgmodel.Name{Schema: t.Schema, Name: t.Table.Name}] = t
		t.weight = t.Bytes
	}
	for _, step := range l.script.ForeignKeys {
		k := &link{step: step, from: tables[step.Table], to: tables[step.Referenced], incomplete: 1}
		if k.from == nil {
			return fmt.Errorf("snapshot %s: %w: it has no rows of table %s", l.snapshot.Manifest.ID, snapshots.ErrCorrupt, step.Table)
		}
		if k.to != nil && k.to != k.from { // an extension's own table is complete from the start
			k.incomplete = 2
			k.to.weight = max(k.to.weight, k.from.Bytes)
		}
		l.links = append(l.links, k)
	}
	for i := range model.Tables {
		if t := tables[model.Tables[i].Name]; t != nil {
			sortByWork(t.indexes, &model.Tables[i])
		}
	}
	return nil
}

// sortByWork sorts indexes by a guess of how long the server sorts for them.
func sortByWork(indexes []pgmodel.IndexStep, t *pgmodel.Table) {
	work := map[string]int{}
	for _, x := range t.Indexes {
		for _, c := range t.Columns {
			if !strings.Contains(x.Definition, c.Name) {
				continue
			}
			if work[x.Name]++; !comparesFast(c.Type) {
				work[x.Name] += 3
			}
		}
	}
	slices.SortStableFunc(indexes, func(a, b pgmodel.IndexStep) int { return cmp.Compare(work[b.Name], work[a.Name]) })
}

// comparesFast tells types of a fixed size from texts.
func comparesFast(sqlType string) bool {
	for _, prefix := range []string{"smallint", "integer", "bigint", "boolean", "timestamp", "date", "uuid", "double", "real"} {
		if strings.HasPrefix(sqlType, prefix) {
			return true
		}
	}
	return false
}

// link adds a foreign key and validates it: while the rows are looked at,
// both tables can be read. The tables are locked in the order of their names,
// so that two that refer to each other do not wait for each other.
func (l *loader) link(ctx context.Context, conn *pgx.Conn, step pgmodel.ForeignKeyStep) error {
	names := []string{step.Table.SQL(), step.Referenced.SQL()}
	slices.Sort(names)
	err := pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
		sql := "LOCK TABLE " + strings.Join(slices.Compact(names), ", ") + " IN SHARE ROW EXCLUSIVE MODE"
		if err := exec(ctx, conn.PgConn(), sql); err != nil {
			return fmt.Errorf("lock tables of foreign key %s: %w", step.Name, err)
		}
		return l.execute(ctx, conn, step.Add)
	})
	if err != nil || step.Validate.SQL == "" {
		return err
	}
	return l.execute(ctx, conn, step.Validate)
}

// analyze has the server look at the rows of a table, so that its first plans
// are not those for an empty one.
func analyze(ctx context.Context, conn *pgx.Conn, t *tableLoad) error {
	if err := exec(ctx, conn.PgConn(), "ANALYZE "+quote(t.Schema, t.Name)); err != nil {
		return fmt.Errorf("analyze table %s: %w", t.FullName(), err)
	}
	return nil
}

// turn has tasks on one table run one after the other: each takes a lock that
// the next one would wait for, and a worker with it. The zero value is ready.
type turn struct {
	mu      sync.Mutex
	busy    bool
	waiting []task
}

// add makes a task ready, now or when those before it are done.
func (q *turn) add(s *schedule, t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy {
		q.waiting = append(q.waiting, t)
		return
	}
	q.busy = true
	s.add(q.taking(s, t))
}

func (q *turn) taking(s *schedule, t task) task {
	return func(ctx context.Context, w *loadWorker, alone bool) error {
		if err := t(ctx, w, alone); err != nil {
			return err
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.busy = len(q.waiting) > 0; q.busy {
			next := q.waiting[0]
			q.waiting = q.waiting[1:]
			s.add(q.taking(s, next))
		}
		return nil
	}
}
