package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
)

func schemaCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "schema",
		Usage: "which version the database is at, and whether a release will start on it",
		Subcommands: []*cli.Command{
			{
				Name:  "status",
				Usage: "compare the recorded version with what the catalog itself shows",
				Description: "Reads the version row and the whole catalog, finds the version whose catalog it is, and says whether the row is honest, " +
					"and what is missing, changed or added. It changes nothing. Exit 3 where the row lies, is dirty or is gone, or the catalog is damaged.",
				UsageText: "harbordb schema status\nharbordb schema status -o json",
				Action:    func(c *cli.Context) error { return runSchemaStatus(c.Context, s) },
			},
			{
				Name:  "check",
				Usage: "say whether a release will start on this database",
				Description: "Plays what the core of a release does as it starts: which migrations it runs, what they cost, which would fail on this data and " +
					"on which rows, which server and which bundled data folder it needs, and what a later downgrade would meet. For a downgrade it says how " +
					"core refuses, and which snapshots fit. It changes nothing. Exit 0 yes, 3 no. A release that is not known is described by its folder of " +
					"migration files, make/migrations/postgresql of its sources.",
				UsageText: "harbordb schema check --to v2.11.0\nharbordb schema check --to v2.17.0 --migrations harbor/make/migrations/postgresql",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "to", Usage: "the `RELEASE` of Harbor, such as v2.11.0"},
					&cli.StringFlag{Name: "migrations", Usage: "the migration files of the release, in `DIR`"},
				},
				Action: func(c *cli.Context) error { return runSchemaCheck(c, s) },
			},
			{
				Name:        "releases",
				Usage:       "list every release with its schema version",
				Description: "Lists the releases from 1.1.0 on with the schema version that each ends at, its bundled database server, and its golang-migrate. It connects to no database.",
				UsageText:   "harbordb schema releases",
				Action:      func(*cli.Context) error { return runSchemaReleases(s) },
			},
		},
	}
}

// inOneMoment runs read in a transaction that shows one moment and can write
// nothing.
func inOneMoment(ctx context.Context, db *database.DB, read func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a read-only transaction: %w", err)
	}
	defer tx.Rollback() // nothing was written
	return read(tx)
}

// schemaStatus is the document of schema status.
type schemaStatus struct {
	schema.Evidence
	Decision schema.Decision `json:"decision"` // what repair schema would do
}

func runSchemaStatus(ctx context.Context, s *session) error {
	db, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	var status schemaStatus
	err = inOneMoment(ctx, db, func(tx *sql.Tx) error {
		status.Evidence, err = schema.Inspect(ctx, tx, db.Engine())
		return err
	})
	if err != nil {
		return err
	}
	status.Decision = schema.Decide(status.Evidence)
	if err := s.console.print(status, status.text); err != nil {
		return err
	}
	return status.outcome()
}

// outcome is the error that the command ends with: nil where all is well.
func (s schemaStatus) outcome() error {
	if s.Verdict.Healthy() {
		return nil
	}
	found := fault.Foundf("%s", s.Verdict.Findings[0])
	switch s.Decision.Action {
	case schema.Set, schema.Empty:
		return found.WithHint("harbordb repair schema")
	case schema.Refuse:
		if len(s.Decision.Next) > 0 {
			return found.WithHint("%s", s.Decision.Next[0])
		}
		return found.WithHint("%s", s.Decision.Why[0])
	}
	return found
}

// schemaCheck is the document of schema check.
type schemaCheck struct {
	schema.Preflight
	Snapshots []fittingSnapshot `json:"snapshots"` // of this database, that the release starts on
}

// fittingSnapshot is a snapshot with how it fits the release.
type fittingSnapshot struct {
	snapshotRow
	Fit schema.Fit `json:"fit"`
}

func runSchemaCheck(c *cli.Context, s *session) error {
	target, err := targetRelease(c)
	if err != nil {
		return err
	}
	db, err := s.connect(c.Context)
	if err != nil {
		return err
	}
	defer db.Close()
	check := schemaCheck{Snapshots: []fittingSnapshot{}}
	err = inOneMoment(c.Context, db, func(tx *sql.Tx) error {
		check.Preflight, err = schema.Check(c.Context, tx, db.Engine(), db.Server(), target)
		return err
	})
	if err != nil {
		return err
	}
	if err := check.addSnapshots(c.Context, s, db); err != nil {
		s.console.warn("snapshots: %v", err)
	}
	if err := s.console.print(check, check.text); err != nil {
		return err
	}
	return check.outcome()
}

// targetRelease reads --to and --migrations.
func targetRelease(c *cli.Context) (schema.Release, error) {
	name, dir := c.String("to"), c.String("migrations")
	switch {
	case name == "":
		return schema.Release{}, fault.Usagef("harbordb schema check needs --to RELEASE").WithHint("such as --to v2.11.0; harbordb schema releases lists them")
	case dir == "":
		return schema.ParseRelease(name)
	}
	if _, err := os.ReadDir(dir); err != nil {
		return schema.Release{}, fault.Usagef("--migrations: %w", err).WithHint("give the folder make/migrations/postgresql of Harbor's sources")
	}
	return schema.ReleaseFromFolder(name, os.DirFS(dir))
}

// addSnapshots lists the snapshots of this database that the release starts
// on.
func (k *schemaCheck) addSnapshots(ctx context.Context, s *session, db *database.DB) error {
	entries, err := s.listSnapshots(ctx)
	if err != nil || len(entries) == 0 {
		return err
	}
	system, err := db.SystemIdentifier(ctx)
	if err != nil {
		return err
	}
	here := snapshots.Source{Engine: string(db.Engine()), System: system, Database: db.Settings().Database}
	for _, e := range snapshots.OfSource(entries, here) {
		if !e.Good() {
			continue
		}
		if fit := k.Target.Fit(e.Manifest.Harbor.Version, e.Manifest.Harbor.Dirty); fit != schema.Unfit {
			k.Snapshots = append(k.Snapshots, fittingSnapshot{newSnapshotRow(e), fit})
		}
	}
	return nil
}

func (k schemaCheck) outcome() error {
	if k.OK() {
		return nil
	}
	severity, words := schema.Blocks, "will not start on this database, or not get through"
	if k.Answer == schema.Unsafe {
		severity, words = schema.Danger, "would start, and do harm"
	}
	first := k.Blocking(severity)[0]
	return fault.Foundf("%s %s: %s", k.Target, words, first.Text).WithHint("%s", first.Fix)
}

func runSchemaReleases(s *session) error {
	list := schema.Releases()
	return s.console.print(list, func(p *page) {
		columns := []column{{title: "RELEASE"}, {title: "DATE"}, {title: "SCHEMA", right: true}, {title: "DATABASE"}, {title: "GOLANG-MIGRATE"}}
		var rows []cells
		for _, r := range list {
			version := r.Alembic
			if version == "" {
				version = r.Max.String()
			}
			rows = append(rows, cells{r.String(), r.Date, version, r.Server(), r.Migrate})
		}
		p.table(columns, rows)
	})
}
