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

// restore is one restore, planned. Load and Swap do it.
type restore struct {
	plan target.Plan

	server   *Server
	snapshot *snapshots.Snapshot
	content  *snapshots.Database
	model    *mymodel.Model
	script   mymodel.Script
	options  target.Options
	created  bool     // the database is ours to drop
	touched  bool     // something of ours is in it
	notes    []string // of the server
}

var _ target.Restore = (*restore)(nil)

// Plan returns what the restore will do.
func (r *restore) Plan() target.Plan { return r.plan }

// Plan looks at snapshot and server and refuses what cannot work or would not
// be safe, before anything is changed.
func (s *Server) Plan(ctx context.Context, snapshot *snapshots.Snapshot, content *snapshots.Database, o target.Options) (target.Restore, error) {
	r := &restore{plan: target.Plan{Snapshot: snapshot.Manifest.ID, Mode: o.Mode, Notes: []string{}}, server: s,
		snapshot: snapshot, content: content, options: o}
	for _, t := range content.Tables {
		r.plan.Rows += t.Rows
		r.plan.Bytes += t.Bytes
	}
	if err := r.readModel(ctx); err != nil {
		return nil, err
	}
	if unknown := mymodel.UnknownObjects(r.model); len(unknown) > 0 && !o.AllowUnknownObjects {
		return nil, fault.Refusedf("the snapshot holds objects that no Harbor has: %s", listed(unknown)).
			WithHint("they may run code; if you know them, add --allow-unknown-objects")
	}
	var err error
	if r.plan.Target, err = s.look(ctx, o.Name); err != nil {
		return nil, err
	}
	if err := r.chooseNames(ctx); err != nil {
		return nil, err
	}
	if r.script, err = r.model.Render(s.here()); err != nil {
		return nil, err
	}
	return r, r.checkNames(ctx)
}

// readModel reads the model and proves that it and the manifest speak of the
// same tables and columns.
func (r *restore) readModel(ctx context.Context) error {
	data, err := r.snapshot.Object(ctx, r.content.Model)
	if err != nil {
		return err
	}
	corrupt := func(err error) error {
		return fmt.Errorf("snapshot %s: %s: %w: %w", r.plan.Snapshot, r.content.Model, snapshots.ErrCorrupt, err)
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
func (r *restore) chooseNames(ctx context.Context) error {
	name := r.options.Name
	form := loadMark
	switch r.options.Mode {
	case target.Keep:
		return r.keepIn()
	case target.Drill:
		form = drillMark
	}
	var err error
	if r.plan.Into, err = r.server.freeName(ctx, name, form); err != nil {
		return err
	}
	if form == drillMark {
		return r.server.may("restore beside database "+name, name, r.plan.Into)
	}
	aside, err := r.server.freeName(ctx, name, asideMark)
	if err != nil {
		return err
	}
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
	if r.options.Disconnect == target.EndSessions {
		if err := r.server.mayKill(name, r.plan.Target.Sessions); err != nil {
			return err
		}
	}
	return r.findReady(ctx)
}

func (r *restore) note(format string, args ...any) {
	r.plan.Notes = append(r.plan.Notes, fmt.Sprintf(format, args...))
}

func (r *restore) keepIn() error {
	r.plan.Into = r.options.Name
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
func (r *restore) findReady(ctx context.Context) error {
	list, err := r.server.Beside(ctx, r.options.Name)
	if err != nil {
		return err
	}
	if err := refuseInterrupted(list, r.options.Name); err != nil {
		return err
	}
	for _, b := range list {
		switch {
		case b.Kind == target.Loaded && b.Snapshot == r.plan.Snapshot:
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
func (r *restore) checkNames(ctx context.Context) error {
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

// Load fills and compares the database. Where it fails, what it made is gone
// again or is named in the error; the live database is not touched.
func (r *restore) Load(ctx context.Context, report progress.Reporter) error {
	if r.plan.Ready {
		return nil
	}
	err := r.load(ctx, report)
	if err == nil {
		return nil
	}
	if left := r.abandon(context.WithoutCancel(ctx)); left != nil {
		return errors.Join(err, left)
	}
	return err
}

func (r *restore) load(ctx context.Context, report progress.Reporter) error {
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
		return writeMark(ctx, lock, r.plan.Into, mark{State: stateLoaded, Snapshot: r.plan.Snapshot})
	}
	return dropMark(ctx, lock, r.plan.Into)
}

// create makes the database and marks it as being loaded.
func (r *restore) create(ctx context.Context, lock *session) error {
	if err := lock.takeLock(ctx, r.plan.Into); err != nil {
		return err
	}
	of := r.server.here().Database(r.model.Database)
	verb := "CREATE"
	if r.options.Mode == target.Keep && r.plan.Target.State != target.Missing {
		verb = "ALTER"
	}
	if err := lock.exec(ctx, databaseStatement(verb, r.plan.Into, of)); err != nil {
		return fmt.Errorf("create database %s: %w", r.plan.Into, err)
	}
	r.created, r.touched = verb == "CREATE", true
	return writeMark(ctx, lock, r.plan.Into, mark{State: stateLoading, Snapshot: r.plan.Snapshot})
}

func databaseStatement(verb, name string, of mymodel.Database) string {
	return fmt.Sprintf("%s DATABASE %s CHARACTER SET %s COLLATE %s", verb, mymodel.QuoteIdent(name), of.Charset, of.Collation)
}

// compareCatalog reads the catalog of the loaded database and compares it
// with the model.
func (r *restore) compareCatalog(ctx context.Context, s *session) error {
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

// abandon drops what a failed load made.
func (r *restore) abandon(ctx context.Context) error {
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

// Swap puts the loaded database in the place of the live one. A target in use
// without leave to end its sessions is refused, and the loaded database kept.
func (r *restore) Swap(ctx context.Context) (target.Result, error) {
	result := target.Result{Mode: r.options.Mode, Snapshot: r.plan.Snapshot, Database: r.options.Name, Rows: r.plan.Rows,
		Notes: append([]string{}, r.notes...)}
	switch r.options.Mode {
	case target.Drill:
		return result, r.server.drop(ctx, r.plan.Into)
	case target.Keep:
		return result, nil
	}
	live, err := r.server.look(ctx, r.options.Name)
	if err == nil {
		err = checkSwap(live, r.options.Disconnect)
	}
	var notes []string
	if err == nil {
		notes, err = r.server.swap(ctx, swapping{live: r.options.Name, with: r.plan.Into, aside: r.plan.Aside, how: r.options.Disconnect,
			after: &mark{State: stateLoaded, Snapshot: r.plan.Snapshot}})
	}
	if err != nil {
		return result, r.keptFor(err)
	}
	result.Aside, result.Notes = r.plan.Aside, append(result.Notes, notes...)
	return result, nil
}

// keptFor says that the long work was not for nothing.
func (r *restore) keptFor(err error) error {
	if hint := fault.HintOf(err); errors.Is(err, errHalf) {
		return fault.Hint(err, "%s", hint)
	}
	return fault.Hint(fmt.Errorf("%w; the snapshot is loaded and compared in database %s", err, r.plan.Into),
		"harbordb restore %s --disconnect swaps it in; harbordb restore --discard %s drops it", r.plan.Snapshot, r.plan.Into)
}
