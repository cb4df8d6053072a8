package main

import (
	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

// live is the word for the database itself where a snapshot could be named.
const live = "live"

func runSnapshotsDiff(c *cli.Context, s *session) error {
	if c.Args().Get(0) == live {
		return fault.Usagef("the live database is the second of the two").WithHint("harbordb snapshots diff %s live", c.Args().Get(1))
	}
	keys, err := identities(c)
	if err != nil {
		return err
	}
	a, err := s.snapshotSide(c, c.Args().Get(0), keys)
	if err != nil {
		return err
	}
	var b backup.Side
	if ref := c.Args().Get(1); ref == live {
		b, err = s.liveSide(c, a)
	} else {
		b, err = s.snapshotSide(c, ref, keys)
	}
	if err != nil {
		return err
	}
	d, err := backup.Compare(a, b)
	if err != nil {
		return err
	}
	return s.console.print(d, func(p *page) { diffText(p, d) })
}

func (s *session) snapshotSide(c *cli.Context, ref string, keys []age.Identity) (backup.Side, error) {
	store, e, err := s.findSnapshot(c, ref)
	if err != nil {
		return backup.Side{}, err
	}
	snapshot, err := snapshots.Open(c.Context, store, e.ID, keys...)
	if err != nil {
		return backup.Side{}, err
	}
	return backup.OfSnapshot(c.Context, snapshot)
}

// liveSide reads the live database, and beside it those that the other side
// has, as far as they are there.
func (s *session) liveSide(c *cli.Context, other backup.Side) (backup.Side, error) {
	n, err := jobs(c)
	if err != nil {
		return backup.Side{}, err
	}
	db, err := s.connectDirect(c.Context)
	if err != nil {
		return backup.Side{}, err
	}
	defer db.Close()
	companions, err := backup.Present(c.Context, db, other.Companions())
	if err != nil {
		return backup.Side{}, err
	}
	d, err := backup.Open(c.Context, db, backup.Options{Jobs: n, LeaveOutUnsupported: true, Companions: companions})
	if err != nil {
		return backup.Side{}, err
	}
	defer d.Close()
	report, done := s.console.progress()
	defer done()
	return d.OfLive(c.Context, report)
}

func diffText(p *page, d backup.Diff) {
	p.fields(
		[2]string{"a", d.A.Name + ", " + release(d.A)},
		[2]string{"b", d.B.Name + ", " + release(d.B)},
	)
	if d.Same() {
		p.line("no difference: %s rows, and every object of the schema", humanCount(d.A.Rows))
		return
	}
	databaseDiffText(p, d.DatabaseDiff, "")
	for _, of := range d.Companions {
		if of.Change != "" {
			p.line("database %s: %s", of.Database, of.Change)
			continue
		}
		databaseDiffText(p, of.DatabaseDiff, " of database "+of.Database)
	}
}

// databaseDiffText prints how one database differs; of names it in headings.
func databaseDiffText(p *page, d backup.DatabaseDiff, of string) {
	if len(d.Schema) > 0 {
		p.heading("schema%s", of)
		for _, line := range d.Schema {
			p.line("  %s", line)
		}
	}
	if len(d.Tables) == 0 {
		return
	}
	p.heading("rows%s", of)
	var rows []cells
	for _, t := range d.Tables {
		rows = append(rows, cells{t.Table, string(t.Change), humanCount(t.RowsA), humanCount(t.RowsB)})
	}
	p.table([]column{{title: "TABLE", cut: true}, {title: "DIFFERS"}, {title: "A", right: true}, {title: "B", right: true}}, rows)
}

func release(side backup.DiffSide) string {
	return snapshotRow{Schema: side.Schema, Releases: side.Releases}.harbor()
}
