package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// RowState is what is to be thought of the recorded version.
type RowState string

// The states of the recorded version. An honest row is the only sound one
// where Harbor's tables are there.
const (
	RowHonest     RowState = "honest"        // one clean row that says what the catalog shows
	RowDirty      RowState = "dirty"         // a migration failed, was cut off, or still runs
	RowLying      RowState = "lying"         // clean, but another version than the catalog shows
	RowUnknown    RowState = "unknown"       // a version that no Harbor known here has ever had
	RowEmptied    RowState = "emptied"       // no row, though Harbor's tables are there
	RowDuplicated RowState = "duplicated"    // more than one row
	RowNoTable    RowState = "table-missing" // no version table, though Harbor's tables are there
	RowNotHarbor  RowState = "notary"        // schema_migrations is Notary's, without the column dirty
	RowFresh      RowState = "fresh"         // no row and no tables
	RowAlone      RowState = "alone"         // a row, but none of Harbor's tables
	RowBusy       RowState = "migrating"     // somebody changes it right now
)

// Structure is what is to be thought of the catalog.
type Structure string

// The structures. Operators' additions and the lineage from MySQL are sound.
const (
	Sound        Structure = "sound"
	Damaged      Structure = "damaged"       // a few objects are missing or changed
	HalfRestored Structure = "half-restored" // tables, many constraints or all rows are missing
	Merged       Structure = "merged"        // objects of several versions
	Absent       Structure = "absent"        // none of Harbor's tables
	Unread       Structure = "unread"        // tables are locked by a migration
)

// Confidence is how far the evidence carries.
type Confidence string

// The confidences. Certain: the catalog is a version's own, object by object.
// Likely: a few objects differ, and every other version is clearly further
// off. Unsure: nothing should be decided from it alone.
const (
	Certain Confidence = "certain"
	Likely  Confidence = "likely"
	Unsure  Confidence = "unsure"
)

// Verdict is what the evidence comes to.
type Verdict struct {
	Row       RowState  `json:"row"`
	Structure Structure `json:"structure"`
	// Shown is the version that the database is at; the zero Mark where
	// none of Harbor's tables is there. Where two versions have this same
	// catalog, Pair holds both and Shown the one that was settled on.
	Shown      Mark       `json:"shown"`
	Pair       []Mark     `json:"pair,omitempty"`
	Confidence Confidence `json:"confidence"`
	Releases   []string   `json:"releases"` // that end at Shown, ascending
	For        []string   `json:"for"`      // the evidence for Shown, in words
	Against    []string   `json:"against"`
	Findings   []string   `json:"findings"` // what is wrong, one sentence each; empty where all is well
	Notes      []string   `json:"notes"`    // what is unusual and not wrong

	rowFinding        string   // the one of Findings that is about the row, "" for none
	structureFindings []string // those that are about the catalog
}

// Healthy reports that the row says what the catalog shows and that nothing
// is damaged.
func (v Verdict) Healthy() bool { return len(v.Findings) == 0 }

const (
	clearGap    = 3  // objects by which a version must be nearer than the next to be likely
	smallDamage = 20 // objects that may differ before nothing is likely any more
)

// choose settles on the version that the catalog shows. ranking and versions
// are in ascending order of the versions.
func choose(ranking []Candidate, versions []known, rec Record) (shown Mark, pair []Mark, confidence Confidence) {
	least := slices.MinFunc(ranking, func(a, b Candidate) int { return a.Against - b.Against }).Against
	var nearest []int
	next := -1 // the distance of the next one that is not among the nearest
	for i, c := range ranking {
		if c.Against == least {
			nearest = append(nearest, i)
		} else if next < 0 || c.Against < next {
			next = c.Against
		}
	}
	first, last := versions[nearest[0]], versions[nearest[len(nearest)-1]]
	one := maps.Equal(first.catalog, last.catalog)
	if one && len(nearest) == 2 {
		pair = []Mark{first.Mark, last.Mark}
	}
	shown = settle(marksOf(versions, nearest), rec)
	switch {
	case least == 0 && one:
		confidence = Certain
	case one && least <= smallDamage && next-least >= clearGap && !nearlyRecorded(ranking, least, rec):
		confidence = Likely
	case one && least <= smallDamage && (explainedByDirty(versions, nearest, rec) || rec.says(shown)):
		confidence = Likely
	default:
		confidence = Unsure
	}
	return shown, pair, confidence
}

func marksOf(versions []known, at []int) []Mark {
	marks := make([]Mark, len(at))
	for i, n := range at {
		marks[i] = versions[n].Mark
	}
	return marks
}

// settle picks one of several versions that fit equally well: the one that a
// clean row names, else the lowest. The catalogs of a pair are equal because
// the upper migration changed data alone, and every such migration may be run
// twice: to say the lower one costs nothing, to say the upper one might skip
// it. A dirty row does not prove that its migration was committed.
func settle(fit []Mark, rec Record) Mark {
	var named []Mark
	for _, m := range rec.marks() {
		if !m.dirty && slices.Contains(fit, m.Mark) {
			named = append(named, m.Mark)
		}
	}
	if len(named) == 1 {
		return named[0]
	}
	return fit[0]
}

// says reports that one clean row, and nothing else, is there and names m.
func (r Record) says(m Mark) bool {
	rows := r.marks()
	return len(rows) == 1 && !rows[0].dirty && rows[0].Mark == m
}

// nearlyRecorded reports that the version of the one clean row is hardly
// further off than the nearest: then damage and a lying row look alike.
func nearlyRecorded(ranking []Candidate, least int, rec Record) bool {
	rows := rec.marks()
	if len(rows) != 1 || rows[0].dirty {
		return false
	}
	return slices.ContainsFunc(ranking, func(c Candidate) bool {
		return c.Mark == rows[0].Mark && c.Against > least && c.Against-least < clearGap
	})
}

// halfOf returns the version of the one clean row where the catalog has
// nothing but parts of that version's: what a restore leaves that stopped. The
// nearest version may then be an older one, which had less to lose.
func (c comparison) halfOf(rec Record) (Mark, bool) {
	rows := rec.marks()
	if len(rows) != 1 || rows[0].dirty {
		return Mark{}, false
	}
	at := slices.IndexFunc(c.known, func(k known) bool { return k.Mark == rows[0].Mark })
	if at < 0 {
		return Mark{}, false
	}
	foreign := slices.ContainsFunc(c.with(c.known[at]), func(d Drift) bool { return d.Class == OtherVersion })
	return rows[0].Mark, !foreign
}

// explainedByDirty reports that a dirty row says where to look: its migration
// was run on the version before and is applied or not, so that the nearest of
// these few versions is the right one, however little the next is behind it.
// Before 50 come two.
func explainedByDirty(versions []known, nearest []int, rec Record) bool {
	rows := rec.marks()
	if len(rows) != 1 || !rows[0].dirty {
		return false
	}
	at := slices.IndexFunc(versions, func(k known) bool { return k.Mark == rows[0].Mark })
	return slices.ContainsFunc(nearest, func(i int) bool { return at-2 <= i && i <= at })
}

// rowMark is a recorded version of either era.
type rowMark struct {
	Mark
	dirty, unreadable bool
}

// marks returns the recorded versions of either era.
func (r Record) marks() []rowMark {
	var list []rowMark
	if r.Engine == database.MySQL {
		for _, value := range r.Alembic {
			list = append(list, rowMark{Mark: Mark{Alembic: value}})
		}
		return list
	}
	for _, row := range r.Rows {
		list = append(list, rowMark{Mark{Version: row.Version}, row.Dirty, !row.readable()})
	}
	return list
}

// judgeBare is the verdict on a database without Harbor's tables.
func judgeBare(rec Record) Verdict {
	v := Verdict{Structure: Absent, Confidence: Certain, Row: RowFresh, Releases: []string{}, For: []string{}, Against: []string{}, Notes: []string{}}
	switch row, one := rec.One(); {
	case len(rec.Rows) == 0:
		v.Findings = []string{"the database is empty: no Harbor has started on it yet, or a database image found no data folder that it knows and made an empty one beside the real one"}
	case one && row == Row{Version: 1, Dirty: true, DataVersion: row.DataVersion}:
		v.Row = RowDirty
		v.Findings = []string{"the row says 1, dirty, and there are no tables: the very first migration failed and left nothing"}
	default:
		v.Row = RowAlone
		v.Findings = []string{fmt.Sprintf("the row says %s, but none of Harbor's tables is there: the database is empty though it should not be", rec)}
	}
	v.rowFinding = v.Findings[0]
	v.For = append(v.For, "none of Harbor's tables is there")
	return v
}

// judgeBusy is the verdict while a session holds tables exclusively: to read
// them would mean to wait for it, and what they show would be out of date.
func judgeBusy(m Migrator) Verdict {
	finding := m.String() + " and holds Harbor's tables: what they show will be known when it has ended"
	return Verdict{
		Row: RowBusy, Structure: Unread, Confidence: Unsure, Releases: []string{}, For: []string{}, Against: []string{}, Notes: []string{},
		Findings: []string{finding}, rowFinding: finding,
	}
}

// judge comes to the verdict on a database with Harbor's tables.
func judge(ev Evidence, shown Mark, pair []Mark, confidence Confidence, emptySeeds []string) Verdict {
	drift := ev.Drift
	state := rowState(ev.Record, shown)
	if state == RowNotHarbor {
		drift = slices.DeleteFunc(slices.Clone(drift), Drift.ofVersionTable)
	}
	v := Verdict{
		Row: state, Structure: structure(drift, emptySeeds),
		Shown: shown, Pair: pair, Confidence: confidence,
		Releases: names(shown.Releases()), For: []string{}, Against: []string{}, Findings: []string{}, Notes: []string{},
	}
	if len(pair) > 0 {
		v.For = append(v.For, pairWords(pair, shown, ev.Record))
	}
	if ev.Record.Engine == database.PostgreSQL {
		wrong := contradictions(ev.Probes, shown.Version)
		v.Against = append(v.Against, wrong...)
		v.For = append(v.For, fmt.Sprintf("%d of %d probes agree", len(ev.Probes)-len(wrong), len(ev.Probes)))
	}
	if v.rowFinding = rowFinding(v, ev.Record); v.rowFinding != "" {
		v.Findings = append(v.Findings, v.rowFinding)
	}
	if len(ev.Record.Schemas) > 1 {
		v.Findings = append(v.Findings, fmt.Sprintf("Harbor's tables are in several schemas (%s); this is about %s, the first in the search path", strings.Join(ev.Record.Schemas, ", "), ev.Record.Schema))
	}
	v.structureFindings = structureFindings(v, drift, emptySeeds)
	v.Findings = append(v.Findings, v.structureFindings...)
	v.Notes = append(v.Notes, notes(ev.Record, shown)...)
	return v
}

func names(list []Release) []string {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = r.String()
	}
	return texts
}

func rowState(rec Record, shown Mark) RowState {
	rows := rec.marks()
	switch {
	case rec.Engine == database.PostgreSQL && rec.Table && !rec.HasDirty:
		return RowNotHarbor
	case !rec.hasVersionTable():
		return RowNoTable
	case len(rows) == 0:
		return RowEmptied
	case len(rows) > 1:
		return RowDuplicated
	case rows[0].unreadable:
		return RowUnknown
	case rows[0].dirty:
		return RowDirty
	case rows[0].Mark == shown:
		return RowHonest
	case !rows[0].Mark.known():
		return RowUnknown
	}
	return RowLying
}

func (r Record) hasVersionTable() bool {
	return r.Table || r.Engine == database.MySQL && r.AlembicTable
}

// known reports whether some Harbor has had this version.
func (m Mark) known() bool {
	if m.Alembic != "" {
		return len(m.Releases()) > 0
	}
	return m.Version.Known()
}

// halfConstraints is how many constraints must be missing for a restore that
// stopped: dumps load them after all rows.
const halfConstraints = 5

func structure(drift []Drift, emptySeeds []string) Structure {
	var tables, constraints, others, harm int
	for _, d := range drift {
		switch {
		case !d.harm():
			continue
		case d.Class == OtherVersion:
			others++
		case d.Change == Missing && d.Kind == KindTable:
			tables++
		case d.Change == Missing && d.Kind == KindConstraint:
			constraints++
		}
		harm++
	}
	switch {
	case others > 0:
		return Merged
	case tables > 0 || constraints >= halfConstraints || len(emptySeeds) > 0:
		return HalfRestored
	case harm > 0:
		return Damaged
	}
	return Sound
}
