package repair

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/schema"
)

// dialect is what differs between the engines: texts, and the steps around the
// schema version. Statements are written with ? for parameters and bound by
// bind.
type dialect struct {
	// bind turns the ? of a statement into the engine's placeholders.
	bind func(string) string
	// text is an expression that prints a column as text.
	text func(column string) string
	// cast turns an expression of type text into the type of a column.
	cast func(expression string, c Column) string

	// before and within fix how the session prints and reads values, and
	// bound every wait for a lock: before the transaction and for good, so
	// that the connection is spent afterwards, or within it alone.
	before, within func(wait time.Duration) []string

	// columns lists the columns of the table (no view) that an unqualified
	// name finds: schema, column, type, whether an UPDATE sets it by itself.
	// Generated columns are left out: they follow from the others. One
	// parameter: the table.
	columns string
	// indexed says whether an index begins with a column. Parameters:
	// schema, table, column.
	indexed string
	// zone is the time zone that the server gives Harbor's sessions, for
	// the column times of releases that did not choose one.
	zone string
	// clock prints the present time by the server's clock twice: in UTC,
	// and in the zone that is its parameter as the columns have it.
	clock string
	// age is the seconds from the newest of the columns to the parameter,
	// which comes once for each column; NULL where no column says.
	age func(columns ...string) string

	// hint and rowLock stand around the condition of a SELECT that locks
	// rows by key, so that it locks these rows and no other.
	hint, rowLock string
	// updateRows sets columns of n rows, each to values of its own: the
	// parameters are n times the key and then one for each column.
	updateRows func(table, key string, columns []Column, keep []string, n int) string

	// untransactional prints the storage engine of a table that would not be
	// rolled back, in no row or one. Parameters: schema, table. Empty where
	// there is no such thing.
	untransactional string
	// triggers lists the triggers of a table that overwrite a time at each
	// UPDATE, with the words that switch each on as it is now. Parameters:
	// schema, table. Empty where none exist.
	triggers string

	// versionTable holds the schema version; parseVersion reads one as a
	// person writes it.
	versionTable string
	parseVersion func(named string) (schema.Mark, error)
	// writeVersion changes the schema version under the lock of lockVersion,
	// which keeps migrations out until unlock.
	writeVersion func(ctx context.Context, conn *sql.Conn, v *VersionChange, wait time.Duration) error
	lockVersion  func(ctx context.Context, conn *sql.Conn, v *VersionChange, wait time.Duration) (unlock func() error, err error)

	// trouble is what an error of the server means to a repair.
	trouble func(error) trouble
}

var dialects = map[database.Engine]*dialect{
	database.PostgreSQL: postgresql,
	database.MySQL:      mysql,
}

// marks are n placeholders, or n times an expression with placeholders.
func marks(n int, mark string) string {
	return strings.TrimSuffix(strings.Repeat(mark+", ", n), ", ")
}
