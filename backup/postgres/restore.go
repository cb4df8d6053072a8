package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/jackc/pgx/v5"
)

// loading is one database of a restore, loaded beside the live one.
type loading struct {
	plan target.DatabasePlan

	server   *Server
	snapshot *snapshots.Snapshot
	content  *snapshots.Database
	name     string // the live database, or the one to load into
	model    *pgmodel.Model
	script   pgmodel.Script
	options  target.Options
	created  bool           // Into is ours to drop
	holds    bool           // Into is ours to fill, and to clear if that fails
	reclaim  bool           // Into was left by a restore that was killed
	notes    []pgmodel.Note // of the server
}

// Name returns the name of the live database, or of the one to load into.
func (r *loading) Name() string { return r.name }

// Plan returns what prepare has planned.
func (r *loading) Plan() target.DatabasePlan { return r.plan }

// Notes returns what the server refused and nothing depends on.
func (r *loading) Notes() []string {
	notes := []string{}
	for _, n := range r.notes {
		notes = append(notes, n.String())
	}
	return notes
}

// prepare looks at snapshot and server and refuses what cannot work or would
// not be safe, before anything is changed. Names are made of the time at.
func (r *loading) prepare(ctx context.Context, at time.Time) (err error) {
	for _, t := range r.content.Tables {
		r.plan.Rows += t.Rows
		r.plan.Bytes += t.Bytes
	}
	if r.model, err = readModel(ctx, r.snapshot, r.content); err != nil {
		return err
	}
	if unknown := pgmodel.UnknownObjects(r.model); len(unknown) > 0 && !r.options.AllowUnknownObjects {
		return refuseUnknown(unknown)
	}
	if r.plan.Target, err = r.server.look(ctx, r.name); err != nil {
		return err
	}
	if err := r.chooseNames(ctx, at); err != nil {
		return err
	}
	return r.render(ctx)
}

func readModel(ctx context.Context, snapshot *snapshots.Snapshot, content *snapshots.Database) (*pgmodel.Model, error) {
	data, err := snapshot.Object(ctx, content.Model)
	if err != nil {
		return nil, err
	}
	m, err := pgmodel.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %s: %w: %w", snapshot.Manifest.ID, content.Model, snapshots.ErrCorrupt, err)
	}
	return m, nil
}

func refuseUnknown(unknown []pgmodel.Object) error {
	return fault.Refusedf("the snapshot holds objects that no Harbor has: %s", listSome(unknown)).
		WithHint("they may run code; if you know them, add --allow-unknown-objects")
}

// chooseNames decides where to load, and refuses a target in use.
func (r *loading) chooseNames(ctx context.Context, at time.Time) error {
	switch r.options.Mode {
	case target.Keep:
		return r.keepIn(ctx)
	case target.Drill:
		r.plan.Into = naming.Name(r.name, target.DrillMark, at)
		return r.mayCreate()
	}
	if err := r.server.checkSwap(ctx, r.plan.Target, r.options.Disconnect); err != nil {
		return err
	}
	r.plan.Into = naming.Name(r.name, target.LoadMark, at)
	if r.plan.Target.State != target.Missing {
		r.plan.Aside = naming.Name(r.name, target.AsideMark, at)
	}
	return r.findReady(ctx)
}

func (r *loading) keepIn(ctx context.Context) error {
	r.plan.Into = r.name
	if len(r.plan.Into) > maxName {
		return fault.Usagef("database name %s is longer than %d bytes", r.plan.Into, maxName)
	}
	var err error
	if r.reclaim, err = r.server.isLeft(ctx, r.plan.Into); err != nil {
		return err
	}
	switch {
	case r.reclaim:
		r.plan.Notes = append(r.plan.Notes, "database "+r.plan.Into+" was left by a restore that was killed; it is dropped first")
		return r.mayCreate()
	case r.plan.Target.State == target.Live:
		return fault.Refusedf("database %s exists and is not empty", r.plan.Into).
			WithHint("name a database that does not exist or is empty, or restore without --as to swap")
	case r.plan.Target.State == target.Empty && len(r.plan.Target.Sessions) > 0:
		return refuseInUse(r.plan.Into, r.plan.Target.Sessions)
	case r.plan.Target.State == target.Missing:
		return r.mayCreate()
	}
	return nil
}

func (r *loading) mayCreate() error {
	if !r.server.role.superuser && !r.server.role.createDB {
		return r.server.refuseCreate()
	}
	return nil
}

// findReady finds a database that an earlier restore of the same snapshot
// loaded and could not swap in.
func (r *loading) findReady(ctx context.Context) error {
	list, err := r.server.Beside(ctx, r.name)
	if err != nil {
		return err
	}
	for _, b := range list {
		switch {
		case b.Of != r.name:
		case b.Kind == target.Loaded && b.Snapshot == r.snapshot.Manifest.ID:
			r.plan.Into, r.plan.Ready = b.Name, true
		case b.Kind == target.Loading && strings.Contains(b.Name, target.LoadMark): // a drill is in nobody's way
			return fault.Refusedf("another restore is loading database %s", b.Name).
				WithHint("wait until it is done, or stop it")
		}
	}
	return nil
}

// render renders the model for the server, and says what it cannot have.
func (r *loading) render(ctx context.Context) error {
	conn, err := connect(ctx, r.server.db, r.server.db.Settings().Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	has, err := ReadTarget(ctx, conn)
	if err != nil {
		return fmt.Errorf("look at what the server has: %w", err)
	}
	has.Database = r.plan.Into
	var notes []pgmodel.Note
	if r.script, notes, err = r.model.Render(has); err != nil {
		return fault.Refusedf("this server cannot hold the snapshot: %w", err).
			WithHint("restore it on PostgreSQL %d or later", r.model.Major)
	}
	for _, n := range notes {
		r.plan.Notes = append(r.plan.Notes, n.String())
	}
	return nil
}

// Fill fills and compares the database. Where it fails, what it made is gone
// again or is named in the error; the live database is not touched.
func (r *loading) Fill(ctx context.Context, report progress.Reporter) error {
	if r.plan.Ready {
		return nil
	}
	err := r.load(ctx, report)
	if err == nil {
		return nil
	}
	if sqlState(err) == "53100" { // disk full
		err = fault.Hint(err, "the server's disk is full; the database that is live was not touched: make room there and restore again")
	}
	if left := r.Abandon(context.WithoutCancel(ctx)); left != nil {
		return errors.Join(err, left)
	}
	return err
}

func (r *loading) load(ctx context.Context, report progress.Reporter) error {
	lock, err := r.create(ctx)
	if err != nil {
		return err
	}
	// The lock says that this database is being loaded; it must stay open.
	defer func() { lock.Close(context.WithoutCancel(ctx)) }()
	l, err := r.newLoader(report)
	if err != nil {
		return err
	}
	if err := l.run(ctx, max(r.options.Jobs, 1)); err != nil {
		return err
	}
	r.notes = l.notes
	if err := r.compareCatalog(ctx, lock); err != nil {
		return err
	}
	if err := l.runAlone(ctx, lock, l.script.Settings); err != nil {
		return err
	}
	switch {
	case r.options.Mode == target.SwapIn:
		return exec(ctx, lock.PgConn(), commentOn(r.plan.Into, markLoaded+string(r.snapshot.Manifest.ID)))
	case r.options.Mode == target.Keep && (r.created || r.model.Database.Comment != ""):
		return exec(ctx, lock.PgConn(), commentOn(r.plan.Into, r.model.Database.Comment))
	}
	return nil // a drill keeps its mark until it is dropped
}

func (r *loading) newLoader(report progress.Reporter) (*loader, error) {
	l := &loader{db: r.server.db, name: r.plan.Into, snapshot: r.snapshot, content: r.content, encoding: r.model.Database.Encoding,
		script: r.script, readBack: !r.options.SkipReadBack, report: report}
	alike := printsFloatsAlike(r.snapshot.Manifest.Source.ServerNumber, r.server.db.Server().Number)
	byName := map[pgmodel.Name]*pgmodel.Table{}
	for i := range r.model.Tables {
		byName[r.model.Tables[i].Name] = &r.model.Tables[i]
	}
	indexes := map[pgmodel.Name][]pgmodel.IndexStep{}
	for _, ix := range r.script.Indexes {
		indexes[ix.Table] = append(indexes[ix.Table], ix)
	}
	conditions := map[pgmodel.Name]string{}
	for _, e := range r.model.Extensions {
		for _, c := range e.Config {
			conditions[c.Table] = c.Condition
		}
	}
	for i := range r.content.Tables {
		t := &tableLoad{Table: &r.content.Tables[i]}
		name := pgmodel.Name{Schema: t.Schema, Name: t.Table.Name}
		t.indexes, t.condition = indexes[name], conditions[name]
		if in := byName[name]; in != nil && !alike {
			t.floats = floatColumns(in, t.Columns)
		}
		l.tables = append(l.tables, t)
	}
	return l, l.findLinks(r.model)
}

// create makes the database and takes the lock in it that says it is being
// loaded. From then on it is ours to fill.
func (r *loading) create(ctx context.Context) (*pgx.Conn, error) {
	if r.reclaim {
		if err := r.server.drop(ctx, r.plan.Into); err != nil {
			return nil, err
		}
	}
	if r.options.Mode != target.Keep || r.plan.Target.State == target.Missing || r.reclaim {
		if err := r.server.exec(ctx, r.script.Create.SQL); err != nil {
			return nil, fmt.Errorf("create database %s: %w", r.plan.Into, err)
		}
		r.created, r.holds = true, true
	}
	conn, err := connect(ctx, r.server.db, r.plan.Into)
	if err != nil {
		return nil, err
	}
	if err := r.take(ctx, conn); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("prepare database %s: %w", r.plan.Into, err)
	}
	return conn, nil
}

// take locks the database against other restores. One that we did not make is
// looked at again: the question to the user may have stood for hours.
func (r *loading) take(ctx context.Context, conn *pgx.Conn) error {
	var locked bool
	err := conn.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_lock($1)", int64(loadLock)).Scan(&locked)
	if err != nil {
		return err
	}
	if !locked {
		return fault.Refusedf("another restore is loading it").WithHint("wait until it is done, or stop it")
	}
	if r.created {
		return exec(ctx, conn.PgConn(), commentOn(r.plan.Into, markLoading+string(r.snapshot.Manifest.ID)))
	}
	state, err := stateOf(ctx, conn, r.plan.Into)
	if err != nil {
		return err
	}
	if state != target.Empty {
		return fault.Refusedf("it is not empty any more").WithHint("name a database that does not exist or is empty")
	}
	if err := dropUnused(ctx, conn); err != nil {
		return err
	}
	r.holds = true
	return nil
}

// dropUnused drops the schema_migrations without a row that Harbor's database
// image makes, the only table that an empty target may have.
func dropUnused(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		tables, err := relations(ctx, conn)
		if err != nil {
			return err
		}
		for _, t := range tables {
			name := quote(t.schema, t.name)
			var rows bool
			if err := exec(ctx, conn.PgConn(), "LOCK TABLE "+name); err != nil {
				return err
			}
			if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+name+")").Scan(&rows); err != nil {
				return err
			}
			if rows || t.name != "schema_migrations" {
				return fault.Refusedf("table %s is in it", name)
			}
			if err := exec(ctx, conn.PgConn(), "DROP TABLE "+name); err != nil {
				return err
			}
		}
		return nil
	})
}

// compareCatalog reads the catalog of the loaded database and compares it
// with the model.
func (r *loading) compareCatalog(ctx context.Context, conn *pgx.Conn) error {
	loaded, err := ReadCatalog(ctx, conn)
	if err != nil {
		return fmt.Errorf("read catalog of database %s: %w", r.plan.Into, err)
	}
	if differences := pgmodel.Compare(r.model, loaded); len(differences) > 0 {
		return fmt.Errorf("database %s is not what the snapshot says: %s (%d differences)", r.plan.Into, differences[0], len(differences))
	}
	return nil
}

// runAlone runs statements that stand outside of a transaction.
func (l *loader) runAlone(ctx context.Context, conn *pgx.Conn, statements []pgmodel.Statement) error {
	for _, s := range statements {
		if err := l.execute(ctx, conn, s); err != nil {
			return err
		}
	}
	return nil
}

// Abandon drops what a failed load made.
func (r *loading) Abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if !r.holds {
		return nil
	}
	var schemas []string
	for _, in := range r.model.Schemas {
		schemas = append(schemas, in.Name)
	}
	cleared := r.server.clear(ctx, r.plan.Into, schemas)
	if !r.created {
		return cleared
	}
	// DROP DATABASE begins with a checkpoint, which brings the whole server
	// down where the disk is full (PostgreSQL 15: "PANIC: could not write");
	// dropping the tables first has made room.
	return r.server.drop(ctx, r.plan.Into)
}
