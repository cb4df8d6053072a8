package schema

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// pg15 is what the test server says of itself.
var pg15 = database.Server{Product: "PostgreSQL", Version: "15.18", Number: 150018}

func check(t *testing.T, q database.Querier, target string) Preflight {
	t.Helper()
	p, err := Check(t.Context(), q, database.PostgreSQL, pg15, parse(t, target))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func filled(t *testing.T, version Version) *sql.DB {
	t.Helper()
	db := dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
	if err := harborsql.FillHarbor(t.Context(), db, int(version), 8); err != nil {
		t.Fatal(err)
	}
	return db
}

// ids returns the findings but those about the bundled database, which hang
// on the test server's major.
func ids(p Preflight) []string {
	list := []string{}
	for _, f := range p.Findings {
		if f.ID != "bundled" {
			list = append(list, f.ID)
		}
	}
	return list
}

// TestPreflight asks filled databases, each made once.
func TestPreflight(t *testing.T) {
	databases := eachFilled(t)
	t.Run("a healthy Harbor may upgrade", func(t *testing.T) { healthyMayUpgrade(t, databases) })
	t.Run("each obstacle is found", func(t *testing.T) { obstaclesAreFound(t, databases) })
	t.Run("what blocks makes the migration fail", func(t *testing.T) { blockedFails(t, databases) })
}

// healthyMayUpgrade is the other half of every defect below: without it
// nothing is found.
func healthyMayUpgrade(t *testing.T, databases func(Version) *sql.DB) {
	for _, c := range []struct {
		at     Version
		target string
		first  Version
	}{{1, "1.7.0", 2}, {3, "1.10.19", 4}, {12, "2.0.6", 15}, {15, "2.2.0", 30}, {41, "2.2.1", 50}, {53, "2.8.6", 60}, {111, "2.15.2", 120}, {180, "2.15.2", 0}} {
		t.Run(c.at.String()+" to "+c.target, func(t *testing.T) {
			db := databases(c.at)
			before := dbtest.Dump(t, db)
			p := check(t, db, c.target)
			if p.Answer != Yes || len(ids(p)) > 0 {
				t.Errorf("answer %s, %+v", p.Answer, p.Findings)
			}
			if c.first > 0 && (len(p.Steps) == 0 || p.Steps[0].Version != c.first) || c.first == 0 && len(p.Steps) > 0 {
				t.Errorf("steps %v, want %s first", p.Steps, c.first)
			}
			if c.first > 0 && len(p.WayBack) == 0 {
				t.Error("nothing is said of the way back")
			}
			dbtest.RequireSame(t, before, dbtest.Dump(t, db))
		})
	}
}

func obstaclesAreFound(t *testing.T, databases func(Version) *sql.DB) {
	for id, c := range map[string]struct {
		at       Version
		target   string
		severity Severity
		rows     string // part of the first row that is named
	}{
		"policy-names":               {1, "1.7.0", Blocks, "replication_policy"},
		"target-names":               {1, "1.7.0", Blocks, "replication_target"},
		"policy-filters":             {3, "1.8.0", Blocks, "replication_policy"},
		"schedule-status":            {15, "2.1.0", Blocks, "schedule"},
		"retention-schedule":         {15, "2.1.0", Blocks, "retention_policy"},
		"schedule-twice":             {41, "2.2.1", Blocks, "schedule"},
		"replication-schedule-twice": {41, "2.2.1", Blocks, "replication_schedule_job"},
		"admin-job-twice":            {41, "2.2.1", Blocks, "IMAGE_GC"},
		"retention-task-status":      {41, "2.2.1", Blocks, "retention_task"},
		"retention-trigger":          {41, "2.2.1", Blocks, "retention_execution"},
		"admin-job-cron":             {41, "2.2.1", Blocks, "admin_job"},
		"admin-job-parameters":       {41, "2.2.1", Blocks, "admin_job"},
		"robot-duration":             {41, "2.2.1", Blocks, "robot_token_duration"},
		"quota-reference":            {41, "2.2.1", Blocks, "quota"},
		"artifact-size":              {41, "2.2.1", Blocks, "artifact"},
		"webhook-targets":            {100, "2.8.0", Blocks, "notification_policy"},
		"accessory-twice":            {100, "2.8.0", Blocks, "artifact_accessory"},
		"task-escape":                {100, "2.8.1", Blocks, "task"},
		"replication-callback":       {111, "2.9.0", Blocks, "schedule"},
		"scan-artifact":              {111, "2.9.0", Blocks, "execution"},
		"manifest-blobs":             {100, "2.8.0", Danger, "artifact"},
		"unknown-artifacts":          {15, "2.0.0", Warns, "artifact"},
		"never-abstracted":           {15, "2.9.0", Danger, "artifact"},
		"abstracted-again":           {41, "2.1.6", Warns, "artifact"},
		"data-migrations":            {41, "2.1.6", Blocks, "rows: 2"},
		"password-hash":              {180, "2.15.1", Danger, ""},
		"scanner-credential":         {180, "2.15.0", Danger, ""},
		"preheat-credential":         {171, "2.14.3", Danger, ""},
	} {
		t.Run(id, func(t *testing.T) {
			tx := damaged(t, databases(c.at), harborsql.Defect("upgrade-"+id))
			p := check(t, tx, c.target)
			at := slices.IndexFunc(p.Findings, func(f Finding) bool { return f.ID == id })
			if at < 0 {
				t.Fatalf("not found; findings %+v, skipped %q", p.Findings, p.Skipped)
			}
			f := p.Findings[at]
			if f.Severity != c.severity || f.Count == 0 || f.Fix == "" || p.OK() != (c.severity == Warns) {
				t.Errorf("%+v, answer %s", f, p.Answer)
			}
			if c.rows != "" && (len(f.Rows) == 0 || !strings.Contains(f.Rows[0], c.rows)) {
				t.Errorf("rows %q, want %q named", f.Rows, c.rows)
			}
		})
	}
}

func eachFilled(t *testing.T) func(Version) *sql.DB {
	made := map[Version]*sql.DB{}
	return func(v Version) *sql.DB {
		if made[v] == nil {
			made[v] = filled(t, v)
		}
		return made[v]
	}
}

// blockedFails proves the obstacles against the migrations themselves.
func blockedFails(t *testing.T, databases func(Version) *sql.DB) {
	for id, to := range map[string]struct{ from, to Version }{
		"policy-filters":             {3, 4},
		"schedule-status":            {31, 40},
		"retention-schedule":         {31, 40},
		"schedule-twice":             {41, 50},
		"replication-schedule-twice": {41, 50},
		"admin-job-twice":            {41, 50},
		"retention-task-status":      {41, 50},
		"retention-trigger":          {41, 50},
		"admin-job-cron":             {41, 50},
		"admin-job-parameters":       {41, 50},
		"robot-duration":             {41, 50},
		"quota-reference":            {41, 50},
		"webhook-targets":            {100, 110},
		"accessory-twice":            {100, 110},
		"task-escape":                {110, 111},
		"replication-callback":       {111, 120},
		"scan-artifact":              {111, 120},
	} {
		t.Run(id, func(t *testing.T) {
			tx := damaged(t, databases(to.from), harborsql.Defect("upgrade-"+id))
			if _, err := tx.ExecContext(t.Context(), harborsql.Step(int(to.to))); err == nil {
				t.Errorf("migration %s went through", to.to)
			}
		})
	}
}

func TestServerThatIsTooOld(t *testing.T) {
	db := filled(t, 71)
	for number, blocks := range map[int]bool{90624: true, 100023: false} {
		p, err := Check(t.Context(), db, database.PostgreSQL, database.Server{Product: "PostgreSQL", Version: "test", Number: number}, parse(t, "2.5.0"))
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.ID == "server" && f.Severity == Blocks && f.Migration == 80 })
		if found != blocks || p.NeedsServer != "PostgreSQL 10" {
			t.Errorf("server %d: needs %s, %+v", number, p.NeedsServer, p.Findings)
		}
	}
}

// TestWhatIsInTheWayNow: a session that migrates blocks, one that is idle in
// a transaction is named.
func TestWhatIsInTheWayNow(t *testing.T) {
	db := filled(t, 12)
	var dbname string
	if err := db.QueryRowContext(t.Context(), `select current_database()`).Scan(&dbname); err != nil {
		t.Fatal(err)
	}
	lock := conn(t, db)
	if _, err := lock.ExecContext(t.Context(), `select pg_advisory_lock($1)`, LockKeys(dbname, "public")[2]); err != nil {
		t.Fatal(err)
	}
	damaged(t, db, `select count(*) from artifact`) // and stays in its transaction
	p := check(t, db, "1.10.19")
	if got := ids(p); !slices.Equal(got, []string{"running", "open-transaction"}) || p.OK() {
		t.Errorf("%s, %+v", p.Answer, p.Findings)
	}
	if text := p.Findings[0].Text; !strings.Contains(text, "releases from 2.5 on") || !strings.Contains(text, "both would migrate at once") {
		t.Errorf("a core of another era holds the lock: %s", text)
	}
	for release, want := range map[string]string{"2.15.2": "without end", "2.0.6": "both would migrate"} {
		if p = check(t, db, release); !strings.Contains(p.Findings[0].Text, want) {
			t.Errorf("%s: %+v", release, p.Findings)
		}
	}
	if _, err := lock.ExecContext(t.Context(), `select pg_advisory_unlock_all(), pg_advisory_lock($1)`, LockKeys(dbname, "public")[0]); err != nil {
		t.Fatal(err)
	}
	if p = check(t, db, "2.0.6"); !strings.Contains(p.Findings[0].Text, "15 s") {
		t.Errorf("%+v", p.Findings)
	}
}

func TestPreflightSeesStrangeDatabases(t *testing.T) {
	databases := eachVersion(t)
	for name, c := range map[string]struct {
		at     Version
		script string
		target string
		id     string
		answer Answer
	}{
		"a fresh one":       {0, versionTable, "2.15.2", "empty", Unsafe},
		"a row alone":       {0, versionTable + `insert into schema_migrations values (180, false)`, "2.15.2", "row", No},
		"a dirty row":       {12, `update schema_migrations set dirty = true`, "1.10.0", "row", No},
		"a damaged catalog": {130, `drop index idx_task_job_id`, "2.11.0", "structure", Unsafe},
		"a merged one":      {120, harborsql.Defect("merged"), "2.11.0", "structure", No},
		"two schemas":       {130, `create schema other; create table other.harbor_user ()`, "2.11.0", "schemas", No},
		"the gap of 2.2.0":  {41, ``, "2.2.0", "refuses", No},
	} {
		t.Run(name, func(t *testing.T) {
			p := check(t, damaged(t, databases(c.at), c.script), c.target)
			if p.Answer != c.answer || len(p.Findings) == 0 || p.Findings[0].ID != c.id {
				t.Errorf("%s, %+v", p.Answer, p.Findings)
			}
		})
	}
}

// TestNotarysVersionTable: repairing the row is no way out of it.
func TestNotarysVersionTable(t *testing.T) {
	p := check(t, damaged(t, harbor(t, 91), `alter table schema_migrations drop column dirty`), "2.8.0")
	if len(p.Findings) == 0 || p.Findings[0].ID != "row" || !strings.Contains(p.Findings[0].Fix, "a database each") {
		t.Errorf("%+v", p.Findings)
	}
	if p.Start.Error != `column "dirty" does not exist` {
		t.Errorf("core says %q", p.Start.Error)
	}
}

// TestUnknownMigrationIsSaid: what a file of a release to come does is not
// known, and neither is what its database image wants.
func TestUnknownMigrationIsSaid(t *testing.T) {
	file := &fstest.MapFile{}
	release, err := ReleaseFromFolder("v2.17.0", fstest.MapFS{"0180_2.15.0_schema.up.sql": file, "0190_other.up.sql": file, "0200_2.17.0_schema.up.sql": file})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Check(t.Context(), harbor(t, 180), database.PostgreSQL, database.Server{Product: "PostgreSQL", Version: "15", Number: 150000}, release)
	if err != nil || !p.OK() || len(p.Steps) != 2 {
		t.Fatalf("%v: %+v", err, p)
	}
	for i, want := range []string{"0190_other.up.sql", "0200_2.17.0_schema.up.sql", "database image"} {
		if len(p.Skipped) <= i || !strings.Contains(p.Skipped[i], want) {
			t.Errorf("skipped %q, want %s", p.Skipped, want)
		}
	}
}

func TestLoadsHaveRowsAndSizes(t *testing.T) {
	p := check(t, filled(t, 71), "2.5.0")
	at := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Version == 80 })
	if at < 0 {
		t.Fatalf("%+v", p.Steps)
	}
	for _, l := range p.Steps[at].Loads {
		if l.Table == "vulnerability_record" && (l.Rows != 30 || l.Bytes == 0 || l.Needs != l.Bytes || l.Does != "rewrites") {
			t.Errorf("%+v", l)
		}
	}
	if len(p.Steps[at].Loads) != 3 {
		t.Errorf("%+v", p.Steps[at].Loads)
	}
}

func TestBundledFolders(t *testing.T) {
	for name, c := range map[string]struct {
		from   int
		target string
		path   string
	}{
		"the next one":       {13, "2.9.0", ""},
		"its own":            {15, "2.15.1", ""},
		"one too far":        {13, "2.11.0", "one of v2.9.0 – v2.10.3 (13 to 14)"},
		"two too far":        {13, "2.15.2", "one of v2.9.0 – v2.10.3 (13 to 14), one of v2.11.0 – v2.15.1 (14 to 15)"},
		"without conversion": {9, "2.8.0", "one of v2.3.0 – v2.6.4 (9.6 to 13)"},
		"back":               {18, "2.15.1", ""},
	} {
		if got := strings.Join(stops(c.from, parse(t, c.target)), ", "); got != c.path {
			t.Errorf("%s: %q, want %q", name, got, c.path)
		}
	}
	for folder, image := range map[string]bool{
		"/var/lib/postgresql/data/pg15": true, "/var/lib/postgresql/data": true, "/var/lib/postgresql/15/main": false, "": false,
	} {
		if imageFolder.MatchString(folder) != image {
			t.Errorf("%q: %v", folder, !image)
		}
	}
}

func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		target, version string
		dirty           bool
		want            Fit
	}{
		"its own":      {"1.8.6", "5", false, Exact},
		"an older one": {"1.8.6", "3", false, Migrates},
		"a newer one":  {"1.8.6", "12", false, Unfit},
		"a dirty one":  {"1.8.6", "5", true, Unfit},
		"MySQL":        {"1.5.0", "1.5.0", false, Exact},
		"older MySQL":  {"1.5.0", "1.4.0", false, Unfit},
		"other engine": {"1.8.6", "1.5.0", false, Unfit},
	} {
		if got := parse(t, c.target).Fit(c.version, c.dirty); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestEscapesThatJsonbRefuses compares the rule with the server's.
func TestEscapesThatJsonbRefuses(t *testing.T) {
	db := empty(t)
	for _, text := range []string{
		`{"a": "plain"}`, `{"a": "\u0041"}`, `{"a": "\u0000"}`, `{"a": "\\u0000"}`, `{"a": "\\\u0000"}`, `{"a\u0000": 1}`,
		`{"a": "\ud83d\ude00"}`, `{"a": "\ud83d"}`, `{"a": "\ude00"}`, `{"a": "\ud83d x"}`, `{"a": "\ud83d\n\ude00"}`, `{"a": "\ude00\ud83d"}`, `{"a": "\uD83D\uDE00"}`,
	} {
		var refused bool
		err := db.QueryRowContext(t.Context(), `select $1::text::json::jsonb is null`, text).Scan(&refused)
		if jsonbRefuses(text) != (err != nil) {
			t.Errorf("%s: %v, and the server says %v", text, jsonbRefuses(text), err)
		}
	}
}
