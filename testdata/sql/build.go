package harborsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// BuildPostgreSQL brings the schema of db up to a version, from an empty
// database or from any lower version, and records it.
//
// From a lower version the steps run as golang-migrate runs them: each is one
// implicit transaction, and its version is recorded as dirty before and as
// clean after it. A failing step leaves its version recorded as dirty, like
// Harbor. From nothing all steps run as one transaction, which comes out the
// same in half the time. It returns an error without a change where the
// recorded version is dirty, above the wanted one, or not known.
func BuildPostgreSQL(ctx context.Context, db *sql.DB, version int) error {
	if !slices.Contains(PostgreSQLVersions(), version) {
		return fmt.Errorf("no schema version %d", version)
	}
	current, err := recordedVersion(ctx, db)
	if err != nil {
		return err
	}
	if current > version {
		return fmt.Errorf("schema version %d is above %d", current, version)
	}
	if current == 0 {
		return buildAtOnce(ctx, db, version)
	}
	for _, s := range postgreSQLSteps() {
		if s.version <= current || s.version > version {
			continue
		}
		if err := runStep(ctx, db, s); err != nil {
			return err
		}
	}
	return nil
}

func buildAtOnce(ctx context.Context, db *sql.DB, version int) error {
	var script strings.Builder
	for _, s := range postgreSQLSteps() {
		if s.version <= version {
			script.WriteString(read("postgresql/" + s.file))
		}
	}
	if _, err := db.ExecContext(ctx, script.String()); err != nil {
		return fmt.Errorf("build schema version %d: %w", version, err)
	}
	return record(ctx, db, version, "false")
}

// recordedVersion returns the version in schema_migrations, which it creates
// where it does not exist, or 0.
func recordedVersion(ctx context.Context, db *sql.DB) (int, error) {
	const create = `CREATE TABLE IF NOT EXISTS schema_migrations
		(version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)`
	if _, err := db.ExecContext(ctx, create); err != nil {
		return 0, fmt.Errorf("create schema_migrations: %w", err)
	}
	var version int
	var dirty bool
	err := db.QueryRowContext(ctx, `SELECT version, dirty FROM schema_migrations LIMIT 1`).Scan(&version, &dirty)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read schema_migrations: %w", err)
	case dirty:
		return 0, fmt.Errorf("schema version %d is dirty", version)
	case !slices.Contains(PostgreSQLVersions(), version):
		return 0, fmt.Errorf("no schema version %d", version)
	}
	return version, nil
}

func runStep(ctx context.Context, db *sql.DB, s step) error {
	if err := record(ctx, db, s.version, "true"); err != nil {
		return err
	}
	// Without arguments pgx sends the text as one simple query, which the
	// server runs as one transaction.
	if _, err := db.ExecContext(ctx, read("postgresql/"+s.file)); err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	return record(ctx, db, s.version, "false")
}

func record(ctx context.Context, db *sql.DB, version int, dirty string) error {
	text := fmt.Sprintf(`TRUNCATE schema_migrations;
		INSERT INTO schema_migrations (version, dirty) VALUES (%d, %s)`, version, dirty)
	if _, err := db.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("record schema version %d: %w", version, err)
	}
	return nil
}
