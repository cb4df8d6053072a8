package harborsql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// BuildMySQL creates the schema of a release of the MySQL era with its seed
// rows in the empty database db, and sets the database's default character set
// to utf8, which Harbor's own script does.
//
// The schema of 1.5.0 has two index columns that are one byte too wide for
// MySQL 5.6 (Harbor shipped MariaDB by then); on such a server they are indexed
// by their first 255 characters.
func BuildMySQL(ctx context.Context, db database.Querier, version string) error {
	if !slices.Contains(MySQLVersions(), version) {
		return fmt.Errorf("no MySQL schema of Harbor %s", version)
	}
	narrow, err := narrowIndexes(ctx, db)
	if err != nil {
		return err
	}
	for _, statement := range statements(read("mysql/" + version + ".sql")) {
		if narrow {
			statement = shortenIndexes.Replace(statement)
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("build Harbor %s: %w in:\n%s", version, err, statement)
		}
	}
	return nil
}

var shortenIndexes = strings.NewReplacer(
	"(repository, tag)", "(repository(255), tag)",
	"resource_name, resource_type)", "resource_name(255), resource_type)",
)

// narrowIndexes tells whether an index column has at most 767 bytes: MySQL
// before 5.7, and MariaDB before 10.2.
func narrowIndexes(ctx context.Context, db database.Querier) (bool, error) {
	var version string
	if err := db.QueryRowContext(ctx, `SELECT version()`).Scan(&version); err != nil {
		return false, err
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false, fmt.Errorf("server version %q: %w", version, err)
	}
	if strings.Contains(version, "MariaDB") {
		return major < 10 || major == 10 && minor < 2, nil
	}
	return major == 5 && minor < 7, nil
}

// statements splits a script of this package, in which each statement ends
// with a semicolon at the end of a line. Comment lines before a statement stay
// with it.
func statements(script string) []string {
	var parts []string
	for part := range strings.SplitSeq(script, ";\n") {
		if strings.TrimSpace(part) != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
