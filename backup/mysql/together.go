package mysql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/snapshots"
)

// restore is one restore, planned: of one database or of several together.
type restore struct {
	target.Together[*loading]
	server *Server
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
	r := &restore{server: s, Together: target.Together[*loading]{Snapshot: snapshot.Manifest.ID, Options: o}}
	for i, c := range append([]*snapshots.Database{content}, o.Companions...) {
		d := &loading{plan: target.DatabasePlan{Swap: target.MoveTables, Notes: []string{}}, server: s, snapshot: snapshot, content: c, name: c.Name, options: o}
		if i == 0 {
			d.name = o.Name
		}
		if err := d.prepare(ctx, at); err != nil {
			return nil, r.In(d, err)
		}
		r.Databases = append(r.Databases, d)
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

// Swap puts the loaded databases in the place of the live ones. A target in
// use without leave to end its sessions is refused, and what is loaded kept.
func (r *restore) Swap(ctx context.Context) (target.Result, error) {
	switch r.Options.Mode {
	case target.Drill:
		var err error
		for _, d := range r.Databases {
			err = errors.Join(err, r.server.drop(ctx, d.plan.Into))
		}
		return r.Result(nil), err
	case target.Keep:
		return r.Result(nil), nil
	}
	w := exchange{how: r.Options.Disconnect, after: &mark{State: stateLoaded, Snapshot: r.Snapshot}}
	for _, d := range r.Databases {
		live, err := r.server.look(ctx, d.name)
		if err == nil {
			err = checkSwap(live, r.Options.Disconnect)
		}
		if err != nil {
			return r.Result(nil), r.keptFor(err)
		}
		w.moves = append(w.moves, move{Live: d.name, With: d.plan.Into, Aside: d.plan.Aside})
	}
	notes, err := r.server.swap(ctx, w)
	if err != nil {
		return r.Result(nil), r.keptFor(err)
	}
	return r.Result(notes), nil
}

// keptFor says what became of the loaded databases, unless the swap itself is
// half done.
func (r *restore) keptFor(err error) error {
	if errors.Is(err, errHalf) {
		return err
	}
	return r.KeptFor(err)
}
