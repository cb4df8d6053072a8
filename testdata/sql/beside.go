package harborsql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// NotaryServer creates the tables and a few rows of Notary's server, which
// Harbor up to 2.8 keeps in the database notaryserver of the same PostgreSQL
// server. In an empty database; or in one with Harbor's tables if they do not
// include schema_migrations, which both have, with different columns.
func NotaryServer(ctx context.Context, db *sql.DB) error {
	return run(ctx, db, "notary/server.sql")
}

// NotarySigner is NotaryServer for Notary's keys, in the database notarysigner.
func NotarySigner(ctx context.Context, db *sql.DB) error {
	return run(ctx, db, "notary/signer.sql")
}

// everyday are the additions that operators do make to a Harbor database.
var everyday = []string{"views", "materialized-view", "comments", "grants", "schema", "extension"}

// OperatorAdditions adds to a PostgreSQL database of Harbor, of any version,
// what operators add beside it: views, a materialized view, comments, grants
// and default privileges, a schema with tables of its own (identity columns,
// from PostgreSQL 12 on a generated one, checks, partial and expression
// indexes, a foreign key to Harbor's tables), and the extension pgcrypto where
// the server has it.
func OperatorAdditions(ctx context.Context, db *sql.DB) error {
	for _, name := range everyday {
		if err := run(ctx, db, "additions/"+name+".sql"); err != nil {
			return err
		}
	}
	return nil
}

// Addition returns the SQL of one kind of object that a Harbor database does
// not have by itself, the name of a file in additions without ".sql". All run
// on PostgreSQL 10 to 18, beside any version of Harbor and beside each other,
// and leave nothing outside their database.
func Addition(name string) string { return read("additions/" + name + ".sql") }

// Additions returns the names that Addition knows, sorted; those of
// OperatorAdditions are among them.
func Additions() []string {
	names := list("additions")
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".sql")
	}
	return names
}

func run(ctx context.Context, db *sql.DB, file string) error {
	if _, err := db.ExecContext(ctx, read(file)); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
