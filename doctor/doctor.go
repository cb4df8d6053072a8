// Package doctor looks a Harbor's database over: every check at once, each
// finding with its evidence, what comes of it, and the command that ends it.
// It also reads Harbor's logs and says what known lines mean.
//
// The package must never change anything, never report what a sound Harbor of
// the same version has, too, and never keep silent about a check that it could
// not make. It asks the database alone: of the storage it repeats what the
// last scan found.
package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
)

// Severity is how bad a finding is.
type Severity string

// The severities. Error: something is broken, or breaks soon. Warning: it may
// break, or shows wrong things. Info: a person may want to know; nothing is
// wrong.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one thing that was found.
type Finding struct {
	ID       string   `json:"id"` // stable, such as "stuck-executions"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Count    int      `json:"count"`
	Evidence []string `json:"evidence"` // the first of the rows, with their ids
	Effect   string   `json:"effect"`
	Fix      string   `json:"fix"` // a command of harbordb, or advice
}

// Skip is a check that was not made.
type Skip struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// Report is what a whole look found.
type Report struct {
	Recorded string         `json:"recorded"`       // the version row
	Shown    string         `json:"schema_version"` // the version that the catalog shows
	Releases []string       `json:"releases"`       // that end at it
	Lineage  bool           `json:"mysql_lineage"`  // converted from MySQL
	Findings []Finding      `json:"findings"`       // errors first
	Work     []schema.Work  `json:"background_work"`
	Checked  []string       `json:"checked"` // the checks that were made, by ID
	Skipped  []Skip         `json:"skipped"`
	Scan     *Scan          `json:"last_scan,omitempty"`
	Target   *schema.Answer `json:"target_starts,omitempty"` // with a release to go to
}

// Scan is what is kept of the last scan of the storage.
type Scan struct {
	Time     time.Time `json:"time"` // when it ended
	Storage  string    `json:"storage"`
	Damaged  int       `json:"damaged"`  // findings of damage
	Complete bool      `json:"complete"` // it reached everything
}

// Healthy reports that nothing but information was found.
func (r Report) Healthy() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity != Info })
}

// Options say what to look at beside the database.
type Options struct {
	// Target is the release to go to; nil for none.
	Target *schema.Release
	// Snapshots are the snapshots of this very database, oldest first.
	Snapshots []snapshots.Entry
	// Scan is what the last scan of the storage found; nil where none is
	// known.
	Scan *Scan
	// Now is the database server's clock.
	Now time.Time
	// Progress hears of the checks; nil for nobody.
	Progress progress.Reporter
}

// Run makes every check that applies to the version at hand. tx is a read-only
// REPEATABLE READ transaction of the caller, so that all findings belong to
// one moment; Run sets savepoints in it. An error is one of the connection, of
// rights, or that there is no Harbor; a single check that fails is skipped.
func Run(ctx context.Context, tx *sql.Tx, e database.Engine, server database.Server, o Options) (Report, error) {
	ev, err := schema.Inspect(ctx, tx, e)
	if err != nil {
		return Report{}, err
	}
	if o.Progress == nil {
		o.Progress = progress.Discard
	}
	x := &examination{ctx: ctx, tx: tx, engine: e, server: server, options: o, evidence: ev, report: Report{
		Recorded: ev.Record.String(), Shown: ev.Verdict.Shown.String(), Releases: ev.Verdict.Releases, Lineage: len(ev.Lineage) > 0,
		Findings: []Finding{}, Work: []schema.Work{}, Checked: []string{}, Skipped: []Skip{}, Scan: o.Scan,
	}}
	for _, part := range []func() error{x.schema, x.target, x.checks, x.work, x.beside} {
		if err := part(); err != nil {
			return Report{}, err
		}
	}
	slices.SortStableFunc(x.report.Findings, func(a, b Finding) int { return a.Severity.rank() - b.Severity.rank() })
	return x.report, nil
}

func (s Severity) rank() int { return slices.Index([]Severity{Error, Warning, Info}, s) }

// examination is a Report in the making.
type examination struct {
	ctx      context.Context
	tx       *sql.Tx
	engine   database.Engine
	server   database.Server
	options  Options
	evidence schema.Evidence
	report   Report
}

func (x *examination) find(f Finding) {
	if f.Evidence == nil {
		f.Evidence = []string{}
	}
	x.report.Findings = append(x.report.Findings, f)
}

func (x *examination) skip(id, format string, args ...any) {
	x.report.Skipped = append(x.report.Skipped, Skip{id, fmt.Sprintf(format, args...)})
}

// checks makes those of the table that apply.
func (x *examination) checks() error {
	if s := x.evidence.Verdict.Structure; s == schema.Absent || s == schema.Unread {
		x.skip("all", "%s", x.evidence.Verdict.Findings[0])
		return nil
	}
	var apply []check
	for _, c := range allChecks() {
		if c.applies(x.engine, x.evidence.Verdict.Shown.Version) {
			apply = append(apply, c)
		}
	}
	x.options.Progress.Begin("checks", int64(len(apply)), progress.Objects)
	for _, c := range apply {
		if err := x.run(c); err != nil {
			return err
		}
		x.options.Progress.Add(1)
	}
	return nil
}
