package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Contents are a database's objects, by a name that says what they are
// ("table public.access (access_id, access_code)"), each with its lines in
// sorted order. They are for comparing, not for restoring.
type Contents map[string][]string

// Dump reads every row of a database and the state of every sequence, as of
// one moment; on MySQL the CREATE statement of every table, view, trigger and
// routine, too. PostgreSQL's catalog is not in it: see PgDump.
func Dump(t testing.TB, db *sql.DB) Contents {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatalf("dump: %v", err)
	}
	defer conn.Close()
	read := dumpPostgreSQL
	if _, ok := db.Driver().(*mysql.MySQLDriver); ok {
		read = dumpMySQL
	}
	contents, err := read(context.Background(), conn)
	if err != nil {
		t.Fatalf("dump: %v", err)
	}
	return contents
}

// RequireSame fails the test where two databases, or one at two moments,
// differ, and shows the first differences.
func RequireSame(t testing.TB, before, after Contents) {
	t.Helper()
	if diff := Diff(before, after); diff != "" {
		t.Fatalf("the databases differ:\n%s", diff)
	}
}

// Diff describes how two databases differ, in a few lines for each object; it
// is empty where they do not.
func Diff(before, after Contents) string {
	var b strings.Builder
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, existed := before[name]
		is, exists := after[name]
		switch {
		case !existed:
			fmt.Fprintf(&b, "+ %s (%d lines)\n", name, len(is))
		case !exists:
			fmt.Fprintf(&b, "- %s (%d lines)\n", name, len(was))
		case !slices.Equal(was, is):
			fmt.Fprintf(&b, "  %s (%d lines, %d after)\n", name, len(was), len(is))
			writeLines(&b, "-", missingFrom(was, is))
			writeLines(&b, "+", missingFrom(is, was))
		}
	}
	return b.String()
}

func writeLines(b *strings.Builder, sign string, lines []string) {
	const most = 5
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(b, "    %s … %d more\n", sign, len(lines)-most)
			return
		}
		fmt.Fprintf(b, "    %s %.500q\n", sign, line)
	}
}

// missingFrom lists the lines of a that b lacks; both are sorted, and a line
// that occurs twice has to be there twice.
func missingFrom(a, b []string) []string {
	var missing []string
	for _, line := range a {
		for len(b) > 0 && b[0] < line {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == line {
			b = b[1:]
			continue
		}
		missing = append(missing, line)
	}
	return missing
}

// entry is one object of a dump and the statement that reads it.
type entry struct{ name, query string }

func entries(ctx context.Context, conn *sql.Conn, query string) ([]entry, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.name, &e.query); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

func execAll(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func sortedLines(text []byte) []string {
	lines := []string{}
	for line := range bytes.Lines(text) {
		lines = append(lines, string(bytes.TrimSuffix(line, []byte("\n"))))
	}
	slices.Sort(lines)
	return lines
}
