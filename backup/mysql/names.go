package mysql

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"time"
)

// Names of the databases that a restore makes beside the live one. They end
// in the server's time, so that they sort by it.
const (
	asideMark = "_before_"    // what a restore set aside
	loadMark  = "_restoring_" // what a restore loads into
	drillMark = "_drill_"     // what a drill loads into
	nameTime  = "20060102t150405z"
	maxName   = 64 // characters of a name in MySQL
)

// besideName returns the name of a database beside name. A long name is cut
// so that the whole fits.
func besideName(name, mark string, now time.Time) string {
	end := mark + now.UTC().Format(nameTime)
	letters := []rune(name)
	return string(letters[:min(len(letters), maxName-len(end))]) + end
}

var besideForm = regexp.MustCompile(`(?s)^(.*)(` + asideMark + `|` + loadMark + `|` + drillMark + `)([0-9]{8}t[0-9]{6}z)$`)

// parseBeside tells whether candidate is the name of a database beside name,
// and which kind.
func parseBeside(name, candidate string) (mark string, at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(candidate)
	if m == nil {
		return "", time.Time{}, false
	}
	at, err := time.Parse(nameTime, m[3])
	if err != nil || besideName(name, m[2], at) != candidate {
		return "", time.Time{}, false
	}
	return m[2], at, true
}

// liveOf returns the name of the database that candidate is beside. names are
// those of live databases: one that was cut is found among them alone.
func liveOf(candidate string, names []string) (of, mark string, at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(candidate)
	if m == nil {
		return "", "", time.Time{}, false
	}
	for _, name := range append(names, m[1]) {
		if mark, at, ok := parseBeside(name, candidate); ok {
			return name, mark, at, true
		}
	}
	return "", "", time.Time{}, false
}

// lockName is the name of the user lock that says that somebody is at work on
// a database. Such a name has at most 64 characters.
func lockName(database string) string {
	return fmt.Sprintf("harbordb %x", sha256.Sum256([]byte(database)))[:48]
}
