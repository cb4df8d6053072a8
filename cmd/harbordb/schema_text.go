package main

import (
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/schema"
)

func (s schemaStatus) text(p *page) {
	v := s.Verdict
	p.fields(
		[2]string{"recorded", s.Record.String()},
		[2]string{"catalog shows", shownWords(v)},
		[2]string{"Harbor", strings.Join(v.Releases, ", ")},
		[2]string{"row", string(v.Row)},
		[2]string{"catalog", string(v.Structure)},
		[2]string{"converted from", map[bool]string{true: "MySQL"}[len(s.Lineage) > 0 && s.Record.Engine == database.PostgreSQL]},
	)
	p.list("found", v.Findings)
	p.list("to know", v.Notes)
	p.list("for it", v.For)
	p.list("against it", v.Against)
	var running []string
	for _, m := range s.Running {
		running = append(running, m.String())
	}
	p.list("running now", running)
	if len(s.Drift) > 0 {
		p.heading("differences from %s", v.Shown)
		driftTable(p, s.Drift)
	}
	if v.Confidence != schema.Certain && len(s.Ranking) > 0 {
		p.heading("versions that come nearest")
		for _, c := range s.Ranking {
			p.line("  %-6s %s against it", c.Mark, plural(c.Against, "object"))
		}
	}
	s.decision(p)
}

// decision says what repair schema would do, where it would do anything.
func (s schemaStatus) decision(p *page) {
	d := s.Decision
	switch d.Action {
	case schema.Set:
		p.heading("harbordb repair schema would set the row to %s", d.To)
	case schema.Empty:
		p.heading("harbordb repair schema would empty the version table")
	case schema.Refuse:
		p.heading("harbordb repair schema would refuse: %s", d.Why[0])
	default:
		return
	}
	for _, warning := range d.Warnings {
		p.line("  but: %s", warning)
	}
	for _, next := range d.Next {
		p.line("  then: %s", next)
	}
}

// list writes lines below a heading; nothing where there are none.
func (p *page) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.heading("%s", title)
	for _, l := range lines {
		p.item("  ", l)
	}
}

func driftTable(p *page, drift []schema.Drift) {
	columns := []column{{title: "  CHANGE"}, {title: "OBJECT"}, {title: "FROM"}, {title: "NOTE", cut: true}}
	var rows []cells
	for _, d := range drift {
		note := d.Note
		if note == "" && d.Change == schema.Different {
			note = fmt.Sprintf("%s instead of %s", d.Have, d.Want)
		}
		rows = append(rows, cells{"  " + string(d.Change), d.Object(), string(d.Class), note})
	}
	p.table(columns, rows)
}

// shownWords says which version the catalog shows.
func shownWords(v schema.Verdict) string {
	switch v.Structure {
	case schema.Absent:
		return "none of Harbor's tables"
	case schema.Unread:
		return "not known while somebody changes it"
	}
	return fmt.Sprintf("%s, %s", v.Shown, v.Confidence)
}

func (k schemaCheck) text(p *page) {
	p.line("%s", k.headline())
	p.fields(
		[2]string{"recorded", k.Record.String()},
		[2]string{"catalog shows", shownWords(k.Verdict)},
		[2]string{"server", k.Server},
		[2]string{"needs", k.NeedsServer},
		[2]string{"bundled image", k.bundled()},
	)
	p.list("core would print", k.Start.Log)
	if len(k.Steps) > 0 {
		p.heading("migrations that core runs")
		k.stepTable(p)
	}
	for _, f := range k.Findings {
		p.heading("%s: %s", f.Severity, f.Text)
		for _, row := range f.Rows {
			p.line("  %s", row)
		}
		if f.Count > len(f.Rows) && len(f.Rows) > 0 {
			p.line("  and %s more", humanCount(int64(f.Count-len(f.Rows))))
		}
		if f.Fix != "" {
			p.line("  → %s", f.Fix)
		}
	}
	p.list("not looked at", k.Skipped)
	p.list("the way back", k.WayBack)
	if len(k.Snapshots) > 0 {
		p.heading("snapshots that %s starts on", k.Target)
		for _, r := range k.Snapshots {
			p.line("  %s  %s  %s", r.ID, r.harbor(), map[schema.Fit]string{schema.Exact: "as it is", schema.Migrates: "after migrating it"}[r.Fit])
		}
	}
}

func (k schemaCheck) headline() string {
	switch k.Answer {
	case schema.Yes:
		return fmt.Sprintf("%s will start on this database", k.Target)
	case schema.Unsafe:
		return fmt.Sprintf("%s would start on this database, and do harm", k.Target)
	}
	return fmt.Sprintf("%s will not start on this database, or not get through", k.Target)
}

// bundled says what the release's own database image wants.
func (k schemaCheck) bundled() string {
	b := k.Bundled
	if b == nil {
		return ""
	}
	text := fmt.Sprintf("PostgreSQL %s, data in %s", b.PostgreSQL, b.Folders[0])
	if len(b.Folders) > 1 {
		text += ", converts " + b.Folders[1]
	}
	return text
}

func (k schemaCheck) stepTable(p *page) {
	columns := []column{{title: "  VERSION", right: true}, {title: "FILE"}, {title: "WORK", cut: true}, {title: "ROWS", right: true}, {title: "SIZE", right: true}, {title: "NEEDS", right: true}}
	var rows []cells
	for _, step := range k.Steps {
		first := cells{step.Version.String(), step.File, "", "", "", ""}
		if len(step.Loads) == 0 {
			rows = append(rows, first)
		}
		for i, l := range step.Loads {
			row := cells{"", "", l.Table + ": " + l.Does, humanCount(l.Rows), humanBytes(l.Bytes), humanBytes(l.Needs)}
			if i == 0 {
				row[0], row[1] = first[0], first[1]
			}
			rows = append(rows, row)
		}
	}
	p.table(columns, rows)
}
