package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/harbordb/harbordb/repair"
)

// rowsShown is how many rows of a plan a person is shown.
const rowsShown = 50

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanCount(int64(n)) + " " + noun + "s"
}

func (d repairDocument) text(p *page) {
	if d.Empty() {
		p.line("nothing to repair: %s in %s", d.Scope, d.Target.Database)
	} else {
		p.line("repair of %s in %s", d.Scope, d.Target.Database)
		d.planned(p)
	}
	if len(d.LeftAlone) > 0 {
		p.heading("left alone, because they were touched less than %s ago", humanDuration(d.OlderThan))
		itemTable(p, d.LeftAlone)
	}
	p.list("to know", d.Notes)
}

// planned is what changes, with what has to be done around it.
func (d repairDocument) planned(p *page) {
	status := ""
	if d.Word != nil {
		status = fmt.Sprintf("%s: %s", d.Word.Status, d.Word.Claim)
	}
	p.fields([2]string{"tables of", d.Release}, [2]string{"new status", status}, [2]string{"undo with", "harbordb repair undo latest"})
	p.steps("before", d.Before)
	p.heading("%s to change", plural(len(d.Rows), "row"))
	itemTable(p, d.Rows)
	if d.Version != nil {
		p.list("why", d.Version.Decision.Why)
	}
	if len(d.Policies) > 0 {
		p.heading("in all")
		policyTable(p, d.Policies)
	}
	p.steps("afterwards", d.After)
}

func (d repairDocument) resultText(p *page) {
	p.line("changed %s in %s: repair %s", plural(d.Result.Rows, "row"), d.Target.Database, d.Result.ID)
	p.line("harbordb repair undo %s takes it back", d.Result.ID)
	p.steps("now", d.After)
}

func (p *page) steps(title string, steps []repair.Step) {
	if len(steps) == 0 {
		return
	}
	p.heading("%s", title)
	for _, step := range steps {
		p.item("  - ", step.What)
		if step.Command != "" {
			p.line("      %s", strings.ReplaceAll(step.Command, "\n", "\n    or\n      "))
		}
	}
}

// itemColumns are the columns of a table of rows; those that are empty in all
// rows are left out. What is not here is in the JSON document.
var itemColumns = []struct {
	column
	text func(repair.Item) string
}{
	{column{title: "TABLE"}, func(i repair.Item) string { return strings.TrimPrefix(i.Table, "replication_") }},
	{column{title: "ID", right: true}, func(i repair.Item) string { return number(i.ID) }},
	{column{title: "EXEC", right: true}, func(i repair.Item) string { return number(i.Execution) }},
	{column{title: "TYPE", cut: true}, vendorText},
	{column{title: "POLICY", cut: true}, policyText},
	{column{title: "REPOSITORY", cut: true}, func(i repair.Item) string { return i.Repository }},
	{column{title: "TAGS", cut: true}, func(i repair.Item) string { return shortTags(i.Tags) }},
	{column{title: "STATUS"}, statusText},
	{column{title: "AGE"}, ageText},
}

func itemTable(p *page, items []repair.Item) {
	shown := items[:min(len(items), rowsShown)]
	var columns []column
	rows := make([]cells, len(shown))
	for _, c := range itemColumns {
		texts, empty := make([]string, len(shown)), true
		for n, item := range shown {
			texts[n] = c.text(item)
			empty = empty && texts[n] == ""
		}
		if empty {
			continue
		}
		columns = append(columns, c.column)
		for n := range rows {
			rows[n] = append(rows[n], texts[n])
		}
	}
	p.table(columns, rows)
	if more := len(items) - len(shown); more > 0 {
		p.line("… and %s more; -o json lists all", humanCount(int64(more)))
	}
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// vendorText is empty for replication, where the command has said it.
func vendorText(i repair.Item) string {
	if i.Vendor == replication {
		return ""
	}
	return i.Vendor
}

// replication is the vendor type of replication.
const replication = "REPLICATION"

// policyText names a policy of replication; of other kinds of work the column
// holds ids of many things.
func policyText(i repair.Item) string {
	switch {
	case i.PolicyID == 0 || vendorText(i) != "":
		return ""
	case i.Policy == "":
		return number(i.PolicyID)
	}
	return fmt.Sprintf("%d %s", i.PolicyID, i.Policy)
}

func statusText(i repair.Item) string {
	switch {
	case i.From == i.To && len(i.Changes) > 0:
		texts := make([]string, len(i.Changes))
		for n, c := range i.Changes {
			texts[n] = c.String()
		}
		return strings.Join(texts, ", ")
	case i.From == i.To:
		return i.From.String()
	}
	from := i.From.String()
	if from == "" {
		from = `""`
	}
	return from + " → " + i.To.String()
}

// shortTags cuts a list of tags, which may be thousands of characters long.
func shortTags(tags string) string {
	const most = 32
	if utf8.RuneCountInString(tags) <= most {
		return tags
	}
	n := strings.Count(tags, ",") + 1
	if n == 1 {
		return shorten(tags, most)
	}
	return fmt.Sprintf("%s (%d tags)", shorten(tags, most-12), n)
}

func ageText(i repair.Item) string {
	switch {
	case i.Age == nil:
		return ""
	case *i.Age < 0:
		return "future"
	case i.Young:
		return humanDuration(*i.Age) + ", young"
	}
	return humanDuration(*i.Age)
}

// humanDuration writes seconds in their largest unit.
func humanDuration(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func policyTable(p *page, counts []repair.Count) {
	columns := []column{{title: "OF", cut: true}, {title: "STATE"}, {title: "ROWS", right: true},
		{title: "YOUNG", right: true}, {title: "LEFT ALONE", right: true}}
	var rows []cells
	for _, c := range counts {
		i := repair.Item{Vendor: c.Vendor, PolicyID: c.PolicyID, Policy: c.Policy}
		of := fmt.Sprintf("policy %d", c.PolicyID)
		if c.Policy != "" {
			of += " (" + c.Policy + ")"
		}
		if vendorText(i) != "" {
			of = fmt.Sprintf("%s, vendor id %d", c.Vendor, c.PolicyID)
		}
		rows = append(rows, cells{of, c.State, strconv.Itoa(c.Rows), strconv.Itoa(c.Young), strconv.Itoa(c.LeftAlone)})
	}
	p.table(columns, rows)
}

func repairTable(p *page, entries []repair.Entry) {
	if len(entries) == 0 {
		p.line("no repairs")
		return
	}
	// An ID begins with the time of its repair.
	columns := []column{{title: "ID"}, {title: "DATABASE", cut: true}, {title: "REPAIR OF", cut: true}, {title: "ROWS", right: true}, {title: "STATE"}}
	var rows []cells
	for _, e := range entries {
		of := e.Scope
		if e.Kind == repair.Replication {
			of = "replication, " + of
		}
		rows = append(rows, cells{string(e.ID), e.Target.Database, of, strconv.Itoa(e.Rows), string(e.State)})
	}
	p.table(columns, rows)
	for _, e := range entries {
		switch e.State {
		case repair.Committed, repair.Undone:
		default:
			p.heading("%s is %s", e.ID, e.State)
			p.item("  ", e.Detail)
			p.item("  ", e.Next)
		}
	}
}

func (r shownRepair) text(p *page) {
	p.fields(
		[2]string{"repair", string(r.ID)},
		[2]string{"of", r.Scope},
		[2]string{"in", r.Target.String()},
		[2]string{"made", humanTime(r.Made)},
		[2]string{"by", r.Tool},
		[2]string{"state", string(r.State)},
		[2]string{"", r.Detail},
		[2]string{"next", r.Next},
	)
	p.heading("%s", plural(r.Rows, "row"))
	itemTable(p, r.Plan.Rows)
	if r.Plan.Version != nil {
		p.list("why", r.Plan.Version.Decision.Why)
	}
}

func (d undoDocument) text(p *page) {
	if d.Empty() && len(d.Conflicts) == 0 {
		p.line("nothing to undo: %s as before repair %s", areText(d.Already), d.ID)
		return
	}
	p.line("undo of repair %s (%s) in %s", d.ID, d.Scope, d.Target.Database)
	p.steps("before", d.Before)
	if len(d.Rows) > 0 {
		p.heading("%s to put back", plural(len(d.Rows), "row"))
		itemTable(p, d.Rows)
	}
	if d.Already > 0 {
		p.heading("%s as before already", areText(d.Already))
	}
	if len(d.Conflicts) > 0 {
		p.heading("changed since, and left as they are with --skip-changed; without it nothing is done")
		for _, c := range d.Conflicts[:min(len(d.Conflicts), rowsShown)] {
			p.line("  %s", c)
		}
		if more := len(d.Conflicts) - rowsShown; more > 0 {
			p.line("  … and %s more; -o json lists all", humanCount(int64(more)))
		}
	}
	p.steps("afterwards", d.After)
}

func areText(n int) string {
	if n == 1 {
		return "1 row is"
	}
	return humanCount(int64(n)) + " rows are"
}

func (d undoDocument) resultText(p *page) {
	p.line("put %s back in %s: repair %s is undone", plural(d.Result.Rows, "row"), d.Target.Database, d.ID)
	if d.Result.Skipped > 0 {
		p.line("%s left as they are", plural(d.Result.Skipped, "changed row"))
	}
	p.steps("now", d.After)
}
