package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

func restoreCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "put a snapshot back in the place of the live database, and keep the old one",
		ArgsUsage: "[ID]",
		Description: "Checks the snapshot, loads it into a new database beside the live one, compares what was loaded, " +
			"and swaps both in one step. Until the swap the live database is untouched; after it the old one is kept as " +
			"<name>_before_<time>. ID is an ID, the beginning of one, a label, or latest.\n\n" +
			"All databases of the snapshot are restored together, or those that --databases names. " +
			"--rollback puts back what the last restore set aside; --discard drops it; --drill loads, compares and drops again; " +
			"--as loads one of them into another database and swaps nothing.",
		UsageText: "harbordb restore before-v2.11.0 --dry-run\n" +
			"harbordb restore 20261121T023000Z-3f9a1c --disconnect\n" +
			"harbordb restore --drill latest\n" +
			"harbordb restore latest --databases registry --as registry_of_yesterday\n" +
			"harbordb restore --rollback",
		Flags: []cli.Flag{
			dryRunFlag(),
			jobsFlag(),
			identityFlag(),
			&cli.StringSliceFlag{Name: "databases", Usage: "of the snapshot, or of what was set aside, only the databases `NAME,…`"},
			&cli.StringFlag{Name: "as", Usage: "load into the database `NAME`, which does not exist or is empty, and swap nothing"},
			&cli.BoolFlag{Name: "drill", Usage: "load into a throwaway database, compare, and drop it again"},
			&cli.BoolFlag{Name: "rollback", Usage: "put back the database that the last restore set aside"},
			&cli.BoolFlag{Name: "discard", Usage: "drop a database that a restore set aside; name it where there are several"},
			&cli.BoolFlag{Name: "disconnect", Usage: "end the sessions on the live database at the moment of the swap"},
			&cli.BoolFlag{Name: "skip-read-back", Usage: "do not read the loaded rows back; digests are checked in stream all the same"},
			&cli.BoolFlag{Name: "allow-unknown-objects", Usage: "restore objects that no Harbor has; they may run code"},
			&cli.BoolFlag{Name: "from-other-source", Usage: "replace the database by a snapshot of another one"},
		},
		Action: func(c *cli.Context) error { return runRestore(c, s) },
	}
}

// runRestore finds out which of its four tasks is meant.
func runRestore(c *cli.Context, s *session) error {
	tasks := 0
	for _, name := range []string{"drill", "rollback", "discard"} {
		if c.Bool(name) {
			tasks++
		}
	}
	if c.String("as") != "" {
		tasks++
	}
	id := c.Args().First()
	switch {
	case c.IsSet("as") && c.String("as") == "":
		return fault.Usagef("--as needs the name of a database")
	case tasks > 1:
		return fault.Usagef("--as, --drill, --rollback and --discard exclude each other")
	case c.Bool("discard"):
		return runDiscard(c, s, id)
	case c.Bool("rollback") && id != "":
		return fault.Usagef("--rollback takes no argument; it puts back what the last restore set aside")
	case c.Bool("rollback"):
		return runRollback(c, s)
	case id == "":
		return fault.Usagef("restore needs the ID of a snapshot").WithHint("harbordb snapshots ls shows them")
	}
	return restoreSnapshot(c, s, id)
}

// restorePlan is the document of restore --dry-run, and what is shown before
// the question.
type restorePlan struct {
	target.Plan
	Source snapshotRow   `json:"source"`
	Since  *target.Since `json:"since,omitempty"`
	// OIDCUsers counts the users whose old CLI secrets come back.
	OIDCUsers int64 `json:"oidc_users"`
	// LeftOut is what the snapshot does not have.
	LeftOut []string `json:"left_out"`
	// Stay are databases of the snapshot that are not restored.
	Stay       []string `json:"stay,omitempty"`
	own        bool     // Harbor's own database is restored
	signatures bool     // the keys of Notary are
	moments    string   // how far the databases are apart, where they are
}

func restoreSnapshot(c *cli.Context, s *session, ref string) error {
	drill := c.Bool("drill") && !c.Bool("dry-run") // it changes nothing that was there before, and asks nothing
	if drill {
		s.metrics.begin("drill")
	}
	n, err := jobs(c)
	if err != nil {
		return err
	}
	names, err := databaseNames(c)
	if err != nil {
		return err
	}
	settings, err := s.settings(c.Context)
	if err != nil {
		return err
	}
	keys, err := identities(c)
	if err != nil {
		return err
	}
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	snapshot, err := s.openSnapshot(c, server, settings, ref, keys)
	if err != nil {
		return err
	}
	chosen, err := backup.Select(snapshot, settings.Database, names)
	if err != nil {
		return refuseCorrupt(err)
	}
	options, err := restoreOptions(c, chosen, n)
	if err != nil {
		return err
	}
	restore, err := server.Plan(c.Context, snapshot, chosen.First, options)
	if err != nil {
		return refuseCorrupt(err)
	}
	p := newRestorePlan(restore.Plan(), snapshot, chosen)
	if err := s.belongs(c, server, snapshot.Manifest, settings.Database, p.Plan); err != nil {
		return err
	}
	if p.own {
		p.Since = s.since(c.Context, server, p.Plan, chosen.First.Time)
	}
	if drill {
		if err := s.carryOut(c, server, restore, p); err != nil {
			return err
		}
		s.metrics.snapshot(p.Source)
		return nil
	}
	ok, err := s.confirm(c, plan{value: p, text: p.text, question: p.question()})
	if err != nil || !ok {
		return err
	}
	return s.carryOut(c, server, restore, p)
}

func newRestorePlan(of target.Plan, snapshot *snapshots.Snapshot, chosen backup.Selection) restorePlan {
	p := restorePlan{Plan: of, Source: newSnapshotRow(entryOf(snapshot.Manifest)), LeftOut: []string{}, Stay: chosen.Stay,
		own: chosen.First.Name == snapshot.Manifest.Source.Database, moments: moments(snapshot.Manifest.Contents.Databases)}
	for _, d := range chosen.All() {
		p.LeftOut = append(p.LeftOut, leftOut(d, d != chosen.First)...)
		p.OIDCUsers += rowsOfTable(d, "oidc_user")
		p.signatures = p.signatures || rowsOfTable(d, "private_keys") > 0
	}
	return p
}

// leftOut names what a database of a snapshot lacks.
func leftOut(d *snapshots.Database, companion bool) []string {
	list := slices.Clone(d.LeftOut)
	for i := range list {
		if companion {
			list[i] = "database " + d.Name + ": " + list[i]
		}
	}
	return list
}

func restoreOptions(c *cli.Context, chosen backup.Selection, jobs int) (target.Options, error) {
	o := target.Options{Mode: target.SwapIn, Name: chosen.Name, Companions: chosen.Companions, Jobs: jobs, Disconnect: disconnect(c),
		SkipReadBack: c.Bool("skip-read-back"), AllowUnknownObjects: c.Bool("allow-unknown-objects")}
	switch as := c.String("as"); {
	case as != "" && len(chosen.Companions) > 0:
		return o, fault.Usagef("--as %s: the snapshot holds %d databases, and one can have that name", as, len(chosen.All())).
			WithHint("say which: --databases %s --as %s", chosen.First.Name, as)
	case as != "":
		o.Mode, o.Name = target.Keep, as
	case c.Bool("drill"):
		o.Mode = target.Drill
	}
	return o, nil
}

func disconnect(c *cli.Context) target.Disconnect {
	if c.Bool("disconnect") {
		return target.EndSessions
	}
	return target.Refuse
}

// openSnapshot resolves ref. latest means the latest of the target's own
// source, where the store has one.
func (s *session) openSnapshot(c *cli.Context, server target.Server, settings database.Settings, ref string, keys []age.Identity) (*snapshots.Snapshot, error) {
	store, err := s.openStore(c.Context)
	if err != nil {
		return nil, err
	}
	entries, err := snapshots.List(c.Context, store, time.Now())
	if err != nil {
		return nil, err
	}
	if ref == snapshots.Latest {
		if entries, err = ownSnapshots(c.Context, server, settings, entries); err != nil {
			return nil, err
		}
	}
	e, err := snapshots.Resolve(entries, ref)
	if err != nil {
		return nil, err
	}
	snapshot, err := snapshots.Open(c.Context, store, e.ID, keys...)
	if err != nil {
		return nil, refuseCorrupt(err)
	}
	return snapshot, backup.SameEngine(snapshot.Manifest, settings.Engine)
}

// refuseCorrupt makes a refusal of what is wrong with a snapshot.
func refuseCorrupt(err error) error {
	if !errors.Is(err, snapshots.ErrCorrupt) {
		return err
	}
	return fault.Refusedf("%w", err).WithHint("nothing was changed; harbordb snapshots verify says all that is wrong")
}

// ownSnapshots narrows latest to the database at hand. A new server has no
// snapshots of its own yet; then those of the same database name stand in.
func ownSnapshots(ctx context.Context, server target.Server, settings database.Settings, entries []snapshots.Entry) ([]snapshots.Entry, error) {
	system, err := server.System(ctx)
	if err != nil {
		return nil, err
	}
	own := snapshots.OfSource(entries, snapshots.Source{Engine: string(settings.Engine), System: system, Database: settings.Database})
	if len(own) > 0 {
		return own, nil
	}
	for _, e := range entries {
		if e.Manifest != nil && e.Manifest.Source.Database != settings.Database {
			return nil, fault.Refusedf("the store has no snapshot of database %s on this server; its latest are of other databases, %s on %s among them",
				settings.Database, e.Manifest.Source.Database, e.Manifest.Source.Host).
				WithHint("harbordb snapshots ls; then restore by ID")
		}
	}
	return entries, nil
}

// belongs refuses a snapshot of another Harbor, unless it is meant.
func (s *session) belongs(c *cli.Context, server target.Server, m *snapshots.Manifest, name string, p target.Plan) error {
	if p.Mode != target.SwapIn || c.Bool("from-other-source") {
		return nil
	}
	system, err := server.System(c.Context)
	if err != nil {
		return err
	}
	return backup.Belongs(m, system, name, p)
}

// since asks the live database, where there is one that will be replaced. It
// is for the operator's information: what cannot be counted stops nothing.
func (s *session) since(ctx context.Context, server target.Server, p target.Plan, moment time.Time) *target.Since {
	if p.Mode != target.SwapIn || p.Target.State != target.Live {
		return nil
	}
	found, err := server.Since(ctx, p.Target.Name, moment)
	if err != nil {
		s.console.warn("what was pushed since the snapshot could not be counted: %v", err)
	}
	return &found
}

func rowsOfTable(d *snapshots.Database, name string) (rows int64) {
	for _, t := range d.Tables {
		if t.Name == name {
			rows += t.Rows
		}
	}
	return rows
}

// carryOut loads and swaps. What killed restores left goes first.
func (s *session) carryOut(c *cli.Context, server target.Server, restore target.Restore, of restorePlan) error {
	for _, d := range restore.Plan().All() {
		swept, err := server.Sweep(c.Context, d.Target.Name)
		for _, b := range swept {
			s.console.warn("dropped database %s, left by a restore that was killed", b.Name)
		}
		if err != nil {
			return err
		}
	}
	report, done := s.console.progress()
	err := restore.Load(c.Context, report)
	done()
	if err != nil {
		return refuseCorrupt(err)
	}
	result, err := restore.Swap(c.Context)
	if err != nil {
		return err
	}
	return s.console.print(result, func(p *page) { of.resultText(p, result) })
}
