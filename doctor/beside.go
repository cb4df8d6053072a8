package doctor

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/schema"
)

// schema finds what is wrong with the version row and the catalog.
func (x *examination) schema() error {
	v := x.evidence.Verdict
	x.report.Checked = append(x.report.Checked, "schema")
	fix := "harbordb schema status shows the evidence"
	switch d := schema.Decide(x.evidence); d.Action {
	case schema.Set, schema.Empty:
		fix = "harbordb repair schema"
	case schema.Refuse:
		fix += "; " + d.Why[len(d.Why)-1]
	}
	effect := "core does not start, or does harm as it starts"
	if v.Row == schema.RowHonest {
		effect = "what needs the missing objects fails, an upgrade among it"
	}
	for _, text := range v.Findings {
		x.find(Finding{ID: "schema", Severity: Error, Text: text, Count: 1, Effect: effect, Fix: fix})
	}
	for _, text := range v.Notes {
		x.find(Finding{ID: "schema-note", Severity: Info, Text: text, Count: 1, Effect: "none by itself", Fix: "nothing needs to be done"})
	}
	for _, m := range x.evidence.Running {
		x.find(Finding{ID: "migration-running", Severity: Info, Text: m.String(), Count: 1,
			Effect: "what is found may be out of date in a moment", Fix: "look again when it has ended"})
	}
	return nil
}

// target asks whether the release to go to will start.
func (x *examination) target() error {
	if x.options.Target == nil {
		return nil
	}
	p, err := schema.Check(x.ctx, x.tx, x.engine, x.server, *x.options.Target)
	if err != nil {
		return err
	}
	x.report.Target = &p.Answer
	x.report.Checked = append(x.report.Checked, "target")
	severities := map[schema.Severity]Severity{schema.Blocks: Error, schema.Danger: Error, schema.Warns: Warning}
	for _, f := range p.Findings {
		if f.ID == "row" || f.ID == "structure" || f.ID == "schemas" {
			continue // found already
		}
		one := Finding{ID: "target-" + f.ID, Severity: severities[f.Severity], Text: f.Text, Count: max(1, f.Count), Evidence: f.Rows,
			Effect: fmt.Sprintf("%s does not start, or does harm", p.Target), Fix: f.Fix}
		if f.Severity == schema.Warns {
			one.Effect = fmt.Sprintf("to be known before the upgrade to %s", p.Target)
		}
		if f.ID == "bundled" && !p.Bundled.InUse {
			one.Severity = Info
		}
		x.find(one)
	}
	for _, why := range p.Skipped {
		x.skip("target", "%s", why)
	}
	return nil
}

// work finds what a core is still doing after an upgrade.
func (x *examination) work() error {
	if s := x.evidence.Verdict.Structure; s == schema.Absent || s == schema.Unread {
		return nil
	}
	list, err := schema.BackgroundWork(x.ctx, x.tx, x.evidence.Record)
	if err != nil {
		return err
	}
	x.report.Checked = append(x.report.Checked, "background-work")
	for _, w := range list {
		x.report.Work = append(x.report.Work, w)
		x.find(Finding{ID: w.ID, Severity: Warning, Text: w.Text, Count: int(w.Total - w.Done),
			Effect: "users are told that name or password is wrong, or cannot pull and push yet",
			Fix:    "let core go on; if the numbers stay the same, look for errors in its log: harbordb doctor --log"})
	}
	return nil
}

// beside looks at the snapshots and repeats the last scan of the storage.
func (x *examination) beside() error {
	x.scan()
	return x.collected()
}

func (x *examination) scan() {
	s := x.options.Scan
	if s == nil {
		x.skip("storage", "no scan of the storage is known: harbordb orphans scan")
		return
	}
	x.report.Checked = append(x.report.Checked, "storage")
	if s.Damaged > 0 {
		x.find(Finding{ID: "storage", Severity: Error, Count: s.Damaged, Evidence: []string{s.Storage},
			Text:   fmt.Sprintf("the scan of the storage %s ago found %d broken things", age(s.Time, x.options.Now), s.Damaged),
			Effect: "tags cannot be pulled or deleted", Fix: "harbordb orphans scan"})
	}
	if !s.Complete {
		x.find(Finding{ID: "storage", Severity: Info, Count: 1, Evidence: []string{s.Storage},
			Text:   fmt.Sprintf("the scan of the storage %s ago did not reach everything", age(s.Time, x.options.Now)),
			Effect: "there may be more than it found", Fix: "harbordb orphans scan"})
	}
}

// age writes a duration in its largest unit.
func age(then, now time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
}

// lastCollection is the start of the newest garbage collection that deleted
// anything; Harbor stores UTC from 2.2 on.
const lastCollection = `select max(start_time) from {s}execution
	where vendor_type = 'GARBAGE_COLLECTION' and status = 'Success' and coalesce(extra_attrs ->> 'dry_run', 'false') <> 'true'`

// collected finds a latest snapshot from before the last garbage collection.
func (x *examination) collected() error {
	const id = "snapshot-before-collection"
	if x.engine != database.PostgreSQL || x.evidence.Verdict.Shown.Version < 50 || !x.evidence.Has("execution", "extra_attrs") {
		return nil
	}
	var latest time.Time
	var name string
	for _, e := range x.options.Snapshots {
		if e.Good() && e.Manifest.Time.After(latest) {
			latest, name = e.Manifest.Time, string(e.ID)
		}
	}
	if name == "" {
		x.skip(id, "no snapshot of this database is in the store")
		return nil
	}
	var at sql.NullTime
	if err := x.tx.QueryRowContext(x.ctx, strings.ReplaceAll(lastCollection, "{s}", x.prefix())).Scan(&at); err != nil {
		return fmt.Errorf("last garbage collection: %w", err)
	}
	x.report.Checked = append(x.report.Checked, id)
	if at.Valid && latest.Before(at.Time) {
		x.find(Finding{ID: id, Severity: Warning, Count: 1, Evidence: []string{"snapshot " + name, "garbage collection " + at.Time.Format(time.RFC3339)},
			Text:   "a garbage collection has run since the latest snapshot",
			Effect: "after a restore of it, rows refer to blobs that are gone, and images that were pushed since stay in the storage for ever",
			Fix:    "harbordb backup"})
	}
	return nil
}
