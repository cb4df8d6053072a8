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
			"--rollback puts back what the last restore set aside; --discard drops it; --drill loads, compares and drops again; " +
			"--as loads into another database and swaps nothing.",
		UsageText: "harbordb restore before-v2.11.0 --dry-run\n" +
			"harbordb restore 20261121T023000Z-3f9a1c --disconnect\n" +
			"harbordb restore --drill latest\n" +
			"harbordb restore --rollback",
		Flags: []cli.Flag{
			dryRunFlag(),
			jobsFlag(),
			identityFlag(),
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
}

func restoreSnapshot(c *cli.Context, s *session, ref string) error {
	n, err := jobs(c)
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
	options := restoreOptions(c, settings, n)
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	snapshot, err := s.openSnapshot(c, server, settings, ref, keys)
	if err != nil {
		return err
	}
	content, err := backup.Content(snapshot)
	if err != nil {
		return err
	}
	restore, err := server.Plan(c.Context, snapshot, content, options)
	if err != nil {
		return refuseCorrupt(err)
	}
	p := restorePlan{Plan: restore.Plan(), Source: newSnapshotRow(entryOf(snapshot.Manifest)), OIDCUsers: rowsOfTable(content, "oidc_user"),
		LeftOut: append([]string{}, content.LeftOut...)}
	if err := s.belongs(c, server, snapshot.Manifest, settings.Database, p.Plan); err != nil {
		return err
	}
	p.Since = s.since(c.Context, server, p.Plan, content.Time)
	if p.Mode == target.Drill && !c.Bool("dry-run") { // changes nothing that was there before
		return s.carryOut(c, server, restore, settings.Database)
	}
	ok, err := s.confirm(c, plan{value: p, text: p.text, question: p.question()})
	if err != nil || !ok {
		return err
	}
	return s.carryOut(c, server, restore, settings.Database)
}

func restoreOptions(c *cli.Context, settings database.Settings, jobs int) target.Options {
	o := target.Options{Mode: target.SwapIn, Name: settings.Database, Jobs: jobs, Disconnect: disconnect(c),
		SkipReadBack: c.Bool("skip-read-back"), AllowUnknownObjects: c.Bool("allow-unknown-objects")}
	switch {
	case c.String("as") != "":
		o.Mode, o.Name = target.Keep, c.String("as")
	case c.Bool("drill"):
		o.Mode = target.Drill
	}
	return o
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
	return backup.Belongs(m, system, p.Target)
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
func (s *session) carryOut(c *cli.Context, server target.Server, restore target.Restore, name string) error {
	swept, err := server.Sweep(c.Context, name)
	for _, b := range swept {
		s.console.warn("dropped database %s, left by a restore that was killed", b.Name)
	}
	if err != nil {
		return err
	}
	report, done := s.console.progress()
	err = restore.Load(c.Context, report)
	done()
	if err != nil {
		return refuseCorrupt(err)
	}
	result, err := restore.Swap(c.Context)
	if err != nil {
		return err
	}
	return s.console.print(result, func(p *page) { resultText(p, result) })
}

func resultText(p *page, r target.Result) {
	switch r.Mode {
	case target.Drill:
		p.line("drill of snapshot %s: loaded, compared and dropped, %s rows", r.Snapshot, humanCount(r.Rows))
	case target.Keep:
		p.line("loaded snapshot %s into database %s, %s rows", r.Snapshot, r.Database, humanCount(r.Rows))
	default:
		p.line("database %s is snapshot %s now, %s rows", r.Database, r.Snapshot, humanCount(r.Rows))
	}
	for _, n := range r.Notes {
		p.line("note: %s", n)
	}
	if r.Aside != "" {
		p.line("what it was before is database %s", r.Aside)
		p.line("harbordb restore --rollback puts it back; harbordb restore --discard %s drops it", r.Aside)
	}
	if r.Mode == target.SwapIn {
		p.line("next: flush Redis while jobservice is stopped, then start Harbor of the snapshot's release")
	}
}

func (r restorePlan) question() string {
	if r.Mode == target.Keep {
		return fmt.Sprintf("Load snapshot %s into database %s?", r.Plan.Snapshot, r.Into)
	}
	return fmt.Sprintf("Replace database %s by snapshot %s?", r.Target.Name, r.Plan.Snapshot)
}

func (r restorePlan) text(p *page) {
	p.fields(
		[2]string{"snapshot", string(r.Plan.Snapshot)},
		[2]string{"taken", humanTime(*r.Source.Time)},
		[2]string{"Harbor", r.Source.harbor()},
		[2]string{"rows", humanCount(r.Rows)},
	)
	p.heading("what happens")
	if r.Ready {
		p.line("  database %s is loaded and compared already", r.Into)
	} else {
		p.line("  load into database %s and compare", r.Into)
	}
	switch {
	case r.Mode == target.Drill:
		p.line("  drop it again")
	case r.Mode == target.SwapIn && r.Aside != "":
		p.line("  rename database %s (%s, %s) to %s", r.Target.Name, r.Target.State, humanBytes(r.Target.Bytes), r.Aside)
		p.line("  rename database %s to %s, in the same transaction", r.Into, r.Target.Name)
	case r.Mode == target.SwapIn:
		p.line("  rename it to %s, which does not exist yet", r.Target.Name)
	}
	for _, session := range r.Target.Sessions {
		p.line("  end %s at the swap", session)
	}
	for _, n := range r.Notes {
		p.line("  note: %s", n)
	}
	for _, o := range r.LeftOut {
		p.line("  note: the snapshot was taken without %s", o)
	}
	if r.Mode == target.SwapIn {
		r.caveats(p)
	}
}

// caveats say what a database alone does not bring back.
func (r restorePlan) caveats(p *page) {
	p.heading("what a database alone does not bring back")
	p.line("  the secretKey file must be the one of the snapshot's time, or stored passwords cannot be read")
	p.line("  Redis holds jobs of today: stop jobservice and flush it before Harbor starts again")
	if r.Since != nil && r.Since.GarbageCollections != nil && *r.Since.GarbageCollections > 0 {
		p.line("  %s garbage collections ran since: blobs that they removed stay gone; harbordb orphans scan finds them", humanCount(*r.Since.GarbageCollections))
	} else {
		p.line("  blobs that a garbage collection has removed since stay gone; harbordb orphans scan finds them")
	}
	if r.Since != nil && r.Since.ArtifactsPushed != nil && *r.Since.ArtifactsPushed > 0 {
		p.line("  %s artifacts were pushed since: Harbor will not know them, push them again", humanCount(*r.Since.ArtifactsPushed))
	}
	if r.OIDCUsers > 0 {
		p.line("  the CLI secrets of %s OIDC users become those of the snapshot", humanCount(r.OIDCUsers))
	}
}

func runRollback(c *cli.Context, s *session) error {
	settings, err := s.settings(c.Context)
	if err != nil {
		return err
	}
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	r, err := server.PlanRollback(c.Context, settings.Database, disconnect(c))
	if err != nil {
		return err
	}
	ok, err := s.confirm(c, plan{value: r, question: "Put database " + r.Back.Name + " back?", text: func(p *page) { rollbackText(p, r) }})
	if err != nil || !ok {
		return err
	}
	if err := server.Rollback(c.Context, r, disconnect(c)); err != nil {
		return err
	}
	return s.console.print(r, func(p *page) {
		p.line("database %s is what was set aside at %s", r.Target.Name, humanTime(r.Back.Time))
		if r.Aside != "" {
			p.line("what it was before is database %s", r.Aside)
		}
	})
}

func rollbackText(p *page, r target.Rollback) {
	if r.Aside != "" {
		p.line("rename database %s (%s) to %s", r.Target.Name, humanBytes(r.Target.Bytes), r.Aside)
	}
	p.line("rename database %s (%s, set aside %s) to %s", r.Back.Name, humanBytes(r.Back.Bytes), humanTime(r.Back.Time), r.Target.Name)
	for _, session := range r.Target.Sessions {
		p.line("end %s", session)
	}
}

func runDiscard(c *cli.Context, s *session, name string) error {
	settings, err := s.settings(c.Context)
	if err != nil {
		return err
	}
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	list, err := server.Beside(c.Context, settings.Database)
	if err != nil {
		return err
	}
	b, err := target.Choose(list, settings.Database, name)
	if err != nil {
		return err
	}
	ok, err := s.confirm(c, plan{value: b, question: "Drop database " + b.Name + "?", text: func(p *page) {
		p.line("drop database %s (%s, %s since %s)", b.Name, humanBytes(b.Bytes), strings.ReplaceAll(string(b.Kind), "-", " "), humanTime(b.Time))
	}})
	if err != nil || !ok {
		return err
	}
	if err := server.Discard(c.Context, b); err != nil {
		return err
	}
	return s.console.print(b, func(p *page) { p.line("dropped database %s", b.Name) })
}
