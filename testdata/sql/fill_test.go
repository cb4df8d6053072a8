package harborsql

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

// lastVersions are the last versions of release lines: among them each table
// and each column that Harbor ever had.
var lastVersions = []int{1, 3, 5, 12, 15, 31, 41, 53, 71, 100, 120, 150, 190}

// eachVersion runs a test on a database of each of the versions.
func eachVersion(t *testing.T, versions []int, test func(t *testing.T, db *sql.DB, version int)) {
	t.Helper()
	for _, version := range versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) { test(t, atVersion(t, version), version) })
	}
}

func TestFillPutsRowsIntoEveryTable(t *testing.T) {
	eachVersion(t, lastVersions, func(t *testing.T, db *sql.DB, version int) {
		if err := Fill(t.Context(), db, version); err != nil {
			t.Fatal(err)
		}
		tables, err := readTables(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if n := queryText(t, db, "SELECT count(*) FROM "+quote(table.name)); n == "0" {
				t.Errorf("%s is empty", table.name)
			}
		}
	})
}

func TestFillHoldsWhatIsHardToCopy(t *testing.T) {
	db := atVersion(t, 180)
	if err := Fill(t.Context(), db, 180); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, condition string }{
		{"an escape of COPY that is text", `(SELECT count(*) FROM project WHERE name = '\N') = 1`},
		{"an end mark of COPY that is text", `(SELECT count(*) FROM project WHERE name = '\.') = 1`},
		{"an empty text beside NULL", `(SELECT bool_or(icon = '') AND bool_or(icon IS NULL) FROM artifact)`},
		{"four bytes of UTF-8", `EXISTS (SELECT FROM repository WHERE description LIKE '%😀%')`},
		{"a text of 1 MB", `(SELECT max(length(v)) FROM properties) > 900000`},
		{"a JSON document of 1 MB", `(SELECT max(length(report::text)) FROM scan_report) > 1000000`},
		{"a year before Christ", `EXISTS (SELECT FROM tag WHERE extract(year FROM pull_time) < 0)`},
		{"Go's zero time", `EXISTS (SELECT FROM task WHERE end_time = '0001-01-01')`},
		{"infinite times", `EXISTS (SELECT FROM tag WHERE pull_time = 'infinity')`},
		{"no number", `EXISTS (SELECT FROM vulnerability_record WHERE cvss_score_v3 = 'NaN')`},
		{"an escaped NUL in JSON", `EXISTS (SELECT FROM execution WHERE extra_attrs::text LIKE '%\u0000%')`},
		{"duplicate keys in JSON", `EXISTS (SELECT FROM task WHERE extra_attrs::text = '{ "b" : 1 ,  "a":2,"b"  : 3 }')`},
		{"ids below zero", `EXISTS (SELECT FROM artifact WHERE id = -2147483648)`},
		{"the highest id", `EXISTS (SELECT FROM artifact WHERE id = 2147483647)`},
		{"sequences in each state", `(SELECT count(DISTINCT (last_value IS NULL)) FROM pg_sequences) = 2`},
	} {
		if got := queryText(t, db, "SELECT "+c.condition); got != "true" {
			t.Errorf("%s: %s", c.what, got)
		}
	}
}

func TestFillMySQLPutsRowsIntoEveryTable(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
		for _, version := range []string{"1.1.0", "1.3.0", "1.5.0"} {
			t.Run(fmt.Sprintf("%d/%s", server.Major(), version), func(t *testing.T) {
				db := newMySQL(t, server)
				if err := FillMySQL(t.Context(), db, version); err != nil {
					t.Fatal(err)
				}
				for name := range strings.Lines(queryText(t, db, `SELECT table_name FROM information_schema.tables
					WHERE table_schema = database()`)) {
					name = strings.TrimSpace(name)
					if n := queryText(t, db, "SELECT count(*) FROM "+backquote(name)); n == "0" {
						t.Errorf("%s is empty", name)
					}
				}
				for _, condition := range []string{
					`EXISTS (SELECT 1 FROM user WHERE update_time = '0000-00-00 00:00:00')`,
					`EXISTS (SELECT 1 FROM repository WHERE description LIKE concat('nul ', char(0), '%'))`,
					`EXISTS (SELECT 1 FROM repository WHERE repository_id = 0)`,
					`EXISTS (SELECT 1 FROM repository WHERE length(description) > 10000)`,
					`EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = database() AND auto_increment > 400000)`,
				} {
					if got := queryText(t, db, "SELECT "+condition); got != "1" {
						t.Errorf("%s: %s", condition, got)
					}
				}
			})
		}
	}
}
