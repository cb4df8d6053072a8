package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
)

func repairCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "repair",
		Usage: "put rows right that Harbor itself will not, and take that back",
		Subcommands: []*cli.Command{
			repairSchemaCommand(s),
			repairReplicationCommand(s),
			repairExecutionsCommand(s),
			{
				Name:  "ls",
				Usage: "list every repair in the store",
				Description: "Lists the journal of every repair. Where a process ended between its journal and its mark, the rows of the database " +
					"are asked what became of it, and how to go on is said.",
				UsageText: "harbordb repair ls",
				Action:    func(c *cli.Context) error { return runRepairList(c.Context, s) },
			},
			{
				Name:        "show",
				Usage:       "show one repair with all its rows",
				ArgsUsage:   "ID",
				Description: "Shows what a repair changed, row by row, from the journal. ID is an ID, the beginning of one, or latest.",
				UsageText:   "harbordb repair show latest",
				Action:      func(c *cli.Context) error { return runRepairShow(c, s) },
			},
			{
				Name:      "undo",
				Usage:     "put the rows of a repair back as they were",
				ArgsUsage: "ID",
				Description: "Puts every column of every row back, in one transaction. A row that somebody changed since is named, and nothing is done; " +
					"with --skip-changed such rows stay as they are and the others are put back. ID is an ID, the beginning of one, or latest.",
				UsageText: "harbordb repair undo latest --dry-run",
				Flags: []cli.Flag{dryRunFlag(),
					&cli.BoolFlag{Name: "skip-changed", Usage: "leave rows as they are that somebody changed since, and put the others back"}},
				Action: func(c *cli.Context) error { return runRepairUndo(c, s) },
			},
		},
	}
}

func repairSchemaCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "schema",
		Usage: "set a dirty or wrong schema version right",
		Description: "Reads the whole catalog, finds the version that the database is at, and makes schema_migrations (up to Harbor 1.5 alembic_version) " +
			"say so. It refuses while a migration runs, takes the migration lock that every Harbor takes, and leaves a healthy row alone.",
		UsageText: "harbordb repair schema --dry-run\nharbordb repair schema --version 140",
		Flags: []cli.Flag{dryRunFlag(),
			&cli.StringFlag{Name: "version", Usage: "set this version whatever the evidence says, such as `140`"}},
		Action: func(c *cli.Context) error {
			return runRepair(c, s, func(db *database.DB) (*repair.Plan, error) {
				return repair.PlanSchema(c.Context, db, c.String("version"))
			})
		},
	}
}

func repairReplicationCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "replication",
		Usage: "finish stuck replication, so that its policy can be deleted",
		Description: "Finds what keeps a replication policy from being deleted by the rule of the Harbor release at hand, and finishes it as that release " +
			"would have: jobs up to 1.7, tasks and executions later. A policy is named by its id or its name; a number is an id first.\n\n" +
			"Stop jobservice before: the age of a row does not prove that nobody works on it. With --policy every row of the policy is taken, " +
			"with --all those that nobody touched for 24 hours; rows that are left alone are counted, and the command ends with 3.",
		UsageText: "harbordb repair replication --policy 8 --dry-run\nharbordb repair replication --all --older-than 48h",
		Flags: append(stuckFlags(),
			&cli.StringFlag{Name: "policy", Usage: "the policy, by `ID` or name"},
			&cli.BoolFlag{Name: "all", Usage: "all policies, and those that are gone"}),
		Action: func(c *cli.Context) error { return runRepairReplication(c, s) },
	}
}

func repairExecutionsCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "executions",
		Usage: "finish stuck work of other kinds: garbage collection, scans, retention, …",
		Description: "Finishes executions and tasks of the named types that nobody touched for 24 hours. The types are " +
			strings.Join(repair.VendorTypes(), ", ") + ". SCHEDULER rows are Harbor's cron table and never stuck.",
		UsageText: "harbordb repair executions --type GARBAGE_COLLECTION --dry-run\nharbordb repair executions --type SCAN_ALL,IMAGE_SCAN",
		Flags: append(stuckFlags(),
			&cli.StringSliceFlag{Name: "type", Usage: "a `TYPE` of work; may be given several times"}),
		Action: func(c *cli.Context) error { return runRepairExecutions(c, s) },
	}
}

// stuckFlags are those of both repairs of stuck work.
func stuckFlags() []cli.Flag {
	return []cli.Flag{dryRunFlag(),
		&cli.StringFlag{Name: "older-than", Usage: "leave rows alone that were touched more recently, such as 48h or 7d (`AGE`; default: 0 with --policy, else 24h)"},
		&cli.StringFlag{Name: "as", Usage: "the `STATUS` that stuck work gets: finished, stopped or failed (default: finished up to Harbor 1.7, stopped later)"},
	}
}

func runRepairReplication(c *cli.Context, s *session) error {
	policy := c.String("policy")
	switch {
	case c.IsSet("policy") && c.Bool("all"):
		return fault.Usagef("--policy and --all exclude each other")
	case policy == "" && !c.Bool("all"):
		return fault.Usagef("repair replication needs --policy ID or --all").WithHint("such as --policy 8; --dry-run shows what would be done")
	}
	usual := repair.Day
	if policy != "" {
		usual = 0
	}
	options, err := stuckOptions(c, s, usual)
	if err != nil {
		return err
	}
	return runRepair(c, s, func(db *database.DB) (*repair.Plan, error) {
		return repair.PlanReplication(c.Context, db, policy, options)
	})
}

func runRepairExecutions(c *cli.Context, s *session) error {
	var types []string
	for _, name := range c.StringSlice("type") {
		parsed, err := repair.ParseVendorType(name)
		if err != nil {
			return err
		}
		types = append(types, parsed)
	}
	if len(types) == 0 {
		return fault.Usagef("repair executions needs --type").WithHint("one of %s", strings.Join(repair.VendorTypes(), ", "))
	}
	options, err := stuckOptions(c, s, repair.Day)
	if err != nil {
		return err
	}
	return runRepair(c, s, func(db *database.DB) (*repair.Plan, error) {
		return repair.PlanExecutions(c.Context, db, types, options)
	})
}

// stuckOptions reads stuckFlags.
func stuckOptions(c *cli.Context, s *session, usual time.Duration) (repair.Options, error) {
	o := repair.Options{OlderThan: usual, Deployment: s.deployment()}
	var err error
	if text := c.String("older-than"); text != "" {
		if o.OlderThan, err = parseAge(text); err != nil {
			return o, err
		}
	}
	if text := c.String("as"); text != "" {
		o.As, err = repair.ParseOutcome(text)
	}
	return o, err
}

// parseAge reads a duration as Go writes it, or days: 90m, 48h, 7d, 0.
func parseAge(text string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(text, "d")
	d, err := time.ParseDuration(text)
	if n, e := strconv.Atoi(days); isDays && e == nil {
		d, err = time.Duration(n)*repair.Day, nil
	}
	if err != nil || d < 0 || d > 100*365*repair.Day {
		return 0, fault.Usagef("--older-than %q: it is an age such as 90m, 48h or 7d", text)
	}
	return d, nil
}

// deployment is a guess at how this Harbor was installed, for the words of the
// advice: a pod knows that it is one, and the installer's settings files belong
// to the installer.
func (s *session) deployment() repair.Deployment {
	switch {
	case s.env.get("KUBERNETES_SERVICE_HOST") != "":
		return repair.Helm
	case s.global.harborConfig != "":
		return repair.Compose
	}
	return repair.Unknown
}

// repairDocument is the document of a repair: its plan, and, unless it is a dry
// run or there was nothing to do, what was done.
type repairDocument struct {
	*repair.Plan
	Result *repair.Result `json:"result,omitempty"`
}

// runRepair is every repair: plan, confirm, apply.
func runRepair(c *cli.Context, s *session, makePlan func(*database.DB) (*repair.Plan, error)) error {
	db, err := s.connectDirect(c.Context)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := makePlan(db)
	if err != nil {
		return err
	}
	document := repairDocument{Plan: p}
	if p.Empty() {
		return errors.Join(s.console.print(document, document.text), leftAlone(p))
	}
	ok, err := s.confirm(c, plan{value: document, text: document.text, question: fmt.Sprintf("Change %s in %s?", plural(len(p.Rows), "row"), p.Target.Database)})
	if err != nil {
		return err
	}
	if !ok {
		return leftAlone(p)
	}
	store, err := s.createStore(c.Context)
	if err != nil {
		return err
	}
	result, err := repair.Apply(c.Context, db, journal(store), p)
	if err != nil {
		return err
	}
	s.warnings(result.Warnings)
	document.Result = &result
	return errors.Join(s.console.print(document, document.resultText), leftAlone(p))
}

func journal(store blobstore.Store) *repair.Journal {
	return repair.NewJournal(store, rand.Reader, "harbordb "+readBuildInfo().Version)
}

func (s *session) warnings(list []string) {
	for _, warning := range list {
		s.console.warn("%s", warning)
	}
}

// leftAlone is the outcome of a repair that did not take all that is stuck.
func leftAlone(p *repair.Plan) error {
	if len(p.LeftAlone) == 0 {
		return nil
	}
	return fault.Foundf("%s left alone: touched less than %s ago", plural(len(p.LeftAlone), "stuck row"), humanDuration(p.OlderThan)).
		WithHint("--older-than 0 takes them in, once jobservice is stopped")
}

// runRepairList asks the database only about repairs that the journal leaves
// open, and can do without it.
func runRepairList(ctx context.Context, s *session) error {
	entries := []repair.Entry{}
	store, err := s.openStore(ctx)
	switch {
	case errors.Is(err, blobstore.ErrNotFound):
		return s.console.print(entries, func(p *page) { repairTable(p, entries) })
	case err != nil:
		return err
	}
	j := journal(store)
	if entries, err = j.List(ctx); err != nil {
		return err
	}
	s.settle(ctx, j, entries)
	return s.console.print(entries, func(p *page) { repairTable(p, entries) })
}

// settle asks the database about those repairs that are unsettled. What cannot
// be asked stays so, with a warning.
func (s *session) settle(ctx context.Context, j *repair.Journal, entries []repair.Entry) {
	unsettled := func(e repair.Entry) bool { return e.State == repair.Unsettled }
	if !slices.ContainsFunc(entries, unsettled) {
		return
	}
	db, err := s.connect(ctx)
	if err != nil {
		s.console.warn("the database was not asked what became of an unsettled repair: %v", err)
		return
	}
	defer db.Close()
	for i, e := range entries {
		if entries[i], err = j.Settle(ctx, db, e); err != nil {
			s.console.warn("the database does not say what became of repair %s: %v", e.ID, err)
		}
	}
}

// shownRepair is the document of repair show.
type shownRepair struct {
	repair.Entry
	Plan *repair.Plan `json:"plan"`
}

func runRepairShow(c *cli.Context, s *session) error {
	store, err := s.openStore(c.Context)
	if err != nil {
		return err
	}
	j := journal(store)
	id, err := j.Resolve(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	var shown shownRepair
	if shown.Entry, shown.Plan, err = j.Show(c.Context, id); err != nil {
		return err
	}
	list := []repair.Entry{shown.Entry}
	s.settle(c.Context, j, list)
	shown.Entry = list[0]
	return s.console.print(shown, shown.text)
}

// undoDocument is the document of an undo.
type undoDocument struct {
	*repair.UndoPlan
	Result *repair.Result `json:"result,omitempty"`
}

func runRepairUndo(c *cli.Context, s *session) error {
	store, err := s.openStore(c.Context)
	if err != nil {
		return err
	}
	j := journal(store)
	id, err := j.Resolve(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	db, err := s.connectDirect(c.Context)
	if err != nil {
		return err
	}
	defer db.Close()
	u, err := repair.PlanUndo(c.Context, db, j, id)
	if err != nil {
		return err
	}
	document := undoDocument{UndoPlan: u}
	onConflict := repair.Refuse
	if c.Bool("skip-changed") {
		onConflict = repair.Skip
	}
	refused := len(u.Conflicts) > 0 && onConflict == repair.Refuse
	if u.Empty() && !refused {
		return s.console.print(document, document.text)
	}
	if !refused || c.Bool("dry-run") {
		question := fmt.Sprintf("Put %s back in %s?", plural(len(u.Rows), "row"), u.Target.Database)
		ok, err := s.confirm(c, plan{value: document, text: document.text, question: question})
		if err != nil || !ok {
			return err
		}
	}
	result, err := repair.Undo(c.Context, db, j, u, onConflict)
	if err != nil {
		return err
	}
	s.warnings(result.Warnings)
	document.Result = &result
	return s.console.print(document, document.resultText)
}
