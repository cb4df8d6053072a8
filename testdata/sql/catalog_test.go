package harborsql

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/schema"
)

// requireCatalog fails the test where a database is not exactly at a version:
// package schema knows the measured objects of each, the layout file the order
// of the columns and the names of the sequences.
func requireCatalog(t *testing.T, db *sql.DB, engine database.Engine, version string) {
	t.Helper()
	ev, err := schema.Inspect(t.Context(), db, engine)
	if err != nil {
		t.Fatal(err)
	}
	shown := append(slices.Clone(ev.Verdict.Pair), ev.Verdict.Shown)
	if !slices.ContainsFunc(shown, func(m schema.Mark) bool { return m.String() == mark(version) }) {
		t.Errorf("the catalog is that of %s, want %s", ev.Verdict.Shown, version)
	}
	for _, d := range ev.Drift {
		t.Errorf("%s: %s: want %q, have %q", version, d.Object(), d.Want, d.Have)
	}
	if engine == database.PostgreSQL {
		requireLayout(t, version, readLines(t, db, postgreSQLLayout), measuredLayout(t, "layout/postgresql.tsv", PostgreSQLVersions(), version))
	} else {
		requireLayout(t, version, readLines(t, db, mySQLLayout), measuredLayout(t, "layout/mysql.tsv", MySQLVersions(), version))
	}
}

func requireVersion(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	requireCatalog(t, db, database.PostgreSQL, fmt.Sprint(version))
}

// mark is what the version table holds: 1.1.0 kept the mark of the release
// that last changed the schema before it.
func mark(version string) string {
	if version == "1.1.0" {
		return "0.4.0"
	}
	return version
}

// postgreSQLLayout lists tables with their columns in order, each followed by
// the sequence that its default takes the next value of.
const postgreSQLLayout = `
	SELECT c.relname || E'\t' || string_agg(a.attname || COALESCE(':' ||
		substring(pg_get_expr(d.adbin, d.adrelid) FROM '^nextval\(''(.*)''::regclass\)$'), ''), ' ' ORDER BY a.attnum)
	FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
	GROUP BY c.relname`

const mySQLLayout = `
	SELECT concat(table_name, '\t', group_concat(column_name ORDER BY ordinal_position SEPARATOR ' '))
	FROM information_schema.columns
	WHERE table_schema = database()
	GROUP BY table_name`

func requireLayout(t *testing.T, version string, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: no table with this layout: %s", version, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: table with another layout: %s", version, line)
		}
	}
}

// measuredLayout returns the lines of a layout file that hold for a version.
func measuredLayout[V int | string](t *testing.T, file string, versions []V, version string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	position := func(s string) int {
		return slices.IndexFunc(versions, func(v V) bool { return fmt.Sprint(v) == s })
	}
	var want []string
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || position(f[1]) < 0 || position(f[2]) < 0 {
			if strings.HasPrefix(line, "#") {
				continue
			}
			t.Fatalf("%s: %s", file, line)
		}
		if at := position(version); position(f[1]) <= at && at <= position(f[2]) {
			want = append(want, f[0]+"\t"+f[3])
		}
	}
	return want
}
