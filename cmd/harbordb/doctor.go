package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/doctor"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
)

func doctorCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "every check at once, or what the lines of a log mean",
		ArgsUsage: "[FILE...]",
		Description: "Checks the database at one moment and changes nothing: each finding comes with its evidence, what comes of it, and the command " +
			"or advice that ends it. With --to it also says whether that release will start. Of the storage it repeats the last scan. " +
			"With --log it reads logs instead, of core, jobservice, registry and the database, as docker and kubectl print them; - is stdin; " +
			"a log that holds nothing known gives nothing. Exit 3 where something is wrong.",
		UsageText: "harbordb doctor\nharbordb doctor --to v2.11.0\nharbordb doctor --log core.log jobservice.log\nkubectl logs deploy/harbor-core | harbordb doctor --log -",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `RELEASE` of Harbor to go to, such as v2.11.0"},
			&cli.StringSliceFlag{Name: "log", Usage: "say what the lines of `FILE` mean; - is stdin; may be given again"},
		},
		Action: func(c *cli.Context) error { return runDoctor(c, s) },
	}
}

// doctorResult is the document of doctor. One of the two is there, or both.
type doctorResult struct {
	Database *doctor.Report `json:"database,omitempty"`
	Log      *logResult     `json:"log,omitempty"`
}

type logResult struct {
	Files   []string       `json:"files"`
	Records int            `json:"records"`
	Matches []doctor.Match `json:"matches"`
	healthy bool
}

func runDoctor(c *cli.Context, s *session) error {
	files := append(c.StringSlice("log"), c.Args().Slice()...)
	if c.NArg() > 0 && len(c.StringSlice("log")) == 0 {
		return fault.Usagef("harbordb doctor: one argument too many: %q", c.Args().First()).WithHint("logs are named with --log: harbordb doctor --log %s", c.Args().First())
	}
	var result doctorResult
	var err error
	if len(files) > 0 {
		if result.Log, err = s.readLogs(c.Context, files); err != nil {
			return err
		}
	}
	if len(files) == 0 || c.String("to") != "" {
		if result.Database, err = s.examine(c); err != nil {
			return err
		}
	}
	if err := s.console.print(result, result.text); err != nil {
		return err
	}
	return result.outcome()
}

// readLogs recognises the lines of files.
func (s *session) readLogs(ctx context.Context, files []string) (*logResult, error) {
	log := &doctor.Log{}
	for _, name := range files {
		if err := s.readLog(ctx, log, name); err != nil {
			return nil, err
		}
	}
	result := &logResult{Files: files, Records: log.Records, Matches: append([]doctor.Match{}, log.Matches()...), healthy: log.Healthy()}
	return result, nil
}

func (s *session) readLog(ctx context.Context, log *doctor.Log, name string) error {
	var from io.Reader = s.console.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fault.Failedf("--log: %w", err)
		}
		defer f.Close()
		from = f
	}
	return log.Read(ctx, name, from)
}

// examine checks the database.
func (s *session) examine(c *cli.Context) (*doctor.Report, error) {
	s.metrics.begin("doctor")
	var options doctor.Options
	if name := c.String("to"); name != "" {
		target, err := schema.ParseRelease(name)
		if err != nil {
			return nil, err
		}
		options.Target = &target
	}
	db, err := s.connect(c.Context)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := s.besideDatabase(c.Context, db, &options); err != nil {
		s.console.warn("snapshots and scans: %v", err)
	}
	if options.Now, err = db.Now(c.Context); err != nil {
		return nil, err
	}
	var done func()
	options.Progress, done = s.console.progress()
	defer done()
	var report doctor.Report
	err = inOneMoment(c.Context, db, func(tx *sql.Tx) error {
		report, err = doctor.Run(c.Context, tx, db.Engine(), db.Server(), options)
		return err
	})
	if err == nil {
		s.metrics.doctor(&report)
	}
	return &report, err
}

// besideDatabase reads what the store knows of the database: its snapshots and
// the last scan.
func (s *session) besideDatabase(ctx context.Context, db *database.DB, o *doctor.Options) error {
	store, err := s.openStore(ctx)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	system, err := db.SystemIdentifier(ctx)
	if err != nil {
		return err
	}
	entries, err := s.listSnapshots(ctx)
	if err != nil {
		return err
	}
	o.Snapshots = snapshots.OfSource(entries, snapshots.Source{Engine: string(db.Engine()), System: system, Database: db.Settings().Database})
	o.Scan, err = readLastScan(ctx, store, lastScanKey(system, db.Settings().Database))
	return err
}

func (r doctorResult) outcome() error {
	if r.Database != nil && !r.Database.Healthy() {
		first := r.Database.Findings[0]
		return fault.Foundf("%s", first.Text).WithHint("%s", first.Fix)
	}
	if r.Log != nil && !r.Log.healthy {
		first := r.Log.Matches[0]
		return fault.Foundf("%s", first.Means).WithHint("%s", first.Next)
	}
	return nil
}
