package harborsql

import (
	"context"
	"database/sql"
	"fmt"
)

// ConvertFromMySQL builds, in the empty database db, a schema of the given
// version as it looks in an installation that began on MySQL and was converted
// by Harbor 1.6: sequences that no column owns, one column without its
// sequence, keys with other names, dates of the year 1. Sequences of tables
// that later versions dropped stay behind.
func ConvertFromMySQL(ctx context.Context, db *sql.DB, version int) error {
	if err := BuildPostgreSQL(ctx, db, 1); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, read("lineage/mysql.sql")); err != nil {
		return fmt.Errorf("convert from MySQL: %w", err)
	}
	return BuildPostgreSQL(ctx, db, version)
}
