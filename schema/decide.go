package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Action is what is to be done with the version row.
type Action string

// The actions. Empty is for a first migration that failed: no row is the
// right state before it.
const (
	Keep   Action = "keep"
	Set    Action = "set"
	Empty  Action = "empty"
	Refuse Action = "refuse"
)

// Decision is which version the row should say, and why.
type Decision struct {
	Action Action `json:"action"`
	// To is the version of Set.
	To  Mark     `json:"to,omitzero"`
	Why []string `json:"why"`
	// Warnings are what a person should know before the row is written.
	Warnings []string `json:"warnings"`
	// Alternatives are other versions that could be meant, the likeliest
	// first.
	Alternatives []Alternative `json:"alternatives"`
	// Next are the steps after the row is right.
	Next []string `json:"next"`
}

// Alternative is a version that was not chosen.
type Alternative struct {
	Mark
	Why string `json:"why"`
}

// Target returns the record as it will be after the decision: what Write is
// given. Nothing but the rows changes; data_version is kept.
func (d Decision) Target(rec Record) Record {
	switch d.Action {
	case Set:
		return rec.with(d.To)
	case Empty:
		rec.Rows = []Row{}
	}
	return rec
}

// with returns the record with one clean row of a version.
func (r Record) with(m Mark) Record {
	if r.Engine == database.MySQL {
		r.AlembicTable, r.Alembic = true, []string{m.Alembic}
		return r
	}
	row := Row{Version: m.Version}
	for _, have := range r.Rows {
		if row.DataVersion == nil {
			row.DataVersion = have.DataVersion
		}
	}
	r.Table, r.HasDirty, r.Rows = true, true, []Row{row}
	return r
}

// Decide says what the version row should be. It refuses where the evidence
// does not carry: then a person has to name the version.
func Decide(ev Evidence) Decision {
	d := Decision{Why: []string{}, Warnings: []string{}, Alternatives: []Alternative{}, Next: []string{}}
	v := ev.Verdict
	if v.Row == RowHonest || v.Row == RowFresh {
		return d.keep(v)
	}
	if reason := forbidden(ev); reason != "" {
		return d.refuse(reason)
	}
	d.Alternatives = alternatives(ev)
	switch {
	case v.Row == RowDirty && v.Structure == Absent:
		d.Action = Empty
		d.Why = append(d.Why, v.For...)
		d.Next = append(d.Next, "remove the cause that core's first log names, then start core: it runs migration 1 again")
		return d
	case v.Row == RowAlone:
		return d.refuse(v.rowFinding, "restore a snapshot: harbordb snapshots ls")
	case v.Row == RowUnknown && newerThanKnown(ev):
		return d.refuse(fmt.Sprintf("version %s is newer than any that this harbordb knows", ev.Record), "use a newer harbordb, or name the version with --version")
	case v.Structure == Merged || v.Structure == HalfRestored:
		return d.refuse(v.structureFindings[0], "restore a snapshot, or name the version with --version")
	case v.Structure == Unread:
		return d.refuse(v.rowFinding)
	case v.Confidence == Unsure:
		return d.refuse(fmt.Sprintf("the catalog fits no version well; %s comes nearest", v.Shown), "harbordb schema status lists the differences; name the version with --version")
	}
	return d.set(ev)
}

// Override is Decide where a person names the version. It warns where the
// evidence disagrees and refuses only what would be unsafe with any version.
func Override(ev Evidence, to Mark) Decision {
	d := Decision{Why: []string{}, Warnings: []string{}, Alternatives: []Alternative{}, Next: []string{}}
	if reason := forbidden(ev); reason != "" {
		return d.refuse(reason)
	}
	if ev.Verdict.Row == RowHonest && ev.Verdict.Shown == to {
		return d.keep(ev.Verdict)
	}
	d.Action, d.To = Set, to
	d.Why = append(d.Why, fmt.Sprintf("version %s was named on the command line", to))
	if !to.known() {
		d.Warnings = append(d.Warnings, fmt.Sprintf("no Harbor release known here has version %s", to))
	}
	own := Decide(ev)
	switch {
	case own.Action == Set && own.To != to || own.Action == Keep && ev.Verdict.Shown != to:
		d.Warnings = append(d.Warnings, fmt.Sprintf("the evidence says %s, not %s: %s", ev.Verdict.Shown, to, strings.Join(ev.Verdict.For, "; ")))
	case own.Action == Empty:
		d.Warnings = append(d.Warnings, fmt.Sprintf("none of Harbor's tables is there, so that no version is right, and %s neither", to))
	case own.Action == Refuse:
		d.Warnings = append(d.Warnings, own.Why...)
	}
	return d
}

// forbidden says why no version may be written at all; "" where one may.
func forbidden(ev Evidence) string {
	switch {
	case ev.Verdict.Row == RowNotHarbor:
		return "schema_migrations is Notary's: give Harbor and Notary a database each"
	case len(ev.Record.Schemas) > 1:
		return fmt.Sprintf("Harbor's tables are in several schemas (%s): set the search path of the role to the right one and drop the other", strings.Join(ev.Record.Schemas, ", "))
	case len(ev.Running) > 0:
		return fmt.Sprintf("a migration may still be running: %s; wait for it, or end it, and look again", ev.Running[0])
	}
	return ""
}

func (d Decision) keep(v Verdict) Decision {
	d.Action = Keep
	d.Why = append(d.Why, v.For...)
	return d
}

func (d Decision) refuse(reason string, next ...string) Decision {
	d.Action = Refuse
	d.Why = append(d.Why, reason)
	d.Next = append(d.Next, next...)
	return d
}

func (d Decision) set(ev Evidence) Decision {
	v := ev.Verdict
	d.Action, d.To = Set, v.Shown
	d.Why = append(append(d.Why, v.Findings...), v.For...)
	d.Warnings = append(d.Warnings, v.Against...)
	if row, one := ev.Record.One(); one && row.Dirty && v.Shown.Version < row.Version {
		d.Next = append(d.Next, fmt.Sprintf("remove what made migration %s fail: harbordb schema check --to the release that core is to be", row.Version))
	}
	d.Next = append(d.Next, "start core of "+startWords(v.Shown))
	return d
}

// startWords names the releases that go on from a version.
func startWords(m Mark) string {
	if list := m.Releases(); len(list) > 0 {
		return Span(list) + ", or of a later release"
	}
	return "a release that ships version " + m.String()
}

// alternatives lists the other half of a pair and what comes next in the
// ranking.
func alternatives(ev Evidence) []Alternative {
	list := []Alternative{}
	for _, m := range ev.Verdict.Pair {
		if m != ev.Verdict.Shown {
			list = append(list, Alternative{m, fmt.Sprintf("the catalogs of %s and %s are equal", m, ev.Verdict.Shown)})
		}
	}
	for _, c := range ev.Ranking {
		if c.Mark == ev.Verdict.Shown || len(list) >= 3 || len(list) > 0 && list[0].Mark == c.Mark {
			continue
		}
		list = append(list, Alternative{c.Mark, fmt.Sprintf("%s against it", plural(c.Against, "object"))})
	}
	return list
}

// newerThanKnown reports that a recorded version is above all known ones and
// may be true: a migration to come may change data alone. Where the catalog is
// that of an older version, it cannot be.
func newerThanKnown(ev Evidence) bool {
	v := ev.Verdict
	if ev.Record.Engine == database.MySQL || v.Confidence == Certain && v.Shown.Version < newestReleased() {
		return false
	}
	return slices.ContainsFunc(ev.Record.Rows, func(r Row) bool { return r.Version > migrations[len(migrations)-1].Version })
}
