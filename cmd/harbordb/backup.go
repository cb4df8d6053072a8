package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

func backupCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "backup",
		Usage: "take a snapshot of the Harbor database",
		Description: "Copies the whole database at one moment into a new snapshot of the store, while Harbor runs. " +
			"Nothing is written to the database and nothing is locked against Harbor. " +
			"What a snapshot cannot carry is refused by name before anything is written.\n\n" +
			"With --databases further databases of the same server are taken with it, at the same moment: those of Notary, above all. " +
			"What is found beside and not named is told.\n\n" +
			"With --recipient every file of the snapshot is encrypted before it leaves this process; who has the private key, " +
			"and nobody else, reads it.",
		UsageText: "harbordb backup --label before-v2.11.0 --verify\n" +
			"harbordb backup --databases notaryserver,notarysigner\n" +
			"harbordb backup --recipients-file /etc/harbordb/recipients.txt",
		Flags: append(recipientFlags(),
			&cli.StringFlag{Name: "label", Usage: "a `TEXT` by which the snapshot can be named later"},
			jobsFlag(),
			&cli.BoolFlag{Name: "verify", Usage: "read the whole snapshot back at once"},
			&cli.StringSliceFlag{Name: "databases", Usage: "take the databases `NAME,…` of the same server with the Harbor database"},
			&cli.StringSliceFlag{Name: "skip-data", Usage: "leave out the rows of tables: scan (results of scans), audit (the log of who did what), or the name of a `TABLE`; several with commas"},
			&cli.BoolFlag{Name: "leave-out-unsupported", Usage: "leave out, by name, objects that a snapshot cannot carry"},
		),
		Action: func(c *cli.Context) error { return runBackup(c, s) },
	}
}

// jobsFlag is --jobs; by default the cores, at most four, so that Harbor keeps
// some of its server.
func jobsFlag() cli.Flag {
	return &cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Value: min(runtime.NumCPU(), 4), DefaultText: "the cores, at most 4", Usage: "how many connections work side by side (`N`)"}
}

func jobs(c *cli.Context) (int, error) {
	n := c.Int("jobs")
	if n < 1 || n > 64 {
		return 0, fault.Usagef("--jobs %d: it is a number from 1 to 64", n)
	}
	return n, nil
}

// backupResult is the document of backup.
type backupResult struct {
	Snapshot snapshotRow `json:"snapshot"`
	// Verified tells whether the snapshot was read back.
	Verified bool `json:"verified"`
	// OneMoment: all databases show the same moment.
	OneMoment bool             `json:"one_moment"`
	Databases []backupDatabase `json:"databases"`
	// Beside are databases of other parts of Harbor that were not taken.
	Beside  []backup.Companion `json:"beside"`
	LeftOut []string           `json:"left_out"`
	Swept   []string           `json:"swept"` // what killed backups had left, and is gone now
	Seconds float64            `json:"seconds"`
}

// backupDatabase is a database that was taken.
type backupDatabase struct {
	Name string    `json:"name"`
	Time time.Time `json:"time"`
	Rows int64     `json:"rows"`
}

func runBackup(c *cli.Context, s *session) error {
	s.metrics.begin("backup")
	n, err := jobs(c)
	if err != nil {
		return err
	}
	to, err := recipients(c)
	if err != nil {
		return err
	}
	if err := checkLabel(c.String("label")); err != nil {
		return err
	}
	db, err := s.connectDirect(c.Context)
	if err != nil {
		return err
	}
	defer db.Close()
	options, err := backupOptions(c, db, n)
	if err != nil {
		return err
	}
	store, err := s.createStore(c.Context)
	if err != nil {
		return err
	}
	s.metrics.store = store
	began := time.Now()
	result := backupResult{Beside: s.notTaken(c.Context, db, options.Companions)}
	if result.Swept, err = s.sweepSnapshots(c.Context, store); err != nil {
		return err
	}
	m, err := s.takeSnapshot(c, store, db, options, to)
	if err != nil {
		return err
	}
	result.took(m)
	if c.Bool("verify") {
		v, err := s.verifySnapshot(c.Context, store, m.ID, n, nil)
		if err != nil {
			return err
		}
		if len(v.Problems) > 0 {
			return brokenSnapshot(v)
		}
		result.Verified = true
	}
	result.Snapshot = newSnapshotRow(entryOf(m))
	s.metrics.snapshot(result.Snapshot)
	result.Seconds = time.Since(began).Seconds()
	return s.console.print(result, result.text)
}

// took enters what is in the snapshot.
func (r *backupResult) took(m *snapshots.Manifest) {
	r.OneMoment, r.LeftOut = true, []string{}
	for i := range m.Contents.Databases {
		d := &m.Contents.Databases[i]
		r.OneMoment = r.OneMoment && d.OneMoment
		r.Databases = append(r.Databases, backupDatabase{Name: d.Name, Time: d.Time, Rows: d.Rows()})
		r.LeftOut = append(r.LeftOut, leftOut(d, i > 0)...)
	}
}

// notTaken tells of databases of Harbor that are there and that nobody named.
// It is for the operator's information: what cannot be found out stops nothing.
func (s *session) notTaken(ctx context.Context, db *database.DB, taken []string) []backup.Companion {
	found, err := backup.Companions(ctx, db)
	if err != nil {
		s.console.warn("%v", err)
	}
	beside := []backup.Companion{}
	for _, f := range found {
		if !slices.Contains(taken, f.Name) {
			beside = append(beside, f)
		}
	}
	return beside
}

// databaseNames reads --databases.
func databaseNames(c *cli.Context) ([]string, error) {
	var names []string
	for _, name := range c.StringSlice("databases") {
		if name = strings.TrimSpace(name); name == "" {
			return nil, fault.Usagef("--databases: a name is empty")
		}
		names = append(names, name)
	}
	if c.IsSet("databases") && len(names) == 0 {
		return nil, fault.Usagef("--databases needs the name of a database")
	}
	return names, nil
}

// backupOptions reads the flags that say what is taken.
func backupOptions(c *cli.Context, db *database.DB, jobs int) (backup.Options, error) {
	var names []string
	for _, name := range c.StringSlice("skip-data") {
		names = append(names, strings.TrimSpace(name))
	}
	skip, err := backup.SkipTables(c.Context, db, names)
	if err != nil {
		return backup.Options{}, err
	}
	databases, err := databaseNames(c)
	if err != nil {
		return backup.Options{}, err
	}
	companions, err := backup.CheckCompanions(c.Context, db, databases)
	return backup.Options{
		Label: c.String("label"), Jobs: jobs, Tool: readBuildInfo().tool(),
		LeaveOutUnsupported: c.Bool("leave-out-unsupported"), SkipData: skip, Companions: companions,
	}, err
}

// checkLabel refuses what could be taken for something else.
func checkLabel(label string) error {
	if label == snapshots.Latest || label == live {
		return fault.Usagef("--label %s: the word has a meaning of its own", label)
	}
	if _, err := snapshots.ParseID(label); err == nil {
		return fault.Usagef("--label %s: it looks like the ID of a snapshot", label)
	}
	if strings.Contains(label, ",") {
		return fault.Usagef("--label %s: a comma separates labels where several can be given", label)
	}
	if len(label) > 200 || strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.Usagef("--label: it is one line of at most 200 bytes")
	}
	return nil
}

func (s *session) takeSnapshot(c *cli.Context, store blobstore.Store, db *database.DB, options backup.Options, to []snapshots.Recipient) (*snapshots.Manifest, error) {
	d, err := backup.Open(c.Context, db, options)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	e := d.Estimate()
	if err := s.checkSpace(store, e); err != nil {
		return nil, err
	}
	s.console.say("%s of rows in %d tables, about %s as a snapshot", humanBytes(e.Bytes), e.Tables, humanBytes(e.Stored))
	for _, o := range d.LeftOut() {
		s.console.warn("left out: %s", o)
	}
	id, err := snapshots.NewID(d.Time(), rand.Reader)
	if err != nil {
		return nil, err
	}
	w, err := snapshots.NewWriter(c.Context, store, id, nil, to...)
	if err != nil {
		return nil, err
	}
	report, done := s.console.progress()
	defer done()
	return d.Write(c.Context, w, report)
}

// spaced is a store that knows how much room is left.
type spaced interface {
	Free() (bytes int64, known bool)
}

// checkSpace refuses a backup that cannot fit, and warns where it may not:
// the estimate is a guess, rows compress to between a tenth and a half.
func (s *session) checkSpace(store blobstore.Store, e backup.Estimate) error {
	on, ok := store.(spaced)
	if !ok {
		return nil
	}
	free, known := on.Free()
	switch {
	case !known:
		return nil
	case free < e.Stored/3:
		return fault.Refusedf("%s has %s free, the snapshot needs about %s", store, humanBytes(free), humanBytes(e.Stored)).
			WithHint("make room, or name another store with --store")
	case free < e.Stored:
		s.console.warn("%s has %s free, the snapshot may need %s", store, humanBytes(free), humanBytes(e.Stored))
	}
	return nil
}

// sweepSnapshots removes what killed backups left and tells of it.
func (s *session) sweepSnapshots(ctx context.Context, store blobstore.Store) ([]string, error) {
	swept, err := snapshots.Sweep(ctx, store, time.Now())
	names := []string{}
	for _, e := range swept {
		names = append(names, string(e.ID))
		s.console.warn("removed %s of an unfinished backup, %s", humanBytes(e.Size), e.ID)
	}
	return names, err
}

func (r backupResult) text(p *page) {
	var names, beside, needed []string
	for _, d := range r.Databases {
		names = append(names, d.Name)
	}
	for _, b := range r.Beside {
		beside = append(beside, fmt.Sprintf("%s (%s, %s)", b.Name, b.Of, humanBytes(b.Bytes)))
		if !b.Rebuilt {
			needed = append(needed, b.Name)
		}
	}
	moment := ""
	if !r.OneMoment {
		moment = "not one: the databases could not be caught at the same time"
	}
	p.line("snapshot %s of %s", r.Snapshot.ID, strings.Join(names, ", "))
	p.fields(
		[2]string{"label", r.Snapshot.Label},
		[2]string{"Harbor", r.Snapshot.harbor()},
		[2]string{"rows", r.Snapshot.rows()},
		[2]string{"moment", moment},
		[2]string{"encrypted to", strings.Join(r.Snapshot.Recipients, ", ")},
		[2]string{"stored", humanBytes(r.Snapshot.Stored)},
		[2]string{"took", fmt.Sprintf("%.1f s", r.Seconds)},
		[2]string{"verified", map[bool]string{true: "every byte was read back", false: ""}[r.Verified]},
		[2]string{"left out", strings.Join(r.LeftOut, ", ")},
		[2]string{"beside, not taken", strings.Join(beside, ", ")},
	)
	if len(needed) > 0 {
		p.line("--databases %s takes them with it; signatures of images are in them", strings.Join(needed, ","))
	}
	if !r.Verified {
		p.line("harbordb snapshots verify %s reads it back; keep secretKey, Redis and certificates beside it", r.Snapshot.ID)
	}
}
