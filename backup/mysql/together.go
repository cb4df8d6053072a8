package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// restore is one restore, planned: of one database or of several together.
type restore struct {
	server    *Server
	snapshot  snapshots.ID
	options   target.Options
	databases []*loading
}

var _ target.Restore = (*restore)(nil)

// Plan looks at snapshot and server and refuses what cannot work or would not
// be safe, before anything is changed.
func (s *Server) Plan(ctx context.Context, snapshot *snapshots.Snapshot, content *snapshots.Database, o target.Options) (target.Restore, error) {
	if err := snapshot.CheckSizes(ctx); err != nil {
		return nil, err
	}
	at, err := s.freeTime(ctx)
	if err != nil {
		return nil, err
	}
	r := &restore{server: s, snapshot: snapshot.Manifest.ID, options: o}
	for i, c := range append([]*snapshots.Database{content}, o.Companions...) {
		d := &loading{plan: target.DatabasePlan{Swap: target.MoveTables, Notes: []string{}}, server: s, snapshot: snapshot, content: c, name: c.Name, options: o}
		if i == 0 {
			d.name = o.Name
		}
		if err := d.prepare(ctx, at); err != nil {
			return nil, r.in(d, err)
		}
		r.databases = append(r.databases, d)
	}
	return r, nil
}

// freeTime returns the time by which the databases of a restore are named.
func (s *Server) freeTime(ctx context.Context) (time.Time, error) {
	now, err := s.db.Now(ctx)
	if err != nil {
		return now, err
	}
	names, err := s.databaseNames(ctx)
	return target.FreeTime(now, names), err
}

func (s *Server) databaseNames(ctx context.Context) (names []string, err error) {
	list, err := texts(ctx, s.db, "SELECT schema_name FROM information_schema.schemata")
	if err != nil {
		return nil, fmt.Errorf("look at the names of databases: %w", err)
	}
	for _, line := range list {
		names = append(names, line[0])
	}
	return names, nil
}

// in says at which database something failed, where there are several.
func (r *restore) in(d *loading, err error) error {
	if err == nil || len(r.options.Companions) == 0 {
		return err
	}
	return fmt.Errorf("restore database %s: %w", d.name, err)
}

// Plan returns what the restore will do.
func (r *restore) Plan() target.Plan {
	p := target.Plan{Snapshot: r.snapshot, Mode: r.options.Mode, DatabasePlan: r.databases[0].plan}
	for _, d := range r.databases[1:] {
		p.Companions = append(p.Companions, d.plan)
	}
	return p
}

// Load fills and compares the databases. Where it fails, what it made is gone
// again or is named in the error; the live databases are not touched.
func (r *restore) Load(ctx context.Context, report progress.Reporter) error {
	for i, d := range r.databases {
		err := r.in(d, d.fill(ctx, report))
		if err == nil {
			continue
		}
		for _, loaded := range r.databases[:i] {
			err = errors.Join(err, loaded.abandon(context.WithoutCancel(ctx)))
		}
		return err
	}
	return nil
}

// Swap puts the loaded databases in the place of the live ones. A target in
// use without leave to end its sessions is refused, and what is loaded kept.
func (r *restore) Swap(ctx context.Context) (target.Result, error) {
	switch r.options.Mode {
	case target.Drill:
		var err error
		for _, d := range r.databases {
			err = errors.Join(err, r.server.drop(ctx, d.plan.Into))
		}
		return r.result(nil), err
	case target.Keep:
		return r.result(nil), nil
	}
	w := exchange{how: r.options.Disconnect, after: &mark{State: stateLoaded, Snapshot: r.snapshot}}
	for _, d := range r.databases {
		live, err := r.server.look(ctx, d.name)
		if err == nil {
			err = checkSwap(live, r.options.Disconnect)
		}
		if err != nil {
			return r.result(nil), r.keptFor(err)
		}
		w.moves = append(w.moves, move{Live: d.name, With: d.plan.Into, Aside: d.plan.Aside})
	}
	notes, err := r.server.swap(ctx, w)
	if err != nil {
		return r.result(nil), r.keptFor(err)
	}
	return r.result(notes), nil
}

func (r *restore) result(notes []string) target.Result {
	result := target.Result{Mode: r.options.Mode, Snapshot: r.snapshot, Notes: []string{}}
	var list []target.DatabaseResult
	for _, d := range r.databases {
		list = append(list, target.DatabaseResult{Database: d.name, Rows: d.plan.Rows, Aside: d.plan.Aside})
		result.Notes = append(result.Notes, d.notes...)
	}
	result.DatabaseResult, result.Companions = list[0], list[1:]
	result.Notes = append(result.Notes, notes...)
	return result
}

// keptFor says that the long work was not for nothing.
func (r *restore) keptFor(err error) error {
	if hint := fault.HintOf(err); errors.Is(err, errHalf) {
		return fault.Hint(err, "%s", hint)
	}
	var into []string
	for _, d := range r.databases {
		into = append(into, d.plan.Into)
	}
	return fault.Hint(fmt.Errorf("%w; the snapshot is loaded and compared in database %s", err, strings.Join(into, ", ")),
		"harbordb restore %s --disconnect swaps it in; harbordb restore --discard %s drops it", r.snapshot, into[0])
}
