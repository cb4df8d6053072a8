package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
)

func statusCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the server, Harbor's release, sizes, snapshots, and where each setting came from",
		Description: "Shows at a glance what harbordb is connected to and what is there. It changes nothing, and ends with 0 " +
			"whenever it could connect: what it finds wrong it tells, and doctor judges. Harbor's release is the one that the " +
			"recorded schema version names.",
		UsageText: "harbordb status --harbor-config /opt/harbor/harbor.yml\nharbordb status -o json",
		Action:    func(c *cli.Context) error { return runStatus(c.Context, s) },
	}
}

// status is the document of the command; docs/json/status.md describes it. A
// part that could not be read has a problem in place of its values.
type status struct {
	Server    statusServer    `json:"server"`
	Settings  []statusSetting `json:"settings"`
	Database  statusDatabase  `json:"database"`
	Harbor    statusHarbor    `json:"harbor"`
	Snapshots statusSnapshots `json:"snapshots"`
	Beside    statusBeside    `json:"beside"`
}

type statusServer struct {
	Engine  database.Engine `json:"engine"`
	Product string          `json:"product"`
	Version string          `json:"version"`
	System  string          `json:"system"`
	Time    time.Time       `json:"time"`              // the server's clock
	Pooled  bool            `json:"connection_pooler"` // it is not reached directly
}

type statusSetting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

type statusDatabase struct {
	Name    string          `json:"name"`
	Bytes   int64           `json:"bytes"`
	Largest []database.Size `json:"largest_tables"`
	Problem string          `json:"problem,omitempty"`
}

type statusHarbor struct {
	Version  string   `json:"schema_version"` // as recorded; empty where it is not one clean version
	Recorded string   `json:"recorded"`       // the record in words
	Dirty    bool     `json:"dirty"`
	Releases []string `json:"releases"`
	Shown    string   `json:"catalog_shows,omitempty"` // the version that the catalog itself shows
	Findings []string `json:"findings"`
	Running  []string `json:"migrating"` // sessions that migrate right now
	// Background is what core does by itself after an upgrade and has not
	// finished.
	Background []schema.Work `json:"background"`
	Problem    string        `json:"problem,omitempty"`
}

type statusSnapshots struct {
	Store      string          `json:"store"`
	Good       int             `json:"good"`
	Corrupt    int             `json:"corrupt"`
	Unfinished int             `json:"unfinished"`
	Bytes      int64           `json:"bytes"`
	Latest     *statusSnapshot `json:"latest,omitempty"` // of this database
	Problem    string          `json:"problem,omitempty"`
}

// statusBeside are the databases that restores made beside this one: set aside,
// loading, loaded, or left by one that was killed.
type statusBeside struct {
	Databases []target.Beside `json:"databases"`
	Problem   string          `json:"problem,omitempty"`
}

type statusSnapshot struct {
	ID       snapshots.ID `json:"id"`
	Time     time.Time    `json:"time"`
	Label    string       `json:"label,omitempty"`
	Version  string       `json:"schema_version"`
	Releases []string     `json:"releases"`
}

// largestTables is how many tables status names.
const largestTables = 5

func runStatus(ctx context.Context, s *session) error {
	db, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	report, err := s.readStatus(ctx, db)
	if err != nil {
		return err
	}
	return s.console.print(report, report.text)
}

// readStatus asks for each part by itself, so that one that fails does not
// hide the others. It fails only where the connection does.
func (s *session) readStatus(ctx context.Context, db *database.DB) (*status, error) {
	report := &status{Settings: settingsOf(db.Settings())}
	var err error
	if report.Server, err = serverOf(ctx, db); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		read    func() error
		problem *string
	}{
		{func() error { return report.Database.read(ctx, db) }, &report.Database.Problem},
		{func() error { return report.Harbor.read(ctx, db) }, &report.Harbor.Problem},
		{func() error { return report.Snapshots.read(ctx, s, report.Server, db.Settings()) }, &report.Snapshots.Problem},
		{func() error { return report.Beside.read(ctx, db.Settings()) }, &report.Beside.Problem},
	} {
		if err := part.read(); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			*part.problem = problem(err)
		}
	}
	return report, nil
}

// problem is an error as one line of a report.
func problem(err error) string {
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += "; " + hint
	}
	return text
}

// settingsOf lists the settings of a connection; the password is named only.
func settingsOf(set database.Settings) []statusSetting {
	values := []statusSetting{
		{Name: "host", Value: set.Host},
		{Name: "port", Value: fmt.Sprint(set.Port)},
		{Name: "user", Value: set.User},
		{Name: "password", Value: set.Password.String()},
		{Name: "database", Value: set.Database},
		{Name: "sslmode", Value: string(set.TLS.Mode)},
		{Name: "sslrootcert", Value: strings.Join(nonEmpty(set.TLS.CAFile, set.TLS.ExtraCAFile), ", ")},
	}
	for i := range values {
		values[i].Origin = set.Origin[values[i].Name]
	}
	return values
}

func nonEmpty(list ...string) []string {
	var out []string
	for _, text := range list {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

func serverOf(ctx context.Context, db *database.DB) (statusServer, error) {
	about := db.Server()
	server := statusServer{Engine: db.Engine(), Product: about.Product, Version: about.Version}
	var err error
	if server.Time, err = db.Now(ctx); err != nil {
		return server, err
	}
	if server.System, err = db.SystemIdentifier(ctx); err != nil {
		return server, err
	}
	err = db.CheckDirect(ctx)
	server.Pooled = fault.KindOf(err) == fault.Refused
	if err != nil && !server.Pooled {
		return server, err
	}
	return server, nil
}

func (d *statusDatabase) read(ctx context.Context, db *database.DB) error {
	d.Name, d.Largest = db.Settings().Database, []database.Size{}
	var err error
	if d.Bytes, err = db.Size(ctx); err != nil {
		return err
	}
	d.Largest, err = db.LargestTables(ctx, largestTables)
	return err
}

func (h *statusHarbor) read(ctx context.Context, db *database.DB) error {
	h.Releases, h.Findings, h.Running, h.Background = []string{}, []string{}, []string{}, []schema.Work{}
	evidence, err := schema.Inspect(ctx, db, db.Engine())
	if err != nil {
		return err
	}
	h.Recorded = evidence.Record.String()
	if row, ok := evidence.Record.One(); ok {
		h.Version, h.Dirty = row.Version.String(), row.Dirty
	}
	if value, ok := evidence.Record.AlembicValue(); ok {
		h.Version = value
	}
	for _, release := range evidence.Record.Releases() {
		h.Releases = append(h.Releases, "v"+release.Name)
	}
	h.Shown = evidence.Verdict.Shown.String()
	h.Findings = append(h.Findings, evidence.Verdict.Findings...)
	for _, m := range evidence.Running {
		h.Running = append(h.Running, m.String())
	}
	work, err := schema.BackgroundWork(ctx, db, evidence.Record)
	h.Background = append(h.Background, work...)
	return err
}

func (r *statusSnapshots) read(ctx context.Context, s *session, server statusServer, set database.Settings) error {
	r.Store = s.global.store
	store, err := s.openStore(ctx)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil // nobody has made one yet
	}
	if err != nil {
		return err
	}
	entries, err := snapshots.List(ctx, store, server.Time)
	if err != nil {
		return err
	}
	here := snapshots.Source{Engine: string(server.Engine), System: server.System, Database: set.Database}
	for _, e := range entries {
		r.Bytes += e.Size
		switch {
		case e.Unfinished:
			r.Unfinished++
		case !e.Good():
			r.Corrupt++
		default:
			r.Good++
			if m := e.Manifest; m.Source.SameSource(here) {
				r.Latest = &statusSnapshot{ID: m.ID, Time: m.Time, Label: m.Label, Version: m.Harbor.Version, Releases: m.Harbor.Releases}
			}
		}
	}
	return nil
}

func (b *statusBeside) read(ctx context.Context, set database.Settings) error {
	b.Databases = []target.Beside{}
	server, err := backup.OpenServer(ctx, set)
	if fault.KindOf(err) == fault.Refused && err != nil {
		return nil // no restore can have been here
	}
	if err != nil {
		return err
	}
	defer server.Close()
	list, err := server.Beside(ctx, set.Database)
	b.Databases = append(b.Databases, list...)
	return err
}
