package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/schema"
	"github.com/harbordb/harbordb/snapshots"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// images is enough for several projects.
const images = 48

var postgres15 = database.Server{Product: "PostgreSQL", Version: "15.18", Number: 150018}

// now is the clock of the tests, after every time in the fixtures.
var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// harbors makes databases by version, one for all cases of a test.
func harbors(t *testing.T) func(int) *sql.DB {
	made := map[int]*sql.DB{}
	return func(version int) *sql.DB {
		if made[version] == nil {
			db := dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
			if err := harborsql.FillHarbor(t.Context(), db, version, images); err != nil {
				t.Fatal(err)
			}
			made[version] = db
		}
		return made[version]
	}
}

// examine looks at a database after a script that is undone again.
func examine(t *testing.T, db *sql.DB, script string, o Options) Report {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	r, err := Run(t.Context(), tx, database.PostgreSQL, postgres15, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finding(r Report, id string) (Finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		return Finding{}, false
	}
	return r.Findings[i], true
}

// found lists what a report says.
func found(r Report) string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%s %s (%d): %q", f.Severity, f.ID, f.Count, f.Evidence))
	}
	for _, s := range r.Skipped {
		lines = append(lines, fmt.Sprintf("skipped %s: %s", s.ID, s.Why))
	}
	return strings.Join(lines, "\n")
}

// normal are findings of a sound Harbor that holds secrets.
func normal(f Finding) bool { return f.ID == "encrypted-values" }

// TestSoundHarborHasNothing is the other half of every defect below.
func TestSoundHarborHasNothing(t *testing.T) {
	at := harbors(t)
	for _, version := range []int{1, 3, 5, 12, 15, 31, 41, 53, 61, 71, 82, 91, 100, 111, 130, 160, 171, 180} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			r := examine(t, at(version), "", Options{Now: now})
			r.Findings = slices.DeleteFunc(r.Findings, normal)
			if len(r.Findings) > 0 || !r.Healthy() {
				t.Error(found(r))
			}
			if len(r.Checked) < 5 {
				t.Errorf("checked only %q", r.Checked)
			}
			for _, s := range r.Skipped {
				if s.ID != "storage" && s.ID != "snapshot-before-collection" {
					t.Errorf("skipped %s: %s", s.ID, s.Why)
				}
			}
		})
	}
}

// defect is a file that a check must find something in, with the versions to
// try.
type defect struct {
	file, id string
	versions []int
}

var defects = []defect{
	{"data-migrations", "data-migrations", []int{41, 180}},
	{"read-only", "read-only", []int{1, 41, 180}},
	{"admin", "admin", []int{1, 180}},
	{"password-hash", "password-hash", []int{15, 171}},
	{"password-hash-unknown", "password-hash", []int{180}},
	{"encrypted-values", "encrypted-values", []int{5, 180}},
	{"scanner-default", "scanner-default", []int{15, 180}},
	{"scanner-built-in", "scanner-built-in", []int{15, 180}},
	{"schedule-twice", "schedule-twice", []int{41, 180}},
	{"roles", "roles", []int{15, 41, 180}},
	{"empty-subiss", "empty-subiss", []int{5, 180}},
	{"stuck-replication-1.7", "stuck-replication", []int{3}},
	{"stuck-replication-2.1", "stuck-replication", []int{5, 41}},
	{"stuck-replication-execution", "stuck-replication-execution", []int{5, 41}},
	{"replication-leftovers", "replication-leftovers", []int{5, 41}},
	{"policy-registry", "policy-registry", []int{5, 180}},
	{"stuck-executions", "stuck-executions", []int{53, 180}},
	{"open-tasks", "open-tasks", []int{53, 180}},
	{"final-with-open-tasks", "final-with-open-tasks", []int{53, 180}},
	{"status-code", "status-code", []int{53, 180}},
	{"schedule-without-task", "schedule-without-task", []int{41, 180}},
	{"orphan-scheduler", "orphan-scheduler", []int{53, 180}},
	{"policy-without-schedule", "policy-without-schedule", []int{53, 180}},
	{"orphan-executions", "orphan-executions", []int{53, 180}},
	{"paused-queues", "paused-queues", []int{100, 180}},
	{"artifact-without-manifest", "artifact-without-manifest", []int{31, 130}},
	{"missing-layers", "missing-layers", []int{15, 180}},
	{"artifact-without-blobs", "artifact-without-blobs", []int{15, 180}},
	{"empty-artifacts", "empty-artifacts", []int{31, 180}},
	{"unknown-artifacts", "unknown-artifacts", []int{31, 180}},
	{"tag-elsewhere", "tag-elsewhere", []int{31, 180}},
	{"artifact-without-repository", "artifact-without-repository", []int{31, 180}},
	{"repository-without-project", "repository-without-project", []int{1, 180}},
	{"uncounted-blobs", "uncounted-blobs", []int{15, 180}},
	{"marked-blobs", "marked-blobs", []int{41, 180}},
	{"quota-missing", "quota-missing", []int{15, 180}},
	{"quota-usage", "quota-usage", []int{15, 180}},
	{"members", "members", []int{1, 180}},
	{"retention-link", "retention-link", []int{15, 180}},
	{"scan-leftovers", "scan-leftovers", []int{53, 180}},
	{"vulnerability-leftovers", "vulnerability-leftovers", []int{53, 180}},
	{"permission-leftovers", "permission-leftovers", []int{53, 180}},
	{"trash", "trash", []int{31, 180}},
	{"quota-initialisation", "quota-initialisation", []int{15}},
	{"artifact-abstraction", "artifact-abstraction", []int{41, 111}},
}

func TestEachDefectIsFound(t *testing.T) {
	at := harbors(t)
	for _, d := range defects {
		for _, version := range d.versions {
			t.Run(fmt.Sprintf("%s at %d", d.file, version), func(t *testing.T) {
				r := examine(t, at(version), harborsql.Defect("doctor-"+d.file), Options{Now: now})
				f, ok := finding(r, d.id)
				if !ok {
					t.Fatalf("not found:\n%s", found(r))
				}
				if f.Count == 0 || f.Text == "" || f.Effect == "" || f.Fix == "" {
					t.Errorf("%+v", f)
				}
				if r.Healthy() != (f.Severity == Info) {
					t.Errorf("severity %s:\n%s", f.Severity, found(r))
				}
			})
		}
	}
}

// lasting are defects of sequences, whose state no transaction undoes.
var lasting = []defect{
	{"sequences", "sequences", []int{1, 180}},
	{"numbers-running-out", "numbers-running-out", []int{5, 180}},
}

func TestDefectsOfSequencesAreFound(t *testing.T) {
	for _, d := range lasting {
		for _, version := range d.versions {
			t.Run(fmt.Sprintf("%s at %d", d.file, version), func(t *testing.T) {
				r := examine(t, harbors(t)(version), harborsql.Defect("doctor-"+d.file), Options{Now: now})
				if f, ok := finding(r, d.id); !ok || f.Count != 1 || r.Healthy() {
					t.Error(found(r))
				}
			})
		}
	}
}

// TestEachCheckHasADefect: no check is without its proof.
func TestEachCheckHasADefect(t *testing.T) {
	for _, c := range allChecks() {
		if c.engine == database.MySQL {
			continue
		}
		if !slices.ContainsFunc(slices.Concat(defects, lasting), func(d defect) bool {
			return d.id == c.id && slices.ContainsFunc(d.versions, func(v int) bool { return c.applies(database.PostgreSQL, schema.Version(v)) })
		}) {
			t.Errorf("check %s from %s has no defect", c.id, c.from)
		}
	}
}

func TestSchemaIsPartOfIt(t *testing.T) {
	at := harbors(t)
	for script, fix := range map[string]string{
		`update schema_migrations set version = 5`:  "harbordb repair schema",
		`update schema_migrations set dirty = true`: "harbordb repair schema",
		`drop table label_reference`:                "schema status",
	} {
		r := examine(t, at(130), script, Options{Now: now})
		f, ok := finding(r, "schema")
		if !ok || f.Severity != Error || !strings.Contains(f.Fix, fix) || r.Healthy() {
			t.Errorf("%s: %+v", script, f)
		}
		if len(r.Checked) < 20 {
			t.Errorf("%s: only %q were checked", script, r.Checked)
		}
	}
}

func TestTarget(t *testing.T) {
	at := harbors(t)
	target, err := schema.ParseRelease("2.15.1")
	if err != nil {
		t.Fatal(err)
	}
	r := examine(t, at(130), "", Options{Now: now, Target: &target})
	if r.Target == nil || *r.Target != schema.Yes || !r.Healthy() {
		t.Error(found(r))
	}
	older, err := schema.ParseRelease("2.8.0")
	if err != nil {
		t.Fatal(err)
	}
	r = examine(t, at(130), "", Options{Now: now, Target: &older})
	if f, ok := finding(r, "target-refuses"); !ok || f.Severity != Error {
		t.Error(found(r))
	}
}

// TestSkipsAreSaid: a check that cannot be made is named, and the others go
// on.
func TestSkipsAreSaid(t *testing.T) {
	at := harbors(t)
	r := examine(t, at(180), `create role doctor_reader; grant usage on schema public to doctor_reader;
		grant select on all tables in schema public to doctor_reader; grant select on all sequences in schema public to doctor_reader;
		revoke select on job_queue_status from doctor_reader; set local role doctor_reader`, Options{Now: now})
	i := slices.IndexFunc(r.Skipped, func(s Skip) bool { return s.ID == "paused-queues" })
	if i < 0 || !strings.Contains(r.Skipped[i].Why, "permission denied") || len(r.Checked) < 20 {
		t.Errorf("%s\nchecked %q", found(r), r.Checked)
	}
	r = examine(t, at(180), `alter table tag drop column repository_id`, Options{Now: now})
	if !slices.ContainsFunc(r.Skipped, func(s Skip) bool { return s.ID == "tag-elsewhere" && strings.Contains(s.Why, "missing") }) {
		t.Error(found(r))
	}
}

func TestEmptyDatabaseOfAnImage(t *testing.T) {
	db := dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
	r := examine(t, db, `create table schema_migrations (version bigint primary key, dirty boolean not null)`, Options{Now: now})
	if f, ok := finding(r, "schema"); !ok || !strings.Contains(f.Text, "empty") || len(r.Skipped) == 0 {
		t.Error(found(r))
	}
}

func TestSnapshotFromBeforeAGarbageCollection(t *testing.T) {
	at := harbors(t)
	taken := func(when time.Time) []snapshots.Entry {
		return []snapshots.Entry{{ID: "20261001T000000Z-000001", Manifest: &snapshots.Manifest{Time: when}}}
	}
	collection := `insert into execution (vendor_type, vendor_id, status, trigger, start_time, extra_attrs)
		values ('GARBAGE_COLLECTION', -1, 'Success', 'MANUAL', '2026-10-02', '{"dry_run": false}'), ('GARBAGE_COLLECTION', -1, 'Success', 'MANUAL', '2026-10-09', '{"dry_run": true}')`
	r := examine(t, at(180), collection, Options{Now: now, Snapshots: taken(now.AddDate(0, -2, 0))})
	if f, ok := finding(r, "snapshot-before-collection"); !ok || f.Fix != "harbordb backup" {
		t.Error(found(r))
	}
	r = examine(t, at(180), collection, Options{Now: now, Snapshots: taken(now.AddDate(0, 0, -45))})
	if _, ok := finding(r, "snapshot-before-collection"); ok {
		t.Error(found(r))
	}
}

func TestLastScanIsRepeated(t *testing.T) {
	at := harbors(t)
	r := examine(t, at(180), "", Options{Now: now, Scan: &Scan{Time: now.Add(-50 * time.Hour), Storage: "/data", Damaged: 3, Complete: true}})
	if f, ok := finding(r, "storage"); !ok || f.Count != 3 || !strings.Contains(f.Text, "2 days") {
		t.Error(found(r))
	}
	r = examine(t, at(180), "", Options{Now: now, Scan: &Scan{Time: now, Storage: "/data", Complete: true}})
	if _, ok := finding(r, "storage"); ok {
		t.Error(found(r))
	}
}

// TestRunChangesNothing: it works where nothing may be written, and nothing
// is.
func TestRunChangesNothing(t *testing.T) {
	db := harbors(t)(180)
	before := dbtest.Dump(t, db)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), tx, database.PostgreSQL, postgres15, Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	dbtest.RequireSame(t, before, dbtest.Dump(t, db))
}

func TestMySQL(t *testing.T) {
	server := dbtest.MariaDB(t)
	for name, c := range map[string]struct{ release, script, id string }{
		"a sound 1.1":        {"1.1.0", "", ""},
		"a sound 1.5":        {"1.5.0", "", ""},
		"no administrator":   {"1.5.0", "update user set sysadmin_flag = 0 where user_id = 1", "admin"},
		"numbers used up":    {"1.5.0", "alter table access_log auto_increment = 2147483000", "numbers-running-out"},
		"read-only":          {"1.5.0", "insert into properties (k, v) values ('read_only', 'true')", "read-only"},
		"a member who left":  {"1.5.0", "insert into project_member (project_id, entity_id, entity_type, role) values (1, 4711, 'u', 2)", "members"},
		"a member of old":    {"1.3.0", "update user set deleted = 1 where user_id = 1", "members"},
		"a job that hangs":   {"1.5.0", "insert into replication_job (status, policy_id, repository, operation, tags, creation_time, update_time) values ('running', 8, 'library/a', 'transfer', 'v1', '2018-01-01', '2018-01-01')", "stuck-replication"},
		"an emptied version": {"1.5.0", "delete from alembic_version", "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := server.CreateDatabase(t)
			db := dbtest.Open(t, settings)
			if err := harborsql.BuildMySQL(t.Context(), db, c.release); err != nil {
				t.Fatal(err)
			}
			if c.script != "" {
				dbtest.Exec(t, settings, c.script)
			}
			tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			r, err := Run(t.Context(), tx, database.MySQL, database.Server{Product: "MariaDB", Version: "10.11", Number: 101100}, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			f, ok := finding(r, c.id)
			if ok != (c.id != "") || ok && (f.Count != 1 || r.Healthy()) || c.id == "" && !r.Healthy() {
				t.Errorf("%q:\n%s", c.id, found(r))
			}
		})
	}
}
