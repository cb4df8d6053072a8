// Package schema knows Harbor's database schema: which releases there are,
// which migrations each of them ships, what the recorded version says and
// what the catalog itself shows, whether a release will start on a database,
// and which version a dirty or lying row should say.
//
// golang-migrate, which Harbor itself uses, stands at the centre: the package
// implements its database.Driver twice, for repairing the version row and for
// recording what a release's core would do. The package must never run a
// migration, must never change anything but the version row, and must never
// trust that row without looking at the catalog beside it.
package schema

import (
	"fmt"
	"strconv"
)

// Version is the number of a migration: the schema version that stands after
// it in schema_migrations. 0 is the version before the first migration.
type Version int

// String returns the number as Harbor writes it, such as "140".
func (v Version) String() string { return strconv.Itoa(int(v)) }

// ParseVersion reads a version as Harbor writes it: "140", or "0140" as in the
// name of a migration file.
func ParseVersion(s string) (Version, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a schema version", s)
	}
	return Version(n), nil
}
