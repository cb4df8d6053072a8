package main

import (
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/doctor"
)

func (r doctorResult) text(p *page) {
	if r.Database != nil {
		examinationText(p, *r.Database)
	}
	if r.Log != nil {
		logText(p, *r.Log)
	}
}

func examinationText(p *page, r doctor.Report) {
	lineage := ""
	if r.Lineage {
		lineage = "yes"
	}
	p.fields(
		[2]string{"schema version", r.Shown},
		[2]string{"recorded", r.Recorded},
		[2]string{"Harbor", strings.Join(r.Releases, ", ")},
		[2]string{"from MySQL", lineage},
		[2]string{"checked", plural(len(r.Checked), "check")},
	)
	for _, f := range r.Findings {
		p.heading("%s: %s%s", f.Severity, f.Text, times(f.Count))
		for _, line := range f.Evidence {
			p.line("  %s", strings.ReplaceAll(line, "\n", `\n`))
		}
		if f.Count > len(f.Evidence) && len(f.Evidence) > 0 {
			p.line("  and %s more", humanCount(int64(f.Count-len(f.Evidence))))
		}
		p.line("  so: %s", f.Effect)
		p.line("  → %s", f.Fix)
	}
	var skipped []string
	for _, skip := range r.Skipped {
		skipped = append(skipped, fmt.Sprintf("%s: %s", skip.ID, skip.Why))
	}
	p.list("not checked", skipped)
	if len(r.Findings) == 0 {
		p.heading("nothing is wrong")
	}
}

// times is how often something is there, where that is more than once.
func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (%s)", humanCount(int64(n)))
}

func logText(p *page, r logResult) {
	if len(r.Matches) == 0 {
		p.heading("no line of %s is known to mean anything", strings.Join(r.Files, ", "))
		return
	}
	for _, m := range r.Matches {
		p.heading("%s: %s%s", m.Level, m.Means, times(m.Count))
		p.line("  %s:%d: %s", m.File, m.Line, m.Text)
		p.line("  %s; → %s", m.Certainty, m.Next)
	}
}
