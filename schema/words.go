package schema

import (
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// fitWords says how well the catalog fits the version.
func fitWords(k known, drift []Drift) []string {
	count := map[Class]int{}
	for _, d := range drift {
		count[d.Class]++
	}
	words := []string{fmt.Sprintf("the catalog is that of %s, %s", k, plural(len(k.catalog), "object"))}
	if count[Damage]+count[OtherVersion] > 0 {
		words[0] = fmt.Sprintf("the catalog comes nearest to that of %s: %d of its %s differ", k, count[Damage]+count[OtherVersion], plural(len(k.catalog), "object"))
	}
	if n := count[MySQLLineage]; n > 0 {
		words = append(words, fmt.Sprintf("%s as in a database that was converted from MySQL", plural(n, "difference")))
	}
	if n := count[Addition]; n > 0 {
		words = append(words, fmt.Sprintf("%s beside Harbor's own, which no release minds", plural(n, "addition")))
	}
	return words
}

// pairWords says how one of two equal catalogs was settled on.
func pairWords(pair []Mark, shown Mark, rec Record) string {
	same := fmt.Sprintf("%s and %s have the same catalog", pair[0], pair[1])
	for _, row := range rec.marks() {
		if row.Mark == shown && !row.dirty {
			return fmt.Sprintf("%s; the recorded row says %s", same, shown)
		}
	}
	return fmt.Sprintf("%s; no clean row says which, and %s may be run again without harm", same, pair[1])
}

// rowFinding says what is wrong with the row; "" for an honest one.
func rowFinding(v Verdict, rec Record) string {
	switch v.Row {
	case RowDirty:
		return dirtyWords(v, rec)
	case RowLying:
		return fmt.Sprintf("the row says %s, clean, but the catalog %s", rec, v.fits())
	case RowUnknown:
		if row, one := rec.One(); one && !row.readable() {
			return fmt.Sprintf("the row says %s, which no core can read, and the catalog %s", rec, v.fits())
		}
		return fmt.Sprintf("the row says %s, which no known Harbor release ships, and the catalog %s", rec, v.fits())
	case RowEmptied:
		return fmt.Sprintf("the version row is gone, though the catalog %s: core would run every migration from the first on and fail", v.fits())
	case RowDuplicated:
		return fmt.Sprintf("the version table has %s, and core reads any one of them", rec)
	case RowNoTable:
		return fmt.Sprintf("the version table is missing, though the catalog %s", v.fits())
	case RowNotHarbor:
		return "schema_migrations is Notary's, without the column dirty: Harbor and Notary share this database, and Harbor cannot start on it"
	}
	return ""
}

// fits says how the catalog stands to the version that it shows.
func (v Verdict) fits() string {
	if v.Confidence == Unsure {
		return "comes nearest to that of " + v.Shown.String()
	}
	return "is that of " + v.Shown.String()
}

// notes are what a person may wonder about and nothing that is wrong.
func notes(rec Record, shown Mark) []string {
	var list []string
	switch {
	case len(shown.Releases()) > 0:
	case !shown.Version.Released():
		list = append(list, fmt.Sprintf("version %s is in no Harbor release yet: this is the database of a development version", shown))
	default:
		list = append(list, fmt.Sprintf("no release ends at version %s: an upgrade stopped between two migrations, and the release that ran it will go on from here", shown))
	}
	if text := rec.elsewhere(); text != "" {
		list = append(list, text)
	}
	return list
}

// elsewhere says that Harbor is not where this role looks first; "" where it
// is.
func (r Record) elsewhere() string {
	switch {
	case r.Schema == r.CurrentSchema || r.Engine == database.MySQL:
		return ""
	case r.CurrentSchema == "":
		return fmt.Sprintf("Harbor's tables are in schema %s, and no schema of this role's search path exists: a core that connected as this role would not find them", r.Schema)
	}
	return fmt.Sprintf("Harbor's tables are in schema %s, and this role's search path begins with %s: a core that connected as this role would start anew there", r.Schema, r.CurrentSchema)
}

func dirtyWords(v Verdict, rec Record) string {
	row, _ := rec.One()
	switch {
	case v.Shown.Version == row.Version && len(v.Pair) == 0:
		return fmt.Sprintf("the row says %s, and the catalog shows that migration %s was applied: only the last step, the clean row, is missing", rec, row.Version)
	case v.Shown.Version == row.Version:
		return fmt.Sprintf("the row says %s, and the catalog fits %s", rec, v.Shown)
	case v.Shown.Version < row.Version:
		return fmt.Sprintf("the row says %s, but the catalog is that of %s: migration %s failed and left nothing behind", rec, v.Shown, row.Version)
	}
	return fmt.Sprintf("the row says %s, but the catalog is already that of %s: an older release ran migration %s again, in vain", rec, v.Shown, row.Version)
}

// structureFindings says what is wrong with the catalog.
func structureFindings(v Verdict, drift []Drift, emptySeeds []string) []string {
	var harm []string
	for _, d := range drift {
		if d.harm() {
			harm = append(harm, fmt.Sprintf("%s %s", d.Object(), d.Change))
		}
	}
	var findings []string
	switch v.Structure {
	case Damaged:
		findings = append(findings, "the catalog is damaged: "+some(harm))
	case HalfRestored:
		if len(harm) > 0 {
			findings = append(findings, "the catalog is incomplete, as after a restore that stopped: "+some(harm))
		}
	case Merged:
		findings = append(findings, "the catalog has parts of several versions, as after a restore into a database that was not empty: "+some(harm))
	}
	if len(emptySeeds) > 0 {
		findings = append(findings, "tables that are never empty hold no row: "+strings.Join(emptySeeds, ", "))
	}
	return findings
}

// some lists the first few texts and counts the rest.
func some(texts []string) string {
	const few = 4
	if len(texts) <= few {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:few], ", "), len(texts)-few)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
