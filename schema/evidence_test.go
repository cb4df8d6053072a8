package schema

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// harbor returns a database of its own at a schema version.
func harbor(t *testing.T, version Version) *sql.DB {
	t.Helper()
	db := dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
	build(t, db, version)
	return db
}

func build(t *testing.T, db *sql.DB, version Version) {
	t.Helper()
	if err := harborsql.BuildPostgreSQL(t.Context(), db, int(version)); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func look(t *testing.T, db database.Querier) Evidence {
	t.Helper()
	ev, err := Inspect(t.Context(), db, database.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// lowerOf are the six pairs of versions with equal catalogs, by their upper
// half.
var lowerOf = map[Version]Version{31: 30, 41: 40, 61: 60, 71: 70, 82: 81, 171: 170}

// lower returns the version that a database of v is said to be at where no
// clean row settles it.
func lower(v Version) Version {
	if low, ok := lowerOf[v]; ok {
		return low
	}
	return v
}

// sameCatalog reports that two versions cannot be told apart.
func sameCatalog(a, b Version) bool { return lower(a) == lower(b) }

// TestEveryVersionIsRecognised walks one database from the first version to
// the last, as an upgrade does, and at every version puts every row into the
// version table that an operator could.
func TestEveryVersionIsRecognised(t *testing.T) {
	db := harbor(t, 1)
	for _, m := range Migrations() {
		v := m.Version
		build(t, db, v)
		ev := look(t, db)
		if got := ev.Verdict.Shown.Version; got != v || ev.Verdict.Confidence != Certain || len(ev.Drift) > 0 {
			t.Errorf("version %s, step by step: shown %s, %s, drift %v, ranking %v", v, got, ev.Verdict.Confidence, ev.Drift, ev.Ranking)
		}
		if !ev.Verdict.Healthy() || ev.Verdict.Row != RowHonest {
			t.Errorf("version %s, honest: %s, %q", v, ev.Verdict.Row, ev.Verdict.Findings)
		}
		if len(ev.Verdict.Against) > 0 {
			t.Errorf("version %s: against %q", v, ev.Verdict.Against)
		}
		if d := Decide(ev); d.Action != Keep {
			t.Errorf("version %s: the decision is to %s: %q", v, d.Action, d.Why)
		}
		everyRow(t, db, v)
	}
}

func everyRow(t *testing.T, db *sql.DB, v Version) {
	t.Helper()
	rec, err := Recorded(t.Context(), db, database.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := readLive(t.Context(), db, rec)
	if err != nil {
		t.Fatal(err)
	}
	versions, err := knownCatalogs(database.PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	c := newComparison(l, versions)
	shows := func(want Version, state RowState, rows ...Row) {
		t.Helper()
		rec.Rows = rows
		ev := Evidence{Record: rec}
		ev.weigh(c, nil)
		if got := ev.Verdict; got.Shown.Version != want || got.Row != state || got.Confidence != Certain {
			t.Errorf("version %s with rows %v: shown %s, row %s, %s; want %s, %s", v, rows, got.Shown, got.Row, got.Confidence, want, state)
		}
	}
	shows(lower(v), RowEmptied)
	for _, m := range Migrations() {
		n := m.Version
		switch {
		case sameCatalog(n, v):
			shows(n, RowHonest, Row{Version: n})
		default:
			shows(lower(v), RowLying, Row{Version: n})
		}
		shows(lower(v), RowDirty, Row{Version: n, Dirty: true})
		if n != v {
			want := v
			if sameCatalog(n, v) {
				want = lower(v)
			}
			shows(want, RowDuplicated, Row{Version: n}, Row{Version: v})
		}
	}
	shows(lower(v), RowUnknown, Row{Version: 6})
}

func TestFreshInstallIsLikeAnUpgrade(t *testing.T) {
	for _, v := range []Version{1, 15, 31, 82, 180} {
		t.Run(v.String(), func(t *testing.T) {
			ev := look(t, harbor(t, v))
			if ev.Verdict.Shown.Version != v || !ev.Verdict.Healthy() {
				t.Errorf("shown %s, %q", ev.Verdict.Shown, ev.Verdict.Findings)
			}
		})
	}
}

// eachVersion returns databases by version, one for all cases of a test;
// version 0 is an empty one.
func eachVersion(t *testing.T) func(Version) *sql.DB {
	made := map[Version]*sql.DB{}
	return func(v Version) *sql.DB {
		if made[v] == nil {
			made[v] = empty(t)
			if v > 0 {
				build(t, made[v], v)
			}
		}
		return made[v]
	}
}

// damaged returns a transaction that has run a script and is rolled back when
// the test ends.
func damaged(t *testing.T, db *sql.DB, script string) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return tx
}

func TestDamageIsNamed(t *testing.T) {
	databases := eachVersion(t)
	for name, c := range map[string]struct {
		at        Version
		script    string
		structure Structure
		shown     Version
		drift     string // kind and name of one difference
		change    Change
		class     Class
	}{
		"a dropped constraint":    {180, `alter table blob drop constraint blob_digest_key`, Damaged, 180, "constraint blob.blob_digest_key", Missing, Damage},
		"a dropped index":         {180, `drop index idx_task_job_id`, Damaged, 180, "index task.idx_task_job_id", Missing, Damage},
		"a dropped trigger":       {180, `drop trigger robot_update_time_at_modtime on robot`, Damaged, 180, "trigger robot.robot_update_time_at_modtime", Missing, Damage},
		"a disabled trigger":      {180, `alter table robot disable trigger robot_update_time_at_modtime`, Damaged, 180, "trigger robot.robot_update_time_at_modtime", Different, Damage},
		"a dropped column":        {180, `alter table tag drop column pull_time`, Damaged, 180, "column tag.pull_time", Missing, Damage},
		"a column's type":         {180, `alter table tag alter name type varchar(10)`, Damaged, 180, "column tag.name", Different, Damage},
		"a lost default":          {180, `alter table tag alter id drop default`, Damaged, 180, "column tag.id", Different, Damage},
		"a missing table":         {130, `drop table label_reference`, HalfRestored, 130, "table label_reference", Missing, Damage},
		"a table of later":        {130, `create table sbom_report (id serial primary key)`, Merged, 130, "table sbom_report", Extra, OtherVersion},
		"an own table":            {130, `create table backup_of_tag as select * from tag`, Sound, 130, "table backup_of_tag", Extra, Addition},
		"an own index":            {130, `create index my_index on task (status)`, Sound, 130, "index task.my_index", Extra, Addition},
		"an own column":           {130, `alter table tag add my_note text`, Sound, 130, "column tag.my_note", Extra, Addition},
		"an own view":             {130, `create view my_view as select name from tag`, Sound, 130, "table my_view", Extra, Addition},
		"an own trigger":          {130, `create trigger mine before update on tag for each row execute procedure update_update_time_at_column()`, Sound, 130, "trigger tag.mine", Extra, Addition},
		"an own check":            {130, `alter table tag add constraint mine check (name <> '')`, Sound, 130, "constraint tag.mine", Extra, Addition},
		"a wider column":          {130, `alter table tag alter name type text`, Sound, 130, "column tag.name", Different, Addition},
		"a renamed constraint":    {130, `alter table tag rename constraint tag_pkey to p`, Sound, 130, "constraint tag.p", Renamed, Addition},
		"a later release's index": {70, `create index idx_task_job_id on task (job_id)`, Sound, 70, "index task.idx_task_job_id", Extra, Addition},
		"migration 40 run twice":  {40, `alter table notification_policy add constraint notification_policy_name_project_id_key1 unique (name, project_id)`, Sound, 40, "constraint notification_policy.notification_policy_name_project_id_key1", Extra, Addition},
	} {
		t.Run(name, func(t *testing.T) {
			ev := look(t, damaged(t, databases(c.at), c.script))
			if ev.Verdict.Structure != c.structure || ev.Verdict.Shown.Version != c.shown {
				t.Errorf("%s at %s, %q; want %s at %s", ev.Verdict.Structure, ev.Verdict.Shown, ev.Verdict.Findings, c.structure, c.shown)
			}
			if ev.Verdict.Healthy() != (c.structure == Sound) {
				t.Errorf("healthy is %v: %q", ev.Verdict.Healthy(), ev.Verdict.Findings)
			}
			at := slices.IndexFunc(ev.Drift, func(d Drift) bool { return d.Object() == c.drift })
			if at < 0 || len(ev.Drift) != 1 {
				t.Fatalf("drift %v, want %s alone", ev.Drift, c.drift)
			}
			if d := ev.Drift[at]; d.Change != c.change || d.Class != c.class {
				t.Errorf("%s is %s, %s (%s); want %s, %s", d.Object(), d.Change, d.Class, d.Note, c.change, c.class)
			}
		})
	}
}

func ExampleMark() {
	fmt.Println(Mark{Version: 140}, Mark{Alembic: "1.5.0"})
	// Output: 140 1.5.0
}
