package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/zeebo/xxh3"
)

// Names of the databases that a restore makes beside the live one. They end
// in the server's time, so that they sort by it.
const (
	asideMark = "_before_"    // what a restore set aside
	loadMark  = "_restoring_" // what a restore loads into
	drillMark = "_drill_"     // what a drill loads into
	nameTime  = "20060102t150405z"
	maxName   = 63 // bytes of a name in PostgreSQL
)

// besideName returns the name of a database beside name. A name that is too
// long is cut, at a character, and told from others that begin alike by a
// digest.
func besideName(name, mark string, now time.Time) string {
	end := mark + now.UTC().Format(nameTime)
	if len(name)+len(end) > maxName {
		end = fmt.Sprintf("_%08x", uint32(xxh3.HashString(name))) + end
		name = strings.ToValidUTF8(name[:maxName-len(end)], "")
	}
	return name + end
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
// those of live databases, and come first: one that was cut is found among them
// alone, and what is left of it looks like a whole name.
func liveOf(candidate string, names []string) (of, mark string, at time.Time, ok bool) {
	m := besideForm.FindStringSubmatch(candidate)
	if m == nil {
		return "", "", time.Time{}, false
	}
	for _, name := range append(slices.Clip(names), m[1]) {
		if mark, at, ok := parseBeside(name, candidate); ok {
			return name, mark, at, true
		}
	}
	return "", "", time.Time{}, false
}

// A database that a restore is loading, or has loaded and not swapped in,
// says so in its comment. The session that loads it holds an advisory lock in
// it, which ends with the session: a mark without a lock is a killed restore.
const (
	markLoading = "harbordb: loading snapshot "
	markLoaded  = "harbordb: loaded and compared snapshot "
	loadLock    = 0x6861726264 // "harbd"
)

// parseMark reads a comment that a restore left.
func parseMark(comment string) (id snapshots.ID, loaded, ok bool) {
	text, loaded := strings.CutPrefix(comment, markLoaded)
	if !loaded {
		if text, ok = strings.CutPrefix(comment, markLoading); !ok {
			return "", false, false
		}
	}
	id, err := snapshots.ParseID(text)
	return id, loaded, err == nil
}

func commentOn(database, text string) string {
	if text == "" {
		return fmt.Sprintf("COMMENT ON DATABASE %s IS NULL", quote(database))
	}
	return fmt.Sprintf("COMMENT ON DATABASE %s IS %s", quote(database), pgmodel.QuoteLiteral(text))
}

// quote quotes the parts of a name and joins them with a point.
func quote(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = pgmodel.QuoteIdent(p)
	}
	return strings.Join(quoted, ".")
}
