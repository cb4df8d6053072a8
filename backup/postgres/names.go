package postgres

import (
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/zeebo/xxh3"
)

// maxName is how many bytes a name has in PostgreSQL.
const maxName = 63

// naming cuts a name that is too long at a character, and tells it from others
// that begin alike by a digest.
var naming target.Naming = func(name, end string) string {
	if len(name)+len(end) > maxName {
		end = fmt.Sprintf("_%08x", uint32(xxh3.HashString(name))) + end
		name = strings.ToValidUTF8(name[:maxName-len(end)], "")
	}
	return name + end
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
