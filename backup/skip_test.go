package backup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

func TestSkipTables(t *testing.T) {
	settings := filled(t, dbtest.PostgreSQL(t), 180)
	db := open(t, settings)
	for name, test := range map[string]struct {
		names []string
		want  []string // tables, or words of the error and its hint
		fails bool
	}{
		"nothing":              {nil, nil, false},
		"scan":                 {[]string{"scan"}, []string{"public.report_vulnerability_record", "public.scan_report", "public.vulnerability_record"}, false},
		"audit":                {[]string{"audit"}, []string{"public.audit_log", "public.audit_log_ext"}, false},
		"a table, twice":       {[]string{"job_log", "public.job_log"}, []string{"public.job_log"}, false},
		"a set and its table":  {[]string{"audit", "audit_log"}, []string{"public.audit_log", "public.audit_log_ext"}, false},
		"no such table":        {[]string{"audit_logs"}, []string{`"audit_logs"`, "public.audit_log"}, true},
		"an empty name":        {[]string{""}, []string{"no table"}, true},
		"what others refer to": {[]string{"execution"}, []string{"public.execution", "--skip-data public.execution,public.task"}, true},
		"records that a report counts on": {[]string{"report_vulnerability_record"},
			[]string{"public.scan_report", "--skip-data public.report_vulnerability_record,public.scan_report"}, true},
		"the schema version": {[]string{"schema_migrations"}, []string{"does not start"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := backup.SkipTables(t.Context(), db, test.names)
			if !test.fails {
				check(t, err)
				if !slices.Equal(got, test.want) {
					t.Errorf("%v, not %v", got, test.want)
				}
				return
			}
			told := fmt.Sprint(err) + " " + fault.HintOf(err)
			for _, word := range test.want {
				if fault.KindOf(err) != fault.Usage || !strings.Contains(told, word) {
					t.Errorf("%q does not say %q", told, word)
				}
			}
		})
	}
}

// In each era of scans and logs the sets leave a database that restores, foreign keys and
// all, with nothing missing but their rows.
func TestSkippedSetsRestore(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	for _, version := range []int{1, 12, 41, 180} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			skippedRestores(t, server, filled(t, server, version))
		})
	}
}

func skippedRestores(t *testing.T, server *dbtest.Server, settings database.Settings) {
	t.Helper()
	db := open(t, settings)
	skip, err := backup.SkipTables(t.Context(), db, []string{"scan", "audit"})
	check(t, err)
	check(t, db.Close())
	s := take(t, settings, newStore(t), backup.Options{SkipData: skip})
	name := spare(t, server, settings.Database+"_copy")
	putBack(t, settings, s, target.Options{Mode: target.Keep, Name: name})
	d, err := backup.Content(s)
	check(t, err)
	copied := server.Open(t, name)
	for _, table := range d.Tables {
		var rows int64
		check(t, copied.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT count(*) FROM "%s"."%s"`, table.Schema, table.Name)).Scan(&rows))
		if rows != table.Rows || table.Skipped != slices.Contains(skip, table.FullName()) || table.Skipped && rows > 0 {
			t.Errorf("%s: %d rows, skipped %v", table.FullName(), rows, table.Skipped)
		}
	}
	if len(d.LeftOut) != len(skip) {
		t.Errorf("%v is told as left out, %v was", d.LeftOut, skip)
	}
}
