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
	"golang.org/x/sync/errgroup"
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
	// SkipData names tables whose rows are left out, as SkipTables
	// returns them.
	SkipData []string
}

// Dump is a database held at one moment, ready to be written. The caller
// closes it.
type Dump struct {
	options Options
	source  source.Source
	about   source.Description
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
	src, err := openSource(ctx, db, options)
	if err != nil {
		return nil, err
	}
	d := &Dump{options: options, source: src, about: src.Describe(), from: from, harbor: harbor}
	if err := d.checkHarbor(ctx, db); err != nil {
		src.Close()
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

// openers opens a source of each engine; the only place of this package that
// tells them apart.
var openers = map[database.Engine]func(context.Context, *database.DB, Options) (source.Source, error){
	database.PostgreSQL: openPostgreSQL,
	database.MySQL:      openMySQL,
}

func openSource(ctx context.Context, db *database.DB, options Options) (source.Source, error) {
	open, ok := openers[db.Engine()]
	if !ok {
		return nil, fault.Refusedf("snapshots of %s are not supported", db.Server().Product)
	}
	return open(ctx, db, options)
}

func openPostgreSQL(ctx context.Context, db *database.DB, options Options) (source.Source, error) {
	return postgres.OpenSource(ctx, db, db.Settings().Database, max(options.Jobs, 1),
		postgres.Choice{Unsupported: options.LeaveOutUnsupported, SkipData: options.skip()})
}

func openMySQL(ctx context.Context, db *database.DB, options Options) (source.Source, error) {
	return mysql.OpenSource(ctx, db, db.Settings().Database, max(options.Jobs, 1),
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

// Close lets go of the database.
func (d *Dump) Close() error { return d.source.Close() }

// Time returns the moment at which the database is held, by its server's
// clock.
func (d *Dump) Time() time.Time { return d.about.Time }

// LeftOut names what the snapshot will not hold.
func (d *Dump) LeftOut() []string { return d.about.LeftOut }

// Estimate returns what the dump will cost.
func (d *Dump) Estimate() Estimate {
	e := Estimate{Tables: len(d.about.Tables), Parts: len(d.source.Parts())}
	for _, p := range d.source.Parts() {
		e.Bytes += p.Bytes
	}
	e.Stored = e.Bytes/100*storedShare + int64(len(d.about.Model))
	return e
}

// Write copies the database into the snapshot that w has begun and returns its
// manifest. Where it fails, it aborts w: nothing of the snapshot is left
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
	content := snapshots.Database{
		Name: d.about.Name, Time: d.about.Time, OneMoment: true,
		Model: "schema.json", Pre: "schema.pre.sql", Post: "schema.post.sql",
		Tables: d.about.Tables, LeftOut: d.about.LeftOut,
	}
	for name, data := range map[string][]byte{
		content.Model: d.about.Model, content.Pre: []byte(d.about.Pre), content.Post: []byte(d.about.Post),
	} {
		if err := w.Put(ctx, name, data); err != nil {
			return nil, err
		}
	}
	report.Begin("dump", d.Estimate().Bytes, progress.Bytes)
	if err := d.copyParts(ctx, w, content.Tables, report); err != nil {
		return nil, err
	}
	var err error
	if content.Sequences, err = d.source.Finish(ctx); err != nil {
		return nil, err
	}
	m := &snapshots.Manifest{
		Time: d.about.Time, Label: d.options.Label, Tool: d.options.Tool, Source: d.from, Harbor: d.harbor,
		Contents: &snapshots.Contents{Databases: []snapshots.Database{content}},
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m, w.Commit(ctx, m)
}

// copied is a part with what came out of it.
type copied struct {
	part        snapshots.Part
	fingerprint snapshots.Fingerprint
}

// copyParts copies every part and enters what was written into the tables.
func (d *Dump) copyParts(ctx context.Context, w *snapshots.Writer, tables []snapshots.Table, report progress.Reporter) error {
	parts := d.source.Parts()
	done := make([]copied, len(parts))
	err := d.eachPart(ctx, func(ctx context.Context, worker source.Worker, queue <-chan int) error {
		out, err := w.NewPartWriter()
		if err != nil {
			return err
		}
		for i := range queue {
			if done[i], err = copyPart(ctx, worker, out, parts[i], i); err != nil {
				return err
			}
			report.Add(parts[i].Bytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return enter(tables, parts, done)
}

// eachPart runs work on every worker; all of them take from one queue.
func (d *Dump) eachPart(ctx context.Context, work func(ctx context.Context, worker source.Worker, queue <-chan int) error) error {
	n := len(d.source.Parts())
	queue := make(chan int, n)
	for i := range n {
		queue <- i
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for _, worker := range d.source.Workers() {
		group.Go(func() error { return work(ctx, worker, queue) })
	}
	return group.Wait()
}

func copyPart(ctx context.Context, worker source.Worker, out *snapshots.PartWriter, p source.Part, i int) (copied, error) {
	if err := ctx.Err(); err != nil {
		return copied{}, err
	}
	if err := out.Begin(ctx, fmt.Sprintf("data/%06d.zst", i+1)); err != nil {
		return copied{}, err
	}
	if err := worker.Copy(ctx, p, out); err != nil {
		_ = out.Cancel()
		return copied{}, err
	}
	part, fingerprint, err := out.End()
	return copied{part, fingerprint}, err
}

// enter adds the parts up, in the order of the queue.
func enter(tables []snapshots.Table, parts []source.Part, done []copied) error {
	for i, p := range parts {
		t := &tables[p.Table]
		sum, err := snapshots.ParseFingerprint(t.Fingerprint)
		if err != nil {
			return err
		}
		t.Fingerprint = sum.Add(done[i].fingerprint).String()
		t.Rows += done[i].part.Rows
		t.Bytes += done[i].part.Bytes
		t.Parts = append(t.Parts, done[i].part)
	}
	return nil
}
