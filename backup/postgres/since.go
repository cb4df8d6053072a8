package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/jackc/pgx/v5"
)

// since are counts of what happened after a moment, each with the table that
// it needs: Harbor's tables differ by release. Harbor stores local times up
// to 2.1 and UTC from 2.2 on; its containers run in UTC, so both are read as
// UTC.
var since = []struct {
	table, query string
	into         func(*target.Since) **int64
}{
	{"artifact", "SELECT count(*) FROM %s WHERE push_time > $1", func(s *target.Since) **int64 { return &s.ArtifactsPushed }},
	{"execution", "SELECT count(*) FROM %s WHERE vendor_type = 'GARBAGE_COLLECTION' AND start_time > $1",
		func(s *target.Since) **int64 { return &s.GarbageCollections }},
	{"admin_job", "SELECT count(*) FROM %s WHERE job_name = 'IMAGE_GC' AND creation_time > $1",
		func(s *target.Since) **int64 { return &s.GarbageCollections }},
}

// Since tells what the live database has that a snapshot of that time has
// not, as far as its release records it.
func (s *Server) Since(ctx context.Context, name string, moment time.Time) (target.Since, error) {
	var result target.Since
	err := s.visit(ctx, name, func(conn *pgx.Conn) error {
		// A migration that hangs holds locks just when one restores.
		if err := exec(ctx, conn.PgConn(), "SET lock_timeout = '2s'"); err != nil {
			return err
		}
		for _, q := range since {
			if err := count(ctx, conn, q.table, q.query, moment, q.into(&result)); err != nil {
				return fmt.Errorf("look into database %s: %w", name, err)
			}
		}
		return nil
	})
	return result, err
}

// count leaves into alone where there is no such table, or not in the form
// that the query needs.
func count(ctx context.Context, conn *pgx.Conn, table, query string, moment time.Time, into **int64) error {
	var schema string
	err := conn.QueryRow(ctx, `SELECT COALESCE((SELECT n.nspname FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1 AND c.relkind = 'r'
		AND n.nspname !~ '^pg_' ORDER BY n.nspname <> 'public', n.nspname LIMIT 1), '')`, table).Scan(&schema)
	if err != nil || schema == "" {
		return err
	}
	var n int64
	row := conn.QueryRow(ctx, fmt.Sprintf(query, quote(schema, table)), moment.UTC().Format("2006-01-02 15:04:05.999999"))
	switch err := row.Scan(&n); {
	case sqlState(err) == "42703": // an artifact table of a release that has no such column
		return nil
	case err != nil:
		return err
	}
	*into = &n
	return nil
}

// clear empties a database that a failed load has filled and that was empty
// before. Of schemas it drops those that the load made.
func (s *Server) clear(ctx context.Context, name string, schemas []string) error {
	conn, err := connect(ctx, s.db, name)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, listOwned, schemas)
	if err != nil {
		return fmt.Errorf("list what is in database %s: %w", name, err)
	}
	drops, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list what is in database %s: %w", name, err)
	}
	for _, drop := range drops {
		if err := exec(ctx, conn.PgConn(), drop); err != nil {
			return fmt.Errorf("empty database %s: %w", name, err)
		}
	}
	return nil
}

// listOwned are the statements that drop everything that the login owns in a
// database, views first. What an extension brought goes with the extension.
// Rows as JSON serve where a column is not there in every major.
const listOwned = `
SELECT statement FROM (
  SELECT format('DROP %s IF EXISTS %I.%I CASCADE',
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
    n.nspname, c.relname), CASE c.relkind WHEN 'v' THEN 1 WHEN 'm' THEN 1 WHEN 'S' THEN 3 ELSE 2 END
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND pg_catalog.pg_has_role(c.relowner, 'MEMBER') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT format('DROP %s IF EXISTS %I.%I(%s) CASCADE',
    CASE WHEN pg_catalog.to_jsonb(p) ->> 'prokind' = 'p' THEN 'PROCEDURE'
      WHEN pg_catalog.to_jsonb(p) ->> 'prokind' = 'a' OR pg_catalog.to_jsonb(p) ->> 'proisagg' = 'true' THEN 'AGGREGATE'
      ELSE 'FUNCTION' END, n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), 4
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND pg_catalog.pg_has_role(p.proowner, 'MEMBER')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL
  SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname), 5
  FROM pg_catalog.pg_namespace n WHERE n.nspname <> 'public' AND n.nspname = ANY($1)
  AND pg_catalog.pg_has_role(n.nspowner, 'MEMBER')
) AS drops (statement, step) ORDER BY step`
