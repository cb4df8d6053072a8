package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/orphans"
)

// How much of a report a person gets to see; JSON and CSV have all of it.
const (
	shownFindings = 25
	shownVictims  = 5
)

// scanText writes what to act on first: root causes, worst and most victims
// first, each with its way out.
func scanText(p *page, r *orphans.Report) {
	p.fields(
		[2]string{"storage", r.Storage},
		[2]string{"root", r.Root},
		[2]string{"database", r.Database},
		[2]string{"only", r.Scope},
		[2]string{"read", scanCounts(r.Stats)},
		[2]string{"hashed", hashedCounts(r.Stats)},
		[2]string{"cleared", clearedCounts(r.Stats)},
	)
	if r.Implausible != "" {
		p.heading("not plausible")
		p.item("  ", r.Implausible)
		if len(r.Findings) == 0 {
			return
		}
	}
	scanGaps(p, r.Gaps)
	if len(r.Findings) == 0 {
		if r.Complete {
			p.heading("no findings")
		} else {
			p.heading("no findings in what could be read")
		}
	}
	for _, f := range r.Findings[:min(len(r.Findings), shownFindings)] {
		scanFinding(p, f)
	}
	if more := len(r.Findings) - shownFindings; more > 0 {
		p.heading("and %s more: -o json or --csv FILE have all of them", plural(more, "finding"))
	}
	scanSummary(p, r)
	scanWaste(p, r.Waste)
}

func scanCounts(s orphans.Stats) string {
	repositories := humanCount(s.Repositories) + " repositories"
	if s.Repositories == 1 {
		repositories = "1 repository"
	}
	text := fmt.Sprintf("%s: %s, %s, %s, %s of %s", plural(int(s.Keys), "name"), repositories,
		plural(int(s.Tags), "tag"), plural(int(s.Manifests), "manifest"), plural(int(s.Blobs), "blob"), humanBytes(s.BlobBytes))
	if s.Artifacts > 0 {
		text += "; " + plural(int(s.Artifacts), "artifact") + " in the database"
	}
	return text
}

func hashedCounts(s orphans.Stats) string {
	if s.HashedBlobs == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s", plural(int(s.HashedBlobs), "blob"), humanBytes(s.HashedBytes))
}

func clearedCounts(s orphans.Stats) string {
	if s.Cleared == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s were in order, or gone, at a second look", humanCount(s.Cleared), plural(int(s.Suspects), "suspect"))
}

func scanGaps(p *page, gaps []orphans.Gap) {
	if len(gaps) == 0 {
		return
	}
	p.heading("not read, and nothing is said of it")
	for _, g := range gaps[:min(len(gaps), shownFindings)] {
		where := g.Prefix
		if g.After != "" || g.Before != "" {
			where += fmt.Sprintf(" (after %q, before %q)", g.After, g.Before)
		}
		p.line("  %s: %s", where, g.Error)
	}
	if more := len(gaps) - shownFindings; more > 0 {
		p.line("  and %s more", plural(more, "part"))
	}
}

func scanFinding(p *page, f orphans.Finding) {
	where := strings.Trim(f.Project+"/"+f.Repository, "/")
	if f.Tag != "" {
		where += ":" + f.Tag
	}
	p.heading("%s  %s %s  %s", strings.ToUpper(string(f.Severity)), f.Code, f.Name, where)
	p.item("  ", f.Detail)
	if f.Digest != "" {
		p.line("  %s", f.Digest)
	}
	for _, key := range f.Keys {
		p.line("  %s", key)
	}
	for _, v := range f.Victims[:min(len(f.Victims), shownVictims)] {
		p.line("  hits %s", victimText(v))
	}
	if more := f.VictimCount - int64(min(len(f.Victims), shownVictims)); more > 0 {
		p.line("  and %s more", plural(int(more), "artifact"))
	}
	for i, step := range f.WayOut {
		label := "  way out: - "
		if i > 0 {
			label = "           - "
		}
		p.item(label, step)
	}
}

func victimText(v orphans.Victim) string {
	text := strings.Trim(v.Project+"/"+v.Repository, "/")
	switch len(v.Tags) {
	case 0:
		text += "@" + v.Digest
	default:
		text += ":" + strings.Join(v.Tags[:min(len(v.Tags), shownVictims)], ",")
		if more := len(v.Tags) - shownVictims; more > 0 {
			text += fmt.Sprintf(" and %s more", plural(more, "tag"))
		}
	}
	if v.PullTime != nil {
		text += ", pulled " + humanTime(*v.PullTime)
	}
	return text
}

func scanSummary(p *page, r *orphans.Report) {
	var rows []cells
	for _, s := range r.Summary {
		if slices.ContainsFunc(r.Waste, func(w orphans.Waste) bool { return w.Code == s.Code }) && s.Severity == orphans.Info {
			continue
		}
		rows = append(rows, cells{"  " + string(s.Severity), string(s.Code), s.Code.Title(), humanCount(s.Count), humanCount(s.Victims)})
	}
	if len(rows) == 0 {
		return
	}
	p.heading("by kind")
	p.table([]column{{title: "  SEVERITY"}, {title: "CODE"}, {title: "WHAT", cut: true}, {title: "COUNT", right: true}, {title: "VICTIMS", right: true}}, rows)
}

func scanWaste(p *page, waste []orphans.Waste) {
	if len(waste) == 0 {
		return
	}
	p.heading("waste")
	var rows []cells
	for _, w := range waste {
		rows = append(rows, cells{"  " + string(w.Code), w.Title, humanCount(w.Count), humanBytes(w.Bytes)})
	}
	p.table([]column{{title: "  CODE"}, {title: "WHAT", cut: true}, {title: "COUNT", right: true}, {title: "BYTES", right: true}}, rows)
}
