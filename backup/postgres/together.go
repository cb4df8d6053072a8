package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
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

var (
	_ target.Server  = (*Server)(nil)
	_ target.Restore = (*restore)(nil)
)

// Plan looks at snapshot and server and refuses what cannot work or would not
// be safe, before anything is changed.
func (s *Server) Plan(ctx context.Context, snapshot *snapshots.Snapshot, content *snapshots.Database, o target.Options) (target.Restore, error) {
	if err := snapshot.CheckSizes(ctx); err != nil {
		return nil, err
	}
	r := &restore{server: s, snapshot: snapshot.Manifest.ID, options: o}
	names := []string{o.Name}
	for _, c := range o.Companions {
		names = append(names, c.Name)
	}
	if err := s.leave(ctx, names); err != nil {
		return nil, err
	}
	at, err := s.freeTime(ctx)
	if err != nil {
		return nil, err
	}
	for i, c := range append([]*snapshots.Database{content}, o.Companions...) {
		d := &loading{plan: target.DatabasePlan{Swap: target.RenameDatabases, Notes: []string{}}, server: s, snapshot: snapshot, content: c, name: names[i], options: o}
		if err := d.prepare(ctx, at); err != nil {
			return nil, r.in(d, err)
		}
		r.databases = append(r.databases, d)
	}
	return r, r.checkRoom(ctx)
}

// freeTime returns the time by which the databases of a restore are named.
func (s *Server) freeTime(ctx context.Context) (time.Time, error) {
	now, err := s.db.Now(ctx)
	if err != nil {
		return now, err
	}
	names, err := databaseNames(ctx, s.db)
	return target.FreeTime(now, names), err
}

func databaseNames(ctx context.Context, q database.Querier) (names []string, err error) {
	rows, err := q.QueryContext(ctx, "SELECT datname FROM pg_catalog.pg_database")
	if err != nil {
		return nil, fmt.Errorf("look at the names of databases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("look at the names of databases: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
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
		return r.result(), err
	case target.Keep:
		return r.result(), nil
	}
	var moves exchange
	var live []string
	for _, d := range r.databases {
		live = append(live, d.name)
		moves = append(moves, move{live: d.name, with: d.plan.Into, aside: d.plan.Aside, comment: d.model.Database.Comment})
	}
	if r.options.Disconnect == target.Refuse {
		// Our own sessions on what was loaded may still be ending: for those
		// the rename waits.
		if err := r.server.unused(ctx, live...); err != nil {
			return r.result(), r.keptFor(err)
		}
	}
	if err := r.server.swap(ctx, moves, r.options.Disconnect); err != nil {
		return r.result(), r.keptFor(err)
	}
	return r.result(), nil
}

func (r *restore) result() target.Result {
	result := target.Result{Mode: r.options.Mode, Snapshot: r.snapshot, Notes: []string{}}
	var list []target.DatabaseResult
	for _, d := range r.databases {
		list = append(list, target.DatabaseResult{Database: d.name, Rows: d.plan.Rows, Aside: d.plan.Aside})
		for _, n := range d.notes {
			result.Notes = append(result.Notes, n.String())
		}
	}
	result.DatabaseResult, result.Companions = list[0], list[1:]
	return result
}

// keptFor says that the long work was not for nothing.
func (r *restore) keptFor(err error) error {
	var into []string
	for _, d := range r.databases {
		into = append(into, d.plan.Into)
	}
	return fault.Hint(fmt.Errorf("%w; the snapshot is loaded and compared in database %s", err, strings.Join(into, ", ")),
		"harbordb restore %s --disconnect swaps it in; harbordb restore --discard %s drops it", r.snapshot, into[0])
}
