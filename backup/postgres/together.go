package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/snapshots"
)

// restore is one restore, planned: of one database or of several together.
type restore struct {
	target.Together[*loading]
	server *Server
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
	r := &restore{server: s, Together: target.Together[*loading]{Snapshot: snapshot.Manifest.ID, Options: o}}
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
			return nil, r.In(d, err)
		}
		r.Databases = append(r.Databases, d)
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
	var moves exchange
	var live []string
	for _, d := range r.Databases {
		live = append(live, d.name)
		moves = append(moves, move{live: d.name, with: d.plan.Into, aside: d.plan.Aside, comment: d.model.Database.Comment})
	}
	if r.Options.Disconnect == target.Refuse {
		// Our own sessions on what was loaded may still be ending: for those
		// the rename waits.
		if err := r.server.unused(ctx, live...); err != nil {
			return r.Result(nil), r.KeptFor(err)
		}
	}
	if err := r.server.swap(ctx, moves, r.Options.Disconnect); err != nil {
		return r.Result(nil), r.KeptFor(err)
	}
	return r.Result(nil), nil
}
