package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// ReadTarget reads what a model is rendered for: the server's major, roles,
// locales, collations and extensions, and the rights of the user. Database
// and Owner are the caller's to set. It must not run in a transaction: a
// server may refuse to list its extensions.
func ReadTarget(ctx context.Context, q rowQuerier) (pgmodel.Target, error) {
	type row struct {
		Number                int
		User                  string
		Superuser, ICU        bool
		Collate, Ctype        string
		Roles, Owners, Locale []string
	}
	// The locales of the C library cannot be listed. Those of pg_collation
	// and of the databases that are there exist.
	const sql = `SELECT current_setting('server_version_num')::int AS number, current_user::text AS user,
			(SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) AS superuser,
			EXISTS (SELECT FROM pg_collation c WHERE to_jsonb(c) ->> 'collprovider' = 'i') AS icu,
			d.datcollate::text AS collate, d.datctype::text AS ctype,
			ARRAY(SELECT r.rolname::text FROM pg_roles r ORDER BY 1) AS roles,
			ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE pg_has_role(current_user, r.oid,
				CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) ORDER BY 1) AS owners,
			ARRAY(SELECT c.collcollate::text FROM pg_collation c
				WHERE c.collcollate IS NOT NULL AND coalesce(to_jsonb(c) ->> 'collprovider', 'c') = 'c'
				UNION SELECT o.datcollate::text FROM pg_database o ORDER BY 1) AS locale
		FROM pg_database d WHERE d.datname = 'template0'`
	rows, err := query(ctx, q, sql, pgx.RowToStructByName[row])
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("it has no database template0")
	}
	if err != nil {
		return pgmodel.Target{}, fmt.Errorf("look at the server: %w", err)
	}
	r := rows[0]
	t := pgmodel.Target{
		Major: r.Number / 10000, User: r.User, Superuser: r.Superuser, Roles: r.Roles, Owners: r.Owners,
		Locales: r.Locale, ICU: r.ICU, Collate: r.Collate, Ctype: r.Ctype,
	}
	if t.Collations, err = readCollations(ctx, q); err != nil {
		return t, fmt.Errorf("look at the server: collations: %w", err)
	}
	t.Extensions, err = readAvailable(ctx, q)
	if sqlState(err) != "" {
		// One file of an extension that the server cannot parse, of another
		// version say, hides the list. Then nothing is known of any.
		return t, nil
	}
	return t, err
}

// readCollations lists the collations of the system: a new database has no
// others. Template databases may differ in those of the C library.
func readCollations(ctx context.Context, q rowQuerier) ([]pgmodel.Name, error) {
	const sql = `SELECT n.nspname::text, c.collname::text FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
		WHERE n.nspname = 'pg_catalog'`
	return query(ctx, q, sql, pgx.RowToStructByPos[pgmodel.Name])
}

func readAvailable(ctx context.Context, q rowQuerier) (map[string][]string, error) {
	type row struct{ Name, Version string }
	const sql = `SELECT name::text, version FROM pg_available_extension_versions ORDER BY 1, 2`
	rows, err := query(ctx, q, sql, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("look at the server: extensions: %w", err)
	}
	versions := map[string][]string{}
	for _, r := range rows {
		versions[r.Name] = append(versions[r.Name], r.Version)
	}
	return versions, nil
}
