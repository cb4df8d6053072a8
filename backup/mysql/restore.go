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
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// loading is one database of a restore, loaded beside the live one.
type loading struct {
	plan target.DatabasePlan

	server   *Server
	snapshot *snapshots.Snapshot
	content  *snapshots.Database
	name     string // the live database, or the one to load into
	model    *mymodel.Model
	script   mymodel.Script
	options  target.Options
	created  bool     // the database is ours to drop
	touched  bool     // something of ours is in it
	notes    []string // of the server
}

// Name returns the name of the live database, or of the one to load into.
func (r *loading) Name() string { return r.name }

// Plan returns what prepare has planned.
func (r *loading) Plan() target.DatabasePlan { return r.plan }

// Notes returns what the server refused and nothing depends on.
func (r *loading) Notes() []string {
	return r.notes
}

// prepare looks at snapshot and server and refuses what cannot work or would
// not be safe, before anything is changed. Names are made of the time at.
func (r *loading) prepare(ctx context.Context, at time.Time) error {
	for _, t := range r.content.Tables {
		r.plan.Rows += t.Rows
		r.plan.Bytes += t.Bytes
	}
	if err := r.readModel(ctx); err != nil {
		return err
	}
	if unknown := mymodel.UnknownObjects(r.model); len(unknown) > 0 && !r.options.AllowUnknownObjects {
		return fault.Refusedf("the snapshot holds objects that no Harbor has: %s", listed(unknown)).
			WithHint("they may run code; if you know them, add --allow-unknown-objects")
	}
	var err error
	if r.plan.Target, err = r.server.look(ctx, r.name); err != nil {
		return err
	}
	if err := r.chooseNames(ctx, at); err != nil {
		return err
	}
	if r.script, err = r.model.Render(r.server.here()); err != nil {
		return err
	}
	return r.checkNames(ctx)
}

// readModel reads the model and proves that it and the manifest speak of the
// same tables and columns.
func (r *loading) readModel(ctx context.Context) error {
	data, err := r.snapshot.Object(ctx, r.content.Model)
	if err != nil {
		return err
	}
	corrupt := func(err error) error {
		return fmt.Errorf("snapshot %s: %s: %w: %w", r.snapshot.Manifest.ID, r.content.Model, snapshots.ErrCorrupt, err)
	}
	if r.model, err = mymodel.Decode(data); err != nil {
		return corrupt(err)
	}
	if len(r.content.Tables) != len(r.model.Tables) {
		return corrupt(fmt.Errorf("it has %d tables, the manifest %d", len(r.model.Tables), len(r.content.Tables)))
	}
	for i := range r.content.Tables {
		t := &r.content.Tables[i]
		of := r.model.Table(t.Name)
		if of == nil || of.Name == markTable {
			return corrupt(fmt.Errorf("table %s cannot be restored", t.FullName()))
		}
		columns := of.Copied()
		if len(columns) != len(t.Columns) {
			return corrupt(fmt.Errorf("table %s has other columns than its rows", t.Name))
		}
		for j, c := range columns {
			if c.Name != t.Columns[j] {
				return corrupt(fmt.Errorf("table %s has other columns than its rows", t.Name))
			}
		}
	}
	return nil
}

// chooseNames decides where to load, and refuses a target in use.
func (r *loading) chooseNames(ctx context.Context, at time.Time) error {
	name := r.name
	switch r.options.Mode {
	case target.Keep:
		return r.keepIn()
	case target.Drill:
		r.plan.Into = naming.Name(name, target.DrillMark, at)
		return r.server.may("restore beside database "+name, name, r.plan.Into)
	}
	r.plan.Into = naming.Name(name, target.LoadMark, at)
	aside := naming.Name(name, target.AsideMark, at)
	if r.plan.Target.State == target.Live {
		r.plan.Aside = aside
	}
	if err := r.server.may("replace database "+name, name, name, r.plan.Into, aside); err != nil {
		return err
	}
	if err := checkSwap(r.plan.Target, r.options.Disconnect); err != nil {
		return err
	}
	if !r.server.rights.may("PROCESS", name) {
		r.note("the login lacks PROCESS: sessions of other users on %s are not seen", name)
	}
	if err := r.noteStaying(ctx); err != nil {
		return err
	}
	if r.options.Disconnect == target.EndSessions {
		if err := r.server.mayKill(name, r.plan.Target.Sessions); err != nil {
			return err
		}
	}
	return r.findReady(ctx)
}

func (r *loading) note(format string, args ...any) {
	r.plan.Notes = append(r.plan.Notes, fmt.Sprintf(format, args...))
}

// noteStaying names what a swap does not touch: routines and events belong to
// the database, which keeps its name, and not to its tables.
func (r *loading) noteStaying(ctx context.Context) error {
	name := r.plan.Target.Name
	list, err := texts(ctx, r.server.db, `SELECT LOWER(routine_type), routine_name FROM information_schema.routines WHERE routine_schema = ?
		UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = ? ORDER BY 1, 2`, name, name)
	if err != nil {
		return fmt.Errorf("look for routines of database %s: %w", name, err)
	}
	for _, line := range list {
		r.note("%s %s stays in database %s as it is", line[0], line[1], name)
	}
	return nil
}

func (r *loading) keepIn() error {
	r.plan.Into = r.name
	switch {
	case r.plan.Target.State == target.Live:
		return fault.Refusedf("database %s exists and is not empty", r.plan.Into).
			WithHint("name a database that does not exist or is empty, or restore without --as to swap")
	case len(r.plan.Target.Sessions) > 0:
		return refuseInUse(r.plan.Into, r.plan.Target.Sessions)
	}
	return r.server.may("fill database "+r.plan.Into, r.plan.Into, r.plan.Into)
}

// findReady finds a database that an earlier restore of the same snapshot
// loaded and could not swap in.
func (r *loading) findReady(ctx context.Context) error {
	list, err := r.server.Beside(ctx, r.name)
	if err != nil {
		return err
	}
	if err := refuseInterrupted(list, r.name); err != nil {
		return err
	}
	for _, b := range list {
		switch {
		case b.Of != r.name:
		case b.Kind == target.Loaded && b.Snapshot == r.snapshot.Manifest.ID:
			r.plan.Into, r.plan.Ready = b.Name, true
		case b.Kind == target.Loading:
			return fault.Refusedf("another restore is loading database %s", b.Name).
				WithHint("wait until it is done, or stop it")
		}
	}
	return nil
}

// checkNames refuses names that the server would change: where it keeps names
// of tables in lower case, one with capitals would come back as another.
func (r *loading) checkNames(ctx context.Context) error {
	var lower int
	if err := r.server.db.QueryRowContext(ctx, "SELECT @@lower_case_table_names").Scan(&lower); err != nil {
		return fmt.Errorf("read lower_case_table_names: %w", err)
	}
	if lower != 1 {
		return nil
	}
	for _, t := range r.model.Tables {
		if strings.ToLower(t.Name) != t.Name {
			return fault.Refusedf("this server keeps names of tables in lower case and cannot hold table %s", t.Name).
				WithHint("restore on a server with lower_case_table_names=0")
		}
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
	if left := r.Abandon(context.WithoutCancel(ctx)); left != nil {
		return errors.Join(err, left)
	}
	return err
}

func (r *loading) load(ctx context.Context, report progress.Reporter) error {
	lock, err := connect(ctx, r.server.db, "")
	if err != nil {
		return err
	}
	// The lock says that this database is being loaded; it ends with its
	// session.
	defer lock.close()
	if err := r.create(ctx, lock); err != nil {
		return err
	}
	l, err := r.newLoader(ctx, report)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.run(ctx); err != nil {
		return err
	}
	r.notes = append(r.notes, l.notes...)
	if err := r.compareCatalog(ctx, l.workers[0].session); err != nil {
		return err
	}
	if r.options.Mode == target.SwapIn {
		return writeMark(ctx, lock, r.plan.Into, mark{State: stateLoaded, Snapshot: r.snapshot.Manifest.ID})
	}
	return dropMark(ctx, lock, r.plan.Into)
}

// create makes the database and marks it as being loaded.
func (r *loading) create(ctx context.Context, lock *session) error {
	if err := lock.takeLock(ctx, r.plan.Into); err != nil {
		return err
	}
	of := r.server.here().Database(r.model.Database)
	verb := "CREATE"
	if r.options.Mode == target.Keep && r.plan.Target.State != target.Missing {
		verb = "ALTER"
	}
	if err := lock.exec(ctx, verb+" DATABASE "+databaseForm(r.plan.Into, of)); err != nil {
		return fmt.Errorf("create database %s: %w", r.plan.Into, err)
	}
	r.created, r.touched = verb == "CREATE", true
	return writeMark(ctx, lock, r.plan.Into, mark{State: stateLoading, Snapshot: r.snapshot.Manifest.ID})
}

// databaseForm is what follows CREATE DATABASE or ALTER DATABASE.
func databaseForm(name string, of mymodel.Database) string {
	return fmt.Sprintf("%s CHARACTER SET %s COLLATE %s", mymodel.QuoteIdent(name), of.Charset, of.Collation)
}

// compareCatalog reads the catalog of the loaded database and compares it
// with the model.
func (r *loading) compareCatalog(ctx context.Context, s *session) error {
	loaded, err := r.server.catalogOf(ctx, s, r.plan.Into)
	if err != nil {
		return fmt.Errorf("database %s: %w", r.plan.Into, err)
	}
	if differences := mymodel.Compare(r.model, loaded); len(differences) > 0 {
		return fmt.Errorf("database %s is not what the snapshot says: %s (%d differences)", r.plan.Into, differences[0], len(differences))
	}
	return nil
}

// catalogOf reads a database of ours, without our mark in it.
func (s *Server) catalogOf(ctx context.Context, on *session, name string) (*mymodel.Model, error) {
	if err := on.exec(ctx, "USE "+mymodel.QuoteIdent(name)); err != nil {
		return nil, err
	}
	m, err := ReadCatalog(ctx, on, s.db.Server())
	if err != nil {
		return nil, err
	}
	for i := range m.Tables {
		if m.Tables[i].Name == markTable {
			m.Tables = append(m.Tables[:i], m.Tables[i+1:]...)
			break
		}
	}
	return m, nil
}

// Abandon drops what a failed load made.
func (r *loading) Abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	switch {
	case r.created:
		return r.server.drop(ctx, r.plan.Into)
	case r.touched:
		return r.server.clear(ctx, r.plan.Into)
	}
	return nil
}

// clear empties a database that a failed load has filled and that was empty
// before: it belongs to somebody else and cannot be dropped.
func (s *Server) clear(ctx context.Context, name string) error {
	list, err := texts(ctx, s.db, "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = ?", name)
	if err != nil {
		return fmt.Errorf("list what is in database %s: %w", name, err)
	}
	conn, err := connect(ctx, s.db, name)
	if err != nil {
		return err
	}
	defer conn.close()
	err = conn.exec(ctx, "SET SESSION foreign_key_checks = 0")
	for _, line := range list {
		kind := "TABLE "
		if line[1] == "VIEW" {
			kind = "VIEW "
		}
		if err == nil {
			err = conn.exec(ctx, "DROP "+kind+mymodel.QuoteIdent(line[0]))
		}
	}
	if err != nil {
		return fmt.Errorf("empty database %s: %w", name, err)
	}
	return nil
}
