package target

import (
	"regexp"
	"slices"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
)

// Names of the databases that a restore makes beside the live one end in a
// mark and the server's time, so that they sort by it.
const (
	AsideMark = "_before_"    // what a restore set aside
	LoadMark  = "_restoring_" // what a restore loads into
	DrillMark = "_drill_"     // what a drill loads into
	nameTime  = "20060102t150405z"
)

// BesideForm is a regular expression, of Go and of PostgreSQL, that the names
// of databases beside others match.
const BesideForm = `^(.*)(` + AsideMark + `|` + LoadMark + `|` + DrillMark + `)([0-9]{8}t[0-9]{6}z)$`

var besideForm = regexp.MustCompile(`(?s)` + BesideForm)

// IsBeside tells whether a database is beside another, by its name.
func IsBeside(name string) bool { return besideForm.MatchString(name) }

// Naming puts an end after the name of a database. A name that is too long for
// the engine is cut.
type Naming func(name, end string) string

// Name returns the name of a database beside name.
func (n Naming) Name(name, mark string, at time.Time) string {
	return n(name, mark+at.UTC().Format(nameTime))
}

// Parse tells whether candidate is the name of a database beside name, and
// which kind.
func (n Naming) Parse(name, candidate string) (mark string, at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(candidate)
	if m == nil {
		return "", time.Time{}, false
	}
	at, err := time.Parse(nameTime, m[3])
	if err != nil || n.Name(name, m[2], at) != candidate {
		return "", time.Time{}, false
	}
	return m[2], at, true
}

// LiveOf returns the name of the database that candidate is beside. names are
// those of live databases, and come first: one that was cut is found among them
// alone, and what is left of it looks like a whole name.
func (n Naming) LiveOf(candidate string, names []string) (of, mark string, at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(candidate)
	if m == nil {
		return "", "", time.Time{}, false
	}
	for _, name := range append(slices.Clip(names), m[1]) {
		if mark, at, ok := n.Parse(name, candidate); ok {
			return name, mark, at, true
		}
	}
	return "", "", time.Time{}, false
}

// FreeTime returns the time by which a restore names what it makes: now, or
// the second after the latest that any of the names ends in. What ends in the
// same time was made by the same restore, and the latest set aside is what a
// rollback brings back.
func FreeTime(now time.Time, names []string) time.Time {
	now = now.UTC().Truncate(time.Second)
	for _, name := range names {
		if at, ok := timeOf(name); ok && !now.After(at) {
			now = at.Add(time.Second)
		}
	}
	return now
}

func timeOf(name string) (at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(name)
	if m == nil {
		return at, false
	}
	at, err := time.Parse(nameTime, m[3])
	return at, err == nil
}

// CheckAside refuses to set a live database aside under a name that was chosen a
// while ago where one of the names shows that a rollback would bring the wrong
// database back: another restore has set something aside in the same second, or
// what it has set aside of the same database is newer.
func (n Naming) CheckAside(names []string, live, aside string) error {
	own, _ := timeOf(aside)
	for _, name := range names {
		m := besideForm.FindStringSubmatch(name)
		if m == nil || m[2] != AsideMark {
			continue
		}
		at, ok := timeOf(name)
		_, _, same := n.Parse(live, name)
		if ok && (at.Equal(own) || same && at.After(own)) {
			return fault.Refusedf("another restore has set database %s aside since this one of %s was planned", name, live).
				WithHint("run the command again: it plans anew")
		}
	}
	return nil
}
