package main

import (
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/backup/target"
)

// text is the status for a person.
func (r *status) text(p *page) {
	pooled := ""
	if r.Server.Pooled {
		pooled = "yes: backup, restore and repair need the server itself"
	}
	p.fields(
		[2]string{"server", r.Server.Product + " " + r.Server.Version},
		[2]string{"identity", r.Server.System},
		[2]string{"clock", humanTime(r.Server.Time)},
		[2]string{"pooler", pooled},
	)
	r.Harbor.text(p)
	r.Database.text(p)
	r.Snapshots.text(p, r.Server)
	r.Beside.text(p, r.Server)
	p.heading("Settings")
	var rows []cells
	for _, s := range r.Settings {
		if s.Value != "" || s.Origin != "" {
			rows = append(rows, cells{s.Name, s.Value, s.Origin})
		}
	}
	p.table([]column{{title: "NAME"}, {title: "VALUE", cut: true}, {title: "CAME FROM", cut: true}}, rows)
}

func (h statusHarbor) text(p *page) {
	p.heading("Harbor")
	if h.Problem != "" {
		p.line("%s", h.Problem)
		return
	}
	shown := ""
	if h.Shown != h.Version {
		shown = h.Shown
	}
	p.fields(
		[2]string{"release", strings.Join(h.Releases, ", ")},
		[2]string{"schema version", h.Recorded},
		[2]string{"the catalog shows", shown},
		[2]string{"migrating now", strings.Join(h.Running, "; ")},
	)
	for _, work := range h.Background {
		p.line("%s", work.Text)
	}
	for _, finding := range h.Findings {
		p.line("! %s", finding)
	}
	if len(h.Findings) > 0 {
		p.line("harbordb schema status tells more")
	}
}

func (d statusDatabase) text(p *page) {
	p.heading("Database %s", d.Name)
	if d.Problem != "" {
		p.line("%s", d.Problem)
		return
	}
	if len(d.Largest) == 0 {
		p.line("%s, without any table", humanBytes(d.Bytes))
		return
	}
	p.line("%s, of which the largest tables are", humanBytes(d.Bytes))
	var rows []cells
	for _, t := range d.Largest {
		rows = append(rows, cells{strings.Join(nonEmpty(t.Schema, t.Name), "."), humanBytes(t.Bytes)})
	}
	p.table([]column{{title: "TABLE", cut: true}, {title: "SIZE", right: true}}, rows)
}

func (r statusSnapshots) text(p *page, server statusServer) {
	p.heading("Snapshots in %s", r.Store)
	if r.Problem != "" {
		p.line("%s", r.Problem)
		return
	}
	if r.Good+r.Corrupt+r.Unfinished == 0 {
		p.line("none; harbordb backup takes one")
		return
	}
	p.line("%d good, %d corrupt, %d unfinished, %s in all", r.Good, r.Corrupt, r.Unfinished, humanBytes(r.Bytes))
	if r.Latest == nil {
		p.line("none of them is of this database")
		return
	}
	label := ""
	if r.Latest.Label != "" {
		label = fmt.Sprintf(", label %s", r.Latest.Label)
	}
	p.line("the latest of this database is %s, %s, schema version %s%s",
		r.Latest.ID, humanAge(r.Latest.Time, server.Time), r.Latest.Version, label)
}

// besideWords say what becomes of a database beside the live one.
var besideWords = map[target.BesideKind]string{
	target.SetAside:    "what was live before; restore --rollback puts it back, restore --discard drops it",
	target.Loading:     "a restore is filling it",
	target.Loaded:      "loaded and compared; the same restore again swaps it in",
	target.Interrupted: "a swap of it was cut off in the middle; restore --rollback undoes it",
	target.Dead:        "left by a restore that was killed; the next one drops it",
}

func (b statusBeside) text(p *page, server statusServer) {
	if b.Problem == "" && len(b.Databases) == 0 {
		return
	}
	p.heading("Databases that restores made")
	if b.Problem != "" {
		p.line("%s", b.Problem)
		return
	}
	var rows []cells
	for _, d := range b.Databases {
		rows = append(rows, cells{d.Name, humanBytes(d.Bytes), humanAge(d.Time, server.Time), besideWords[d.Kind]})
	}
	p.table([]column{{title: "DATABASE"}, {title: "SIZE", right: true}, {title: "SINCE"}, {title: "WHAT", cut: true}}, rows)
}
