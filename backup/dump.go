// Package backup takes snapshots of a Harbor database and puts them back.
//
// A dump holds the database at one moment, copies it in parallel into a
// snapshot and changes nothing at the source; a restore loads beside the live
// database, compares, and swaps. The engines (backup/postgres, backup/mysql)
// know their servers; this package knows the order of steps. It must never
// leave a snapshot that is listed but not whole, and never touch a live
// database before everything that can fail has succeeded.
package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/mysql"
	"github.com/harbordb/harbordb/backup/postgres"
	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
)

// Options say how a snapshot is taken. The zero value takes everything with
// one job.
type Options struct {
	Label string
	Jobs  int
	Tool  string // the harbordb that takes it, for the manifest
	// LeaveOutUnsupported leaves out, by name, objects that a snapshot
	// cannot carry; without it they refuse the backup.
	LeaveOutUnsupported bool
	// SkipData names tables of the Harbor database whose rows are left out,
	// as SkipTables returns them.
	SkipData []string
	// Companions name databases of the same server that are taken with the
	// Harbor database, as CheckCompanions returns them.
	Companions []string
}

// Dump is a Harbor database with its companions, held at one moment, ready to
// be written. The caller closes it.
type Dump struct {
	options Options
	held    source.Set
	from    snapshots.Source
	harbor  snapshots.Harbor
}

// Estimate is what a dump will cost, as far as it can be known.
type Estimate struct {
	Tables int   `json:"tables"`
	Parts  int   `json:"parts"`
	Bytes  int64 `json:"bytes"`        // of the tables in the database, without indexes
	Stored int64 `json:"stored_bytes"` // of the snapshot, roughly
}

// storedShare is how much of a table's size its rows take in a snapshot, in
// per cent: a quarter on Harbor's own data, more where values were compressed
// in the database already.
const storedShare = 30

// Open holds the database at one moment. It fails with a fault of kind
// Refused where the database holds what a snapshot cannot carry, or where a
// migration is under way.
func Open(ctx context.Context, db *database.DB, options Options) (*Dump, error) {
	harbor, err := describeHarbor(ctx, db)
	if err != nil {
		return nil, err
	}
	from, err := describeSource(ctx, db)
	if err != nil {
		return nil, err
	}
	held, err := hold(ctx, db, options)
	if err != nil {
		return nil, err
	}
	d := &Dump{options: options, held: held, from: from, harbor: harbor}
	if err := d.checkHarbor(ctx, db); err != nil {
		held.Close()
		return nil, err
	}
	return d, nil
}

// checkHarbor looks at version and migration lock once more, now that the
// moment is held: what is the same before and after it was so at it.
func (d *Dump) checkHarbor(ctx context.Context, db *database.DB) error {
	now, err := describeHarbor(ctx, db)
	if err != nil {
		return err
	}
	if now.Version != d.harbor.Version || now.Dirty != d.harbor.Dirty {
		return fault.Refusedf("the schema version went from %s to %s while the snapshot began", d.harbor.Version, now.Version).
			WithHint("take the snapshot before the upgrade, or when Harbor's core has started")
	}
	return nil
}

// openers hold databases of each engine; the only place of a dump that tells
// them apart.
var openers = map[database.Engine]func(ctx context.Context, db *database.DB, names []string, options Options) (source.Set, error){
	database.PostgreSQL: holdPostgreSQL,
	database.MySQL:      holdMySQL,
}

// hold holds the Harbor database and its companions.
func hold(ctx context.Context, db *database.DB, options Options) (source.Set, error) {
	open, ok := openers[db.Engine()]
	if !ok {
		return source.Set{}, fault.Refusedf("snapshots of %s are not supported", db.Server().Product)
	}
	return open(ctx, db, append([]string{db.Settings().Database}, options.Companions...), options)
}

func holdPostgreSQL(ctx context.Context, db *database.DB, names []string, options Options) (source.Set, error) {
	return postgres.OpenSources(ctx, db, names, max(options.Jobs, 1),
		postgres.Choice{Unsupported: options.LeaveOutUnsupported, SkipData: options.skip()})
}

func holdMySQL(ctx context.Context, db *database.DB, names []string, options Options) (source.Set, error) {
	return mysql.OpenSources(ctx, db, names, max(options.Jobs, 1),
		mysql.Choice{Unsupported: options.LeaveOutUnsupported, SkipData: options.skip()})
}

func (o Options) skip() map[string]bool {
	skip := map[string]bool{}
	for _, t := range o.SkipData {
		skip[t] = true
	}
	return skip
}

// describeHarbor reads which Harbor this is, and refuses while its schema is
// being migrated: the dump would be one moment, but of a half-migrated Harbor.
func describeHarbor(ctx context.Context, db *database.DB) (snapshots.Harbor, error) {
	running, err := schema.MigrationRunning(ctx, db, db.Engine())
	if err != nil {
		return snapshots.Harbor{}, fmt.Errorf("look for a running migration: %w", err)
	}
	for _, migrator := range running {
		if migrator.Activity == schema.HoldsLock {
			return snapshots.Harbor{}, fault.Refusedf("a schema migration is under way: %s", migrator).
				WithHint("take the snapshot before the upgrade, or when Harbor's core has started")
		}
	}
	record, err := schema.Recorded(ctx, db, db.Engine())
	if err != nil {
		return snapshots.Harbor{}, err
	}
	h := snapshots.Harbor{Version: record.String(), Releases: []string{}}
	if row, ok := record.One(); ok {
		h.Version, h.Dirty = row.Version.String(), row.Dirty
	}
	for _, r := range record.Releases() {
		h.Releases = append(h.Releases, r.String())
	}
	return h, nil
}

func describeSource(ctx context.Context, db *database.DB) (snapshots.Source, error) {
	system, err := db.SystemIdentifier(ctx)
	if err != nil {
		return snapshots.Source{}, fmt.Errorf("identify server: %w", err)
	}
	server, settings := db.Server(), db.Settings()
	return snapshots.Source{
		Engine: string(db.Engine()), Product: server.Product,
		ServerVersion: server.Version, ServerNumber: server.Number,
		System: system, Host: settings.Host, Database: settings.Database,
	}, nil
}

// Close lets go of the databases.
func (d *Dump) Close() error { return d.held.Close() }

// Time returns the moment at which the Harbor database is held, by its
// server's clock.
func (d *Dump) Time() time.Time { return d.held.Databases[0].Describe().Time }

// OneMoment tells whether all databases are held at the same moment.
func (d *Dump) OneMoment() bool { return d.held.OneMoment }

// LeftOut names what the snapshot will not hold.
func (d *Dump) LeftOut() []string {
	var list []string
	for i, held := range d.held.Databases {
		about := held.Describe()
		for _, o := range about.LeftOut {
			if i > 0 {
				o = "database " + about.Name + ": " + o
			}
			list = append(list, o)
		}
	}
	return list
}

// Estimate returns what the dump will cost.
func (d *Dump) Estimate() Estimate {
	var e Estimate
	models := int64(0)
	for _, held := range d.held.Databases {
		e.Tables += len(held.Describe().Tables)
		e.Parts += len(held.Parts())
		for _, p := range held.Parts() {
			e.Bytes += p.Bytes
		}
		models += int64(len(held.Describe().Model))
	}
	e.Stored = e.Bytes/100*storedShare + models
	return e
}

// Write copies the databases into the snapshot that w has begun and returns
// its manifest. Where it fails, it aborts w: nothing of the snapshot is left
// behind, or the error names what is.
func (d *Dump) Write(ctx context.Context, w *snapshots.Writer, report progress.Reporter) (*snapshots.Manifest, error) {
	m, err := d.write(ctx, w, report)
	if err != nil {
		if left := w.Abort(ctx); left != nil {
			return nil, fmt.Errorf("%w (and its folder could not be removed: %v)", err, left)
		}
		return nil, err
	}
	return m, nil
}

func (d *Dump) write(ctx context.Context, w *snapshots.Writer, report progress.Reporter) (*snapshots.Manifest, error) {
	report.Begin("dump", d.Estimate().Bytes, progress.Bytes)
	contents := &snapshots.Contents{}
	parts := 0
	for i, held := range d.held.Databases {
		c := copying{Source: held, to: w, first: parts, report: report}
		content, err := c.copyAll(ctx, snapshots.SchemaNames(i))
		if err != nil {
			return nil, err
		}
		content.OneMoment = d.held.OneMoment
		contents.Databases = append(contents.Databases, content)
		parts += len(held.Parts())
	}
	m := &snapshots.Manifest{Time: d.Time(), Label: d.options.Label, Tool: d.options.Tool, Source: d.from, Harbor: d.harbor, Contents: contents}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m, w.Commit(ctx, m)
}
