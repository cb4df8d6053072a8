package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Change is how an object differs from what its version has.
type Change string

// The changes.
const (
	Missing   Change = "missing"
	Extra     Change = "extra"
	Different Change = "different"
	Renamed   Change = "renamed"
)

// Class is where a difference comes from.
type Class string

// The classes. Damage and OtherVersion are what no sound database has: parts
// lost or changed, or parts of another version. MySQLLineage is how a
// database looks that was converted from Harbor 1.5's MySQL, or that a
// migrator brought forward in that era. Addition is what
// an operator has made beside Harbor's own objects.
const (
	Damage       Class = "damage"
	OtherVersion Class = "other-version"
	MySQLLineage Class = "mysql-lineage"
	Addition     Class = "addition"
)

// Drift is one difference between the catalog of a database and that of a
// version. Where a whole table is missing or extra, what belongs to it is not
// listed.
type Drift struct {
	Change Change `json:"change"`
	Kind   Kind   `json:"kind"`
	Table  string `json:"table,omitempty"`
	Name   string `json:"name,omitempty"` // "" for a table
	Want   string `json:"want,omitempty"` // for renamed: the name that Harbor gives
	Have   string `json:"have,omitempty"`
	Class  Class  `json:"class"`
	Note   string `json:"note,omitempty"` // such as "as in versions up to 40"
}

// Object names the object for people.
func (d Drift) Object() string { return object{d.Kind, d.Table, d.Name}.String() }

func (d Drift) object() object { return object{d.Kind, d.Table, d.Name} }

// harm reports whether the difference counts against the version.
func (d Drift) harm() bool { return d.Class == Damage || d.Class == OtherVersion }

// comparison compares one database with versions.
type comparison struct {
	live    live
	known   []known
	homes   map[home][]int // the indexes in known of the versions that have such an object
	lineage []string       // signs of a database converted from MySQL
	ranking []Candidate    // the distance of each version, in ascending order of the versions
}

// home is an object with one of the definitions that it has had.
type home struct {
	object
	definition string
}

func newComparison(l live, versions []known) comparison {
	c := comparison{live: l, known: versions, homes: map[home][]int{}, lineage: mysqlSigns(l)}
	for i, k := range versions {
		for o, definition := range k.catalog {
			c.homes[home{o, definition}] = append(c.homes[home{o, definition}], i)
		}
	}
	for _, k := range versions {
		c.ranking = append(c.ranking, Candidate{k.Mark, c.distance(k)})
	}
	return c
}

// with returns the differences from one version, whole tables collapsed,
// ordered by table, kind and name.
func (c comparison) with(k known) []Drift {
	list := c.differences(k)
	whole := map[string]Change{}
	for _, d := range list {
		if d.Kind == KindTable {
			whole[d.Table] = d.Change
		}
	}
	list = slices.DeleteFunc(list, func(d Drift) bool { return d.Kind != KindTable && whole[d.Table] == d.Change })
	for i, d := range list {
		list[i] = tolerate(d)
	}
	slices.SortFunc(list, func(a, b Drift) int { return a.object().compare(b.object()) })
	return list
}

// tolerate turns what another version has, too, into an addition where an
// operator may well have made it and no release minds: an index that a later
// release brings, or a column that one widens.
func tolerate(d Drift) Drift {
	if d.Class == OtherVersion && (d.Change == Extra && d.Kind == KindIndex || d.Change == Different && wider(d.Want, d.Have)) {
		d.Class = Addition
	}
	return d
}

// distance counts the objects, not collapsed, that speak against a version.
// How the version table is made says nothing about the version.
func (c comparison) distance(k known) int {
	n := 0
	for _, d := range c.differences(k) {
		if d.harm() && !d.ofVersionTable() {
			n++
		}
	}
	return n
}

// versionTables hold the version; from 1.6 on nobody reads alembic_version.
var versionTables = []string{"schema_migrations", "alembic_version"}

// ofVersionTable is false for the one column that came and went with versions.
func (d Drift) ofVersionTable() bool {
	return slices.Contains(versionTables, d.Table) && d.Name != "data_version"
}

func (c comparison) differences(k known) []Drift {
	var list []Drift
	missing, extra := map[object]string{}, map[object]string{}
	for o, want := range k.catalog {
		have, ok := c.live.catalog[o]
		switch {
		case slices.Contains(versionTables, o.Table) && !c.live.has(KindTable, o.Table, ""):
			// A lost version table is a matter of the row, not of the
			// catalog: it says nothing about the version.
		case !ok:
			missing[o] = want
		case have != want:
			list = append(list, c.classify(Drift{Change: Different, Kind: o.Kind, Table: o.Table, Name: o.Name, Want: want, Have: have}))
		}
	}
	for o, have := range c.live.catalog {
		if _, ok := k.catalog[o]; !ok {
			extra[o] = have
		}
	}
	list = append(list, c.renamed(missing, extra)...)
	for o, want := range missing {
		list = append(list, c.classify(Drift{Change: Missing, Kind: o.Kind, Table: o.Table, Name: o.Name, Want: want}))
	}
	for o, have := range extra {
		list = append(list, c.classify(Drift{Change: Extra, Kind: o.Kind, Table: o.Table, Name: o.Name, Have: have}))
	}
	return list
}

// renamed takes pairs of equal constraints or indexes of one table that
// differ in nothing but their name out of both maps.
func (c comparison) renamed(missing, extra map[object]string) []Drift {
	spare := map[home][]object{}
	for o, have := range extra {
		if o.Kind == KindConstraint || o.Kind == KindIndex {
			key := home{object{o.Kind, o.Table, ""}, have}
			spare[key] = append(spare[key], o)
		}
	}
	if len(spare) == 0 {
		return nil
	}
	var list []Drift
	for _, o := range slices.SortedFunc(maps.Keys(missing), object.compare) {
		key := home{object{o.Kind, o.Table, ""}, missing[o]}
		if len(spare[key]) == 0 {
			continue
		}
		p := slices.MinFunc(spare[key], object.compare)
		spare[key] = slices.DeleteFunc(spare[key], func(x object) bool { return x == p })
		list = append(list, c.classify(Drift{Change: Renamed, Kind: o.Kind, Table: o.Table, Name: p.Name, Want: o.Name, Have: p.Name}))
		delete(missing, o)
		delete(extra, p)
	}
	return list
}

// classify fills Class and Note.
func (c comparison) classify(d Drift) Drift {
	switch {
	case len(c.lineage) > 0 && fromMySQL(d):
		d.Class = MySQLLineage
	case d.Kind == KindIndex && len(c.known) > 0 && c.known[0].Alembic != "":
		d.Class, d.Note = MySQLLineage, "a migrator leaves other indexes than a fresh install has"
	case d.Change == Renamed:
		d.Class, d.Note = Addition, "equal to Harbor's "+d.Want+" in all but its name"
	case d.Change == Extra:
		d.Class, d.Note = c.classifyExtra(d)
	case d.Change == Missing:
		d.Class = Damage
	default:
		d.Class, d.Note = c.classifyDifferent(d)
	}
	return d
}

func (c comparison) classifyDifferent(d Drift) (Class, string) {
	if note := c.versionsWith(d.object(), d.Have); note != "" {
		return OtherVersion, note
	}
	if d.Kind == KindColumn && wider(d.Want, d.Have) {
		return Addition, "holds all that Harbor's column does"
	}
	return Damage, ""
}

func (c comparison) classifyExtra(d Drift) (Class, string) {
	if note := c.versionsWith(d.object(), d.Have); note != "" {
		return OtherVersion, note
	}
	if note := notaryTables[d.Table]; note != "" {
		return Addition, note
	}
	if d.Kind == KindTable && d.Have != "" {
		return Addition, "a " + d.Have
	}
	if d.Kind == KindConstraint || d.Kind == KindIndex {
		for o, have := range c.live.catalog {
			if o.Kind == d.Kind && o.Table == d.Table && o.Name != d.Name && have == d.Have {
				return Addition, "a second one like " + o.Name
			}
		}
	}
	return Addition, ""
}

// notaryTables are those of Notary's two databases, which external set-ups
// have put into Harbor's.
var notaryTables = map[string]string{
	"tuf_files": "Notary's", "change_category": "Notary's", "changefeed": "Notary's", "private_keys": "Notary's",
}

// versionsWith says in which versions the object has that definition, or ""
// where none has.
func (c comparison) versionsWith(o object, definition string) string {
	var runs []string
	at := c.homes[home{o, definition}]
	for first := 0; first < len(at); {
		last := first
		for last+1 < len(at) && at[last+1] == at[last]+1 {
			last++
		}
		runs = append(runs, c.run(at[first], at[last]))
		first = last + 1
	}
	if len(runs) == 0 {
		return ""
	}
	return "as in " + strings.Join(runs, " and ")
}

func (c comparison) run(first, last int) string {
	switch {
	case first == last:
		return c.known[first].String()
	case last == len(c.known)-1:
		return c.known[first].String() + " and later"
	}
	return fmt.Sprintf("%s to %s", c.known[first], c.known[last])
}

var sizedText = regexp.MustCompile(`^character varying\((\d+)\)$`)

// wider reports whether a column with definition have takes every value that
// one with definition want takes, as after an operator's ALTER of a column
// that had become too narrow.
func wider(want, have string) bool {
	wantType, wantRest := cutType(want)
	haveType, haveRest := cutType(have)
	if wantRest != haveRest {
		return false
	}
	n, m := sizedText.FindStringSubmatch(wantType), sizedText.FindStringSubmatch(haveType)
	switch {
	case n != nil && m != nil:
		a, _ := strconv.Atoi(n[1])
		b, _ := strconv.Atoi(m[1])
		return b > a
	case n != nil:
		return haveType == "text" || haveType == "character varying"
	case wantType == "integer":
		return haveType == "bigint"
	case wantType == "smallint":
		return haveType == "integer" || haveType == "bigint"
	}
	return false
}

// cutType splits a column's definition into its type and the rest.
func cutType(definition string) (typ, rest string) {
	for _, sep := range []string{" not null", " default "} {
		if i := strings.Index(definition, sep); i >= 0 {
			return definition[:i], definition[i:]
		}
	}
	return definition, ""
}
