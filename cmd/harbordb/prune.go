package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

func snapshotsPruneCommand(s *session) *cli.Command {
	count := func(name, usage string) cli.Flag { return &cli.IntFlag{Name: name, Usage: usage} }
	return &cli.Command{
		Name:  "prune",
		Usage: "remove old snapshots by rules, and what killed backups left",
		Description: "Keeps what any of the rules wants and removes the other snapshots, of each database by itself: " +
			"a rule counts hours, days, weeks, months or years that have a snapshot, and keeps the newest of each; -1 keeps all. " +
			"Times are UTC.\n\n" +
			"Whatever the rules, the newest good snapshot of a database stays, and so does the last one from before the schema " +
			"version changed, which is the way back from an upgrade. harbordb snapshots rm ID removes those by name.",
		UsageText: "harbordb snapshots prune --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run\n" +
			"harbordb snapshots prune --keep-within 14d --keep-label before-v2.11.0 --yes",
		Flags: []cli.Flag{
			dryRunFlag(),
			count("keep-last", "keep the `N` newest"),
			count("keep-hourly", "keep the newest of each of the last `N` hours that have one"),
			count("keep-daily", "keep the newest of each of the last `N` days that have one"),
			count("keep-weekly", "keep the newest of each of the last `N` weeks that have one"),
			count("keep-monthly", "keep the newest of each of the last `N` months that have one"),
			count("keep-yearly", "keep the newest of each of the last `N` years that have one"),
			&cli.StringFlag{Name: "keep-within", Usage: "keep what is younger than that, counted from the newest: 1y6m, 2w, 14d, 36h (`TIME`)"},
			&cli.StringSliceFlag{Name: "keep-label", Usage: "keep what has this `LABEL`; may be given several times"},
		},
		Action: func(c *cli.Context) error { return runSnapshotsPrune(c, s) },
	}
}

// prunePolicy reads the rules from the flags.
func prunePolicy(c *cli.Context) (snapshots.Policy, error) {
	p := snapshots.Policy{
		Last: c.Int("keep-last"), Hourly: c.Int("keep-hourly"), Daily: c.Int("keep-daily"), Weekly: c.Int("keep-weekly"),
		Monthly: c.Int("keep-monthly"), Yearly: c.Int("keep-yearly"), Labels: c.StringSlice("keep-label"),
	}
	if text := c.String("keep-within"); text != "" {
		var err error
		if p.Within, err = snapshots.ParseSpan(text); err != nil {
			return p, fault.Usagef("--keep-within: %w", err)
		}
	}
	if p.Empty() {
		return p, fault.Usagef("prune needs a rule that says what to keep").
			WithHint("harbordb snapshots prune --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run")
	}
	if err := p.Check(); err != nil {
		return p, fault.Usagef("--keep-…: %w", err)
	}
	return p, nil
}

// prunePlan is the document of snapshots prune.
type prunePlan struct {
	Groups []pruneGroup `json:"groups"`
	// Leftovers are what killed backups left, and what goes.
	Leftovers []snapshotRow `json:"leftovers"`
	// Corrupt are left alone; nobody knows whose they are.
	Corrupt []snapshotRow `json:"corrupt"`
	Removes int           `json:"removes"`
	Bytes   int64         `json:"bytes"` // that it frees
}

type pruneGroup struct {
	Engine   string          `json:"engine"`
	System   string          `json:"system"`
	Host     string          `json:"host"`
	Database string          `json:"database"`
	Keep     []pruneDecision `json:"keep"`
	Remove   []pruneDecision `json:"remove"`
}

type pruneDecision struct {
	snapshotRow
	Reasons []string `json:"reasons"`
}

func newPrunePlan(p snapshots.PrunePlan) prunePlan {
	plan := prunePlan{Groups: []pruneGroup{}, Leftovers: []snapshotRow{}, Corrupt: []snapshotRow{}}
	for _, g := range p.Groups {
		group := pruneGroup{Engine: g.Source.Engine, System: g.Source.System, Host: g.Source.Host, Database: g.Source.Database,
			Keep: []pruneDecision{}, Remove: []pruneDecision{}}
		for _, d := range g.Decisions {
			decision := pruneDecision{newSnapshotRow(d.Entry), append([]string{}, d.Reasons...)}
			if d.Keep() {
				group.Keep = append(group.Keep, decision)
			} else {
				group.Remove = append(group.Remove, decision)
			}
		}
		plan.Groups = append(plan.Groups, group)
	}
	for _, e := range p.Leftovers {
		plan.Leftovers = append(plan.Leftovers, newSnapshotRow(e))
	}
	for _, e := range p.Corrupt {
		plan.Corrupt = append(plan.Corrupt, newSnapshotRow(e))
	}
	for _, e := range p.Removes() {
		plan.Removes++
		plan.Bytes += e.Size
	}
	return plan
}

func runSnapshotsPrune(c *cli.Context, s *session) error {
	if !c.Bool("dry-run") {
		s.metrics.begin("prune")
		s.metrics.database = allDatabases
	}
	policy, err := prunePolicy(c)
	if err != nil {
		return err
	}
	store, err := s.openStore(c.Context)
	if err != nil {
		return err
	}
	s.metrics.store = store
	found, err := snapshots.PlanPrune(c.Context, store, policy, time.Now())
	if err != nil {
		return err
	}
	p := newPrunePlan(found)
	if p.Removes == 0 {
		return s.console.print(p, p.text)
	}
	question := fmt.Sprintf("Remove %s from %s?", plural(p.Removes, "snapshot"), store)
	ok, err := s.confirm(c, plan{value: p, text: p.text, question: question})
	if err != nil || !ok {
		return err
	}
	report, done := s.console.progress()
	err = snapshots.Prune(c.Context, store, found, report)
	done()
	if err != nil {
		return err
	}
	return s.console.print(p, func(page *page) {
		page.line("removed %s, %s", plural(p.Removes, "snapshot"), humanBytes(p.Bytes))
	})
}

func (p prunePlan) text(page *page) {
	for _, g := range p.Groups {
		page.heading("database %s on %s", g.Database, g.Host)
		var rows []cells
		for _, d := range g.Keep {
			rows = append(rows, cells{string(d.ID), "keep", d.Label, d.harbor(), humanBytes(d.Stored), strings.Join(d.Reasons, ", ")})
		}
		for _, d := range g.Remove {
			rows = append(rows, cells{string(d.ID), "remove", d.Label, d.harbor(), humanBytes(d.Stored), ""})
		}
		page.table([]column{{title: "ID"}, {title: ""}, {title: "LABEL", cut: true}, {title: "HARBOR", cut: true},
			{title: "STORED", right: true}, {title: "WHY", cut: true}}, rows)
	}
	for _, r := range p.Leftovers {
		page.line("remove %s, %s of a backup that was killed", r.ID, humanBytes(r.Stored))
	}
	for _, r := range p.Corrupt {
		page.line("leave %s alone, its manifest is corrupt; harbordb snapshots rm %s removes it", r.ID, r.ID)
	}
	if p.Removes == 0 {
		page.line("nothing to remove")
		return
	}
	page.line("remove %s, %s", plural(p.Removes, "snapshot"), humanBytes(p.Bytes))
}
