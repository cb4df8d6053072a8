package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

func snapshotsCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "snapshots",
		Usage: "list, show, verify and remove snapshots",
		Subcommands: []*cli.Command{
			{
				Name:        "ls",
				Usage:       "list the snapshots of the store",
				Description: "Lists every snapshot, oldest first, and what killed backups left. It connects to no database.",
				UsageText:   "harbordb snapshots ls --store /var/lib/harbordb",
				Action:      func(c *cli.Context) error { return runSnapshotsList(c.Context, s) },
			},
			{
				Name:        "show",
				Usage:       "show what a snapshot holds",
				ArgsUsage:   "ID",
				Description: "Shows where a snapshot comes from and how many rows each table has. ID is an ID, the beginning of one, a label, or latest.",
				UsageText:   "harbordb snapshots show latest",
				Flags:       []cli.Flag{identityFlag()},
				Action:      func(c *cli.Context) error { return runSnapshotsShow(c, s) },
			},
			{
				Name:        "verify",
				Usage:       "read a snapshot back and check every byte",
				ArgsUsage:   "ID",
				Description: "Reads all files of a snapshot and compares sizes, digests, rows and fingerprints with the manifest. It needs no database. Of an encrypted snapshot, sizes and digests are checked without --identity, and everything with it. Exit 3 where something is wrong.",
				UsageText:   "harbordb snapshots verify latest",
				Flags:       []cli.Flag{jobsFlag(), identityFlag()},
				Action:      func(c *cli.Context) error { return runSnapshotsVerify(c, s) },
			},
			{
				Name:      "diff",
				Usage:     "compare two snapshots, or a snapshot with the live database",
				ArgsUsage: "ID ID|live",
				Description: "Compares the schema, and the rows of each table by number and content. The word live stands for the database itself, " +
					"which is read as a backup would. Exit 0 whatever differs.",
				UsageText: "harbordb snapshots diff before-v2.11.0 live",
				Flags:     []cli.Flag{jobsFlag(), identityFlag()},
				Action:    func(c *cli.Context) error { return runSnapshotsDiff(c, s) },
			},
			{
				Name:        "rm",
				Usage:       "remove a snapshot",
				ArgsUsage:   "ID",
				Description: "Removes a snapshot, or what an unfinished backup left under an ID.",
				UsageText:   "harbordb snapshots rm 20261121T023000Z-3f9a1c --dry-run",
				Flags:       []cli.Flag{dryRunFlag()},
				Action:      func(c *cli.Context) error { return runSnapshotsRemove(c, s) },
			},
			snapshotsPruneCommand(s),
			snapshotsExportCommand(s),
			snapshotsImportCommand(s),
		},
	}
}

// snapshotRow is a snapshot in lists and results.
type snapshotRow struct {
	ID       snapshots.ID `json:"id"`
	State    string       `json:"state"` // good, corrupt, unfinished or running
	Problem  string       `json:"problem,omitempty"`
	Time     *time.Time   `json:"time,omitempty"`
	Label    string       `json:"label,omitempty"`
	Engine   string       `json:"engine,omitempty"`
	Server   string       `json:"server_version,omitempty"`
	System   string       `json:"system,omitempty"`
	Host     string       `json:"host,omitempty"`
	Database string       `json:"database,omitempty"`
	// Companions are the databases beside it, where they can be known.
	Companions []string `json:"companions,omitempty"`
	Schema     string   `json:"schema_version,omitempty"`
	Dirty      bool     `json:"dirty"`
	Releases   []string `json:"releases,omitempty"`
	// Rows is nil where nobody can know: the snapshot is encrypted and not
	// opened, corrupt or unfinished.
	Rows       *int64   `json:"rows,omitempty"`
	Stored     int64    `json:"stored_bytes"`
	Recipients []string `json:"recipients,omitempty"` // of an encrypted one
}

func newSnapshotRow(e snapshots.Entry) snapshotRow {
	row := snapshotRow{ID: e.ID, State: "good", Problem: e.Problem, Stored: e.Size}
	switch {
	case e.Running:
		row.State = "running"
	case e.Unfinished:
		row.State = "unfinished"
	case !e.Good():
		row.State = "corrupt"
	}
	m := e.Manifest
	if m == nil {
		return row
	}
	row.Time, row.Label = &m.Time, m.Label
	row.Engine, row.Server, row.System = m.Source.Engine, m.Source.Product+" "+m.Source.ServerVersion, m.Source.System
	row.Host, row.Database = m.Source.Host, m.Source.Database
	row.Schema, row.Dirty, row.Releases = m.Harbor.Version, m.Harbor.Dirty, m.Harbor.Releases
	if m.Encryption != nil {
		row.Recipients = m.Encryption.Recipients
	}
	if m.Contents != nil {
		rows := int64(0)
		for i := range m.Contents.Databases {
			d := &m.Contents.Databases[i]
			rows += d.Rows()
			if d.Name != row.Database {
				row.Companions = append(row.Companions, d.Name)
			}
		}
		row.Rows = &rows
	}
	return row
}

// rows is the number of rows for a person.
func (r snapshotRow) rows() string {
	switch {
	case r.Rows != nil:
		return humanCount(*r.Rows)
	case len(r.Recipients) > 0:
		return "encrypted"
	}
	return ""
}

// entryOf makes the list's entry of a manifest that was just written.
func entryOf(m *snapshots.Manifest) snapshots.Entry {
	e := snapshots.Entry{ID: m.ID, Manifest: m}
	for _, o := range m.Objects {
		e.Size += o.Size
	}
	return e
}

// harbor is the Harbor of a snapshot in a few words: "v2.11.0 – v2.11.2
// (schema 140)".
func (r snapshotRow) harbor() string {
	text := "schema " + r.Schema
	if n := len(r.Releases); n > 0 {
		span := r.Releases[0]
		if n > 1 {
			span += " – " + r.Releases[n-1]
		}
		text = span + " (" + text + ")"
	}
	if r.Dirty {
		text += ", dirty"
	}
	return text
}

func (r snapshotRow) cells() cells {
	if r.State == "unfinished" || r.State == "running" {
		return cells{string(r.ID), r.State, "", "", "", "", humanBytes(r.Stored)}
	}
	database := r.Database
	if n := len(r.Companions); n > 0 {
		database = fmt.Sprintf("%s +%d", database, n)
	}
	return cells{string(r.ID), r.State, r.Label, database, r.harbor(), r.rows(), humanBytes(r.Stored)}
}

func snapshotTable(p *page, rows []snapshotRow) {
	columns := []column{{title: "ID"}, {title: "STATE"}, {title: "LABEL", cut: true}, {title: "DATABASE", cut: true},
		{title: "HARBOR", cut: true}, {title: "ROWS", right: true}, {title: "STORED", right: true}}
	var table []cells
	for _, r := range rows {
		table = append(table, r.cells())
	}
	p.table(columns, table)
	for _, r := range rows {
		if r.Problem != "" {
			p.line("%s", r.Problem)
		}
	}
}

// listSnapshots lists the store; one that does not exist yet is empty.
func (s *session) listSnapshots(ctx context.Context) ([]snapshots.Entry, error) {
	store, err := s.openStore(ctx)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return snapshots.List(ctx, store, time.Now())
}

func runSnapshotsList(ctx context.Context, s *session) error {
	entries, err := s.listSnapshots(ctx)
	if err != nil {
		return err
	}
	rows := []snapshotRow{}
	for _, e := range entries {
		rows = append(rows, newSnapshotRow(e))
	}
	return s.console.print(rows, func(p *page) {
		if len(rows) == 0 {
			p.line("no snapshots in %s", s.global.store)
			return
		}
		snapshotTable(p, rows)
	})
}

// findSnapshot opens the store and resolves what the user typed.
func (s *session) findSnapshot(c *cli.Context, ref string) (blobstore.Store, snapshots.Entry, error) {
	store, err := s.openStore(c.Context)
	if err != nil {
		return nil, snapshots.Entry{}, err
	}
	entries, err := snapshots.List(c.Context, store, time.Now())
	if err != nil {
		return nil, snapshots.Entry{}, err
	}
	e, err := snapshots.Resolve(entries, ref)
	return store, e, err
}

// shownSnapshot is the document of snapshots show.
type shownSnapshot struct {
	snapshotRow
	Tool      string          `json:"tool"`
	Databases []shownDatabase `json:"databases"`
}

type shownDatabase struct {
	Name string    `json:"name"`
	Time time.Time `json:"time"`
	// OneMoment: all databases of the snapshot show the same.
	OneMoment bool         `json:"one_moment"`
	LeftOut   []string     `json:"left_out"`
	Tables    []shownTable `json:"tables"`
}

type shownTable struct {
	Name        string `json:"name"`
	Rows        int64  `json:"rows"`
	Bytes       int64  `json:"bytes"`
	Parts       int    `json:"parts"`
	Skipped     bool   `json:"skipped"`
	Fingerprint string `json:"fingerprint"`
}

func runSnapshotsShow(c *cli.Context, s *session) error {
	keys, err := identities(c)
	if err != nil {
		return err
	}
	store, e, err := s.findSnapshot(c, c.Args().First())
	if err != nil {
		return err
	}
	if !e.Good() {
		return fault.Foundf("%s", e.Problem).WithHint("harbordb snapshots verify %s says all that is wrong", e.ID)
	}
	if e.Manifest.Encryption != nil && len(keys) > 0 {
		opened, err := snapshots.Open(c.Context, store, e.ID, keys...)
		if err != nil {
			return err
		}
		e.Manifest = opened.Manifest
	}
	shown := shownSnapshot{snapshotRow: newSnapshotRow(e), Tool: e.Manifest.Tool, Databases: []shownDatabase{}}
	if contents := e.Manifest.Contents; contents != nil {
		for _, d := range contents.Databases {
			shown.Databases = append(shown.Databases, showDatabase(d))
		}
	}
	return s.console.print(shown, shown.text)
}

func showDatabase(d snapshots.Database) shownDatabase {
	shown := shownDatabase{Name: d.Name, Time: d.Time, OneMoment: d.OneMoment, LeftOut: append([]string{}, d.LeftOut...), Tables: []shownTable{}}
	for _, t := range d.Tables {
		shown.Tables = append(shown.Tables, shownTable{Name: t.FullName(), Rows: t.Rows, Bytes: t.Bytes,
			Parts: len(t.Parts), Skipped: t.Skipped, Fingerprint: t.Fingerprint})
	}
	return shown
}

func (s shownSnapshot) text(p *page) {
	p.fields(
		[2]string{"snapshot", string(s.ID)}, [2]string{"label", s.Label}, [2]string{"time", humanTime(*s.Time)},
		[2]string{"Harbor", s.harbor()}, [2]string{"server", s.Server}, [2]string{"host", s.Host},
		[2]string{"database", s.Database}, [2]string{"stored", humanBytes(s.Stored)}, [2]string{"made by", s.Tool},
		[2]string{"encrypted to", strings.Join(s.Recipients, ", ")},
	)
	if s.Rows == nil {
		p.line("--identity FILE, with the private key, shows the tables")
	}
	for _, d := range s.Databases {
		p.heading("database %s", d.Name)
		if !d.OneMoment {
			p.line("as it was at %s", d.Time.Format(time.RFC3339Nano))
		}
		var rows []cells
		for _, t := range d.Tables {
			count := humanCount(t.Rows)
			if t.Skipped {
				count = "left out"
			}
			rows = append(rows, cells{t.Name, count, humanBytes(t.Bytes)})
		}
		p.table([]column{{title: "TABLE", cut: true}, {title: "ROWS", right: true}, {title: "TEXT", right: true}}, rows)
		for _, o := range d.LeftOut {
			p.line("left out: %s", o)
		}
	}
}

func runSnapshotsVerify(c *cli.Context, s *session) error {
	s.metrics.begin("verify")
	n, err := jobs(c)
	if err != nil {
		return err
	}
	keys, err := identities(c)
	if err != nil {
		return err
	}
	store, e, err := s.findSnapshot(c, c.Args().First())
	if err != nil {
		return err
	}
	s.metrics.store = store
	if e.Manifest != nil {
		s.metrics.about(e.Manifest.Source.Host, e.Manifest.Source.Database)
	}
	v, err := s.verifySnapshot(c.Context, store, e.ID, n, keys)
	if err != nil {
		return err
	}
	if len(v.Problems) == 0 {
		s.metrics.snapshot(newSnapshotRow(e))
	}
	if err := s.console.print(v, func(p *page) { verificationText(p, v) }); err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return brokenSnapshot(v)
	}
	return nil
}

func (s *session) verifySnapshot(ctx context.Context, store blobstore.Reader, id snapshots.ID, jobs int, keys []age.Identity) (snapshots.Verification, error) {
	render := func(engine string) (snapshots.Renderer, error) { return backup.Renderer(engine) }
	report, done := s.console.progress()
	defer done()
	return snapshots.Verify(ctx, store, id, render, jobs, report, keys...)
}

func verificationText(p *page, v snapshots.Verification) {
	if len(v.Problems) == 0 && v.Depth == snapshots.DepthBytes {
		p.line("snapshot %s is as it was written: %d objects, %s; --identity FILE checks what they hold", v.ID, v.Objects, humanBytes(v.Bytes))
		return
	}
	if len(v.Problems) == 0 {
		p.line("snapshot %s is whole: %d objects, %s, %s rows", v.ID, v.Objects, humanBytes(v.Bytes), humanCount(v.Rows))
		return
	}
	p.line("snapshot %s does not verify:", v.ID)
	for _, problem := range v.Problems {
		p.line("  %s", problem)
	}
}

func brokenSnapshot(v snapshots.Verification) error {
	return fault.Foundf("snapshot %s does not verify: %s", v.ID, strings.Join(v.Problems[:1], "")).
		WithHint("take another one with harbordb backup; harbordb snapshots rm %s removes this one", v.ID)
}

func runSnapshotsRemove(c *cli.Context, s *session) error {
	store, err := s.openStore(c.Context)
	if err != nil {
		return err
	}
	entries, err := snapshots.List(c.Context, store, time.Now())
	if err != nil {
		return err
	}
	e, err := removable(entries, c.Args().First())
	if err != nil {
		return err
	}
	row := newSnapshotRow(e)
	ok, err := s.confirm(c, plan{value: row, question: "Remove snapshot " + string(e.ID) + "?", text: func(p *page) {
		p.line("remove %s", store)
		snapshotTable(p, []snapshotRow{row})
	}})
	if err != nil || !ok {
		return err
	}
	if err := snapshots.Remove(c.Context, store, e.ID); err != nil {
		return err
	}
	return s.console.print(row, func(p *page) { p.line("removed snapshot %s", e.ID) })
}

// removable is Resolve, but lets what an unfinished backup left be named by
// its whole ID, unless the backup is still running.
func removable(entries []snapshots.Entry, ref string) (snapshots.Entry, error) {
	for _, e := range entries {
		if string(e.ID) != ref || !e.Unfinished {
			continue
		}
		if e.Running {
			return e, fault.Refusedf("a backup is writing snapshot %s", e.ID)
		}
		return e, nil
	}
	return snapshots.Resolve(entries, ref)
}
