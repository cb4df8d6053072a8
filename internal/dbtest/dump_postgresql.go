package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/harbordb/harbordb/database"
)

// postgresEntries lists what holds data: tables (a partitioned one through its
// partitions), filled materialized views, sequences, large objects. Floats are
// read as their bytes: before PostgreSQL 12 they print with other digits.
const postgresEntries = `
SELECT 'table ' || c.oid::regclass || ' (' || coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), '') || ')',
       CASE WHEN bool_or(a.atttypid IN ('float4'::regtype, 'float8'::regtype))
            THEN 'COPY (SELECT ' || string_agg(CASE a.atttypid WHEN 'float4'::regtype THEN 'float4send(' || quote_ident(a.attname) || ')'
                                                               WHEN 'float8'::regtype THEN 'float8send(' || quote_ident(a.attname) || ')'
                                                               ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
                 || ' FROM ' || c.oid::regclass || ') TO STDOUT'
            ELSE 'COPY ' || c.oid::regclass || ' TO STDOUT' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY c.oid
UNION ALL
SELECT 'materialized view ' || c.oid::regclass, 'COPY (SELECT * FROM ' || c.oid::regclass || ') TO STDOUT'
FROM pg_class c WHERE c.relkind = 'm' AND c.relispopulated
UNION ALL
SELECT 'sequence ' || c.oid::regclass, 'COPY (SELECT last_value, is_called FROM ' || c.oid::regclass || ') TO STDOUT'
FROM pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'
UNION ALL
SELECT 'large objects', 'COPY (SELECT loid, pageno, data FROM pg_largeobject) TO STDOUT'
WHERE EXISTS (SELECT FROM pg_largeobject)`

func dumpPostgreSQL(ctx context.Context, conn *sql.Conn) (Contents, error) {
	err := execAll(ctx, conn,
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		"SET LOCAL search_path = ''", // so that every name has its schema
		"SET LOCAL timezone = 'UTC'",
		"SET LOCAL datestyle = 'ISO, MDY'",
		"SET LOCAL intervalstyle = 'postgres'",
		"SET LOCAL bytea_output = 'hex'",
		"SET LOCAL extra_float_digits = 3",
	)
	if err != nil {
		return nil, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	list, err := entries(ctx, conn, postgresEntries)
	if err != nil {
		return nil, err
	}
	contents := Contents{}
	for _, e := range list {
		text, err := copyOut(ctx, conn, e.query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		contents[e.name] = sortedLines(text)
	}
	return contents, nil
}

func copyOut(ctx context.Context, conn *sql.Conn, query string) ([]byte, error) {
	var text bytes.Buffer
	err := conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().PgConn().CopyTo(ctx, &text, query)
		return err
	})
	return text.Bytes(), err
}

// PgDump returns what the distribution's pg_dump --schema-only says of a
// database, with further arguments. Two equal schemas give equal texts: the
// key that guards the text against psql's backslash commands is a fixed one.
// A server newer than pg_dump fails the test.
func PgDump(t testing.TB, settings database.Settings, args ...string) string {
	t.Helper()
	program, err := postgresClient("pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"--schema-only", "--no-password"}
	if help, _ := exec.Command(program, "--help").Output(); strings.Contains(string(help), "--restrict-key") {
		all = append(all, "--restrict-key=dbtest")
	}
	cmd := exec.CommandContext(context.Background(), program, append(all, args...)...)
	cmd.Env = libpqEnvironment(settings)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("pg_dump of %s: %v\n%s", settings.Database, err, &stderr)
	}
	return stdout.String()
}

// Psql runs a script with the distribution's psql, stopping at the first
// error, and returns its output: for what a person would do by hand.
func Psql(t testing.TB, settings database.Settings, script string) string {
	t.Helper()
	program, err := postgresClient("psql")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), program, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-")
	cmd.Env = libpqEnvironment(settings)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("psql on %s: %v\n%s", settings.Database, err, out)
	}
	return string(out)
}

// libpqEnvironment says to libpq's programs what settings say.
func libpqEnvironment(settings database.Settings) []string {
	return append(environment(os.TempDir()),
		"PGHOST="+settings.Host,
		fmt.Sprintf("PGPORT=%d", settings.Port),
		"PGUSER="+settings.User,
		"PGPASSWORD="+string(settings.Password),
		"PGDATABASE="+settings.Database,
		"PGSSLMODE="+string(settings.TLS.Mode),
		"PGSSLROOTCERT="+settings.TLS.CAFile,
	)
}
