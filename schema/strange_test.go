package schema

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func empty(t *testing.T) *sql.DB {
	t.Helper()
	return dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))
}

func TestNoHarborIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ script, says string }{
		"an empty database":      {``, "none of Harbor's tables"},
		"somebody else's":        {`create table orders (id int)`, "none of Harbor's tables"},
		"a few familiar names":   {`create table project (id int); create table role (id int)`, "too few for any release"},
		"another golang-migrate": {`create table orders (id int); create table schema_migrations (version bigint primary key, dirty boolean not null); insert into schema_migrations values (7, false)`, "another program"},
	} {
		t.Run(name, func(t *testing.T) {
			db := empty(t)
			exec(t, db, c.script)
			_, err := Inspect(t.Context(), db, database.PostgreSQL)
			if !errors.Is(err, ErrNoHarbor) || fault.KindOf(err) != fault.Failed || fault.HintOf(err) == "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v (hint %q)", err, fault.HintOf(err))
			}
		})
	}
	for name, build := range map[string]func(*testing.T, *sql.DB) error{
		"Notary's server": func(t *testing.T, db *sql.DB) error { return harborsql.NotaryServer(t.Context(), db) },
		"Notary's signer": func(t *testing.T, db *sql.DB) error { return harborsql.NotarySigner(t.Context(), db) },
	} {
		t.Run(name, func(t *testing.T) {
			db := empty(t)
			if err := build(t, db); err != nil {
				t.Fatal(err)
			}
			_, err := Recorded(t.Context(), db, database.PostgreSQL)
			if !errors.Is(err, ErrNoHarbor) || !strings.Contains(err.Error(), "Notary") {
				t.Error(err)
			}
		})
	}
}

const versionTable = `create table schema_migrations (version bigint not null primary key, dirty boolean not null);`

func TestStrangeDatabases(t *testing.T) {
	databases := eachVersion(t)
	for name, c := range map[string]struct {
		at        Version // 0: an empty database
		script    string
		row       RowState
		structure Structure
		action    Action
		finding   string
	}{
		"what an image has just made":   {0, versionTable, RowFresh, Absent, Keep, "the database is empty"},
		"a first migration that failed": {0, versionTable + `insert into schema_migrations values (1, true)`, RowDirty, Absent, Empty, "left nothing"},
		"a row without tables":          {0, versionTable + `insert into schema_migrations values (180, false)`, RowAlone, Absent, Refuse, "empty though it should not be"},
		"tables without rows":           {180, `truncate harbor_user, role, project, access cascade`, RowHonest, HalfRestored, Keep, "hold no row"},
		"a restore that stopped":        {180, `alter table tag drop constraint unique_tag; alter table blob drop constraint blob_digest_key; alter table task drop constraint task_pkey; alter table robot drop constraint robot_pkey; alter table quota drop constraint quota_pkey; alter table label_reference drop constraint label_reference_pkey`, RowHonest, HalfRestored, Keep, "incomplete"},
		"a restore that made half of the tables": {180, `do $$ declare t text; begin
			for t in select tablename from pg_tables where schemaname = 'public' and tablename > 'harbor_user' and tablename <> 'schema_migrations' loop execute format('drop table %I cascade', t); end loop; end $$`,
			RowHonest, HalfRestored, Keep, "incomplete"},
		"a restore that made a few tables": {180, `do $$ declare t text; begin
			for t in select tablename from pg_tables where schemaname = 'public' and tablename not in ('access', 'alembic_version', 'schema_migrations') loop execute format('drop table %I cascade', t); end loop; end $$`,
			RowHonest, HalfRestored, Keep, "incomplete"},
		"the same with a row that lies":              {180, `drop table label_reference; update schema_migrations set version = 171`, RowLying, HalfRestored, Refuse, "171"},
		"an older dump in a newer database":          {120, harborsql.Defect("merged"), RowHonest, Merged, Keep, "several versions"},
		"the same with a dirty row":                  {120, harborsql.Defect("merged") + `; update schema_migrations set dirty = true`, RowDirty, Merged, Refuse, "dirty"},
		"Notary's version table":                     {100, `alter table schema_migrations drop column dirty; create table tuf_files (id serial primary key)`, RowNotHarbor, Sound, Refuse, "Notary"},
		"a version of a development build":           {5, `update schema_migrations set version = 6`, RowUnknown, Sound, Set, "no known Harbor release"},
		"a version of a far future":                  {180, `update schema_migrations set version = 300`, RowUnknown, Sound, Refuse, "no known Harbor release"},
		"an upgrade between two migrations":          {2, ``, RowHonest, Sound, Keep, ""},
		"a version in no release":                    {181, ``, RowHonest, Sound, Keep, ""},
		"Notary's tables beside Harbor's":            {100, `create table tuf_files (id serial primary key); create table private_keys (id serial primary key)`, RowHonest, Sound, Keep, ""},
		"the key of the version table lost":          {100, `alter table schema_migrations drop constraint schema_migrations_pkey; insert into schema_migrations values (100, false), (91, true)`, RowDuplicated, Damaged, Set, "3 rows"},
		"the same row twice":                         {110, loose + `insert into schema_migrations values (110, false)`, RowDuplicated, Damaged, Set, "2 rows"},
		"a version that is NULL":                     {110, loose + `update schema_migrations set version = null`, RowUnknown, Damaged, Set, "NULL, which no core can read"},
		"a dirty flag that is NULL":                  {110, loose + `update schema_migrations set dirty = null`, RowUnknown, Damaged, Set, "110, dirty NULL, which no core can read"},
		"a version that an old catalog cannot have":  {110, `update schema_migrations set version = 9223372036854775807`, RowUnknown, Sound, Set, "no known Harbor release"},
		"a negative version, left by golang-migrate": {100, `update schema_migrations set version = -1, dirty = true`, RowDirty, Sound, Set, "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			ev := look(t, damaged(t, databases(c.at), c.script))
			v := ev.Verdict
			if v.Row != c.row || c.structure != "" && v.Structure != c.structure {
				t.Errorf("row %s, structure %s, shown %s; want %s, %s", v.Row, v.Structure, v.Shown, c.row, c.structure)
			}
			if v.Healthy() != (c.finding == "") || !strings.Contains(strings.Join(v.Findings, "\n"), c.finding) {
				t.Errorf("findings %q, want %q", v.Findings, c.finding)
			}
			d := Decide(ev)
			if d.Action != c.action || d.Action == Refuse && len(d.Why) == 0 {
				t.Errorf("decision to %s: %q", d.Action, d.Why)
			}
			if d.Action == Set && d.To.Version != c.at {
				t.Errorf("decision for %s", d.To)
			}
		})
	}
}

// loose takes the constraints of the version table away.
const loose = `alter table schema_migrations drop constraint schema_migrations_pkey;
	alter table schema_migrations alter version drop not null, alter dirty drop not null;`

// TestVersionsBetweenReleases: they are honest, and said to be unusual.
func TestVersionsBetweenReleases(t *testing.T) {
	for version, note := range map[Version]string{2: "no release ends at version 2", 190: "development", 180: ""} {
		v := look(t, harbor(t, version)).Verdict
		if !v.Healthy() || !strings.Contains(strings.Join(v.Notes, "\n"), note) || (note == "") != (len(v.Notes) == 0) {
			t.Errorf("%s: %q, notes %q", version, v.Findings, v.Notes)
		}
	}
}

// TestDamageBesideADirtyRow: the row says where to look, so that a lost index
// does not keep it from being put right.
func TestDamageBesideADirtyRow(t *testing.T) {
	tx := damaged(t, harbor(t, 171), `drop index idx_task_job_id; update schema_migrations set version = 180, dirty = true`)
	ev := look(t, tx)
	if d := Decide(ev); d.Action != Set || d.To.Version != 170 || ev.Verdict.Structure != Damaged {
		t.Errorf("decision to %s %s: %q", d.Action, d.To, d.Why)
	}
}

func TestTwoSchemas(t *testing.T) {
	db := harbor(t, 12)
	exec(t, db, `create schema other; create table other.harbor_user (user_id int)`)
	ev := look(t, db)
	if ev.Record.Schema != "public" || ev.Verdict.Healthy() || Decide(ev).Action != Keep {
		t.Errorf("%s: %q", ev.Record.Schema, ev.Verdict.Findings)
	}
	exec(t, db, `update schema_migrations set version = 5`)
	if d := Decide(look(t, db)); d.Action != Refuse || !strings.Contains(d.Why[0], "other, public") && !strings.Contains(d.Why[0], "public, other") {
		t.Errorf("decision to %s: %q", d.Action, d.Why)
	}
}

// TestAnySearchPath: what is found does not hang on the session.
func TestAnySearchPath(t *testing.T) {
	db := harbor(t, 130)
	c := conn(t, db)
	for _, path := range []string{`pg_catalog`, `"$user"`, `pg_catalog, public`} {
		if _, err := c.ExecContext(t.Context(), `set search_path to `+path); err != nil {
			t.Fatal(err)
		}
		ev, err := Inspect(t.Context(), c, database.PostgreSQL)
		if err != nil || ev.Verdict.Shown.Version != 130 || len(ev.Drift) > 0 {
			t.Errorf("%s: %v, shown %s, drift %v", path, err, ev.Verdict.Shown, ev.Drift)
		}
	}
}

// TestElsewhere: a core looks in the first schema of its search path alone.
func TestElsewhere(t *testing.T) {
	db := harbor(t, 130)
	exec(t, db, `alter schema public rename to registry; create schema public`)
	ev := look(t, db)
	if ev.Record.Schema != "registry" || !ev.Verdict.Healthy() || !strings.Contains(strings.Join(ev.Verdict.Notes, "\n"), "begins with public") {
		t.Errorf("in %s: %q, notes %q", ev.Record.Schema, ev.Verdict.Findings, ev.Verdict.Notes)
	}
	if got := ids(check(t, db, "2.10.3")); !slices.Equal(got, []string{"search-path"}) {
		t.Errorf("found %q", got)
	}
	exec(t, db, `drop schema public`)
	if notes := look(t, db).Verdict.Notes; !strings.Contains(strings.Join(notes, "\n"), "no schema of this role's search path exists") {
		t.Errorf("notes %q", notes)
	}
}

// TestOneDifferenceBesideAnHonestRow: the row and the nearest catalog say the
// same, however near the next one comes.
func TestOneDifferenceBesideAnHonestRow(t *testing.T) {
	ev := look(t, damaged(t, harbor(t, 180), `drop index idx_task_job_id`))
	if v := ev.Verdict; v.Row != RowHonest || v.Structure != Damaged || v.Confidence != Likely {
		t.Errorf("%s, %s, %s: %q", v.Row, v.Structure, v.Confidence, v.Findings)
	}
}

// TestReaderOfSomeTables: the catalog can be read without any right, so that a
// role that is kept from secrets sees the version all the same.
func TestReaderOfSomeTables(t *testing.T) {
	tx := damaged(t, harbor(t, 171), `create role reader; grant select on schema_migrations to reader;
		alter table role enable row level security; grant select on role to reader; set local role reader`)
	ev, err := Inspect(t.Context(), tx, database.PostgreSQL)
	if err != nil || !ev.Verdict.Healthy() || ev.Verdict.Shown.Version != 171 {
		t.Errorf("%v, shown %s, %q", err, ev.Verdict.Shown, ev.Verdict.Findings)
	}
}

func TestNoRights(t *testing.T) {
	db := harbor(t, 12)
	tx := damaged(t, db, `create role reader; set local role reader`)
	_, err := Inspect(t.Context(), tx, database.PostgreSQL)
	if fault.KindOf(err) != fault.Failed || !strings.Contains(fault.HintOf(err), "SELECT") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

// TestInspectChangesNothing: the whole database is the same afterwards, and it
// works where nothing may be written.
func TestInspectChangesNothing(t *testing.T) {
	db := filled(t, 100)
	before := dbtest.Dump(t, db)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := Inspect(t.Context(), tx, database.PostgreSQL); err != nil {
		t.Fatal(err)
	}
	dbtest.RequireSame(t, before, dbtest.Dump(t, db))
}

func TestOverrideWarns(t *testing.T) {
	db := harbor(t, 12)
	exec(t, db, `update schema_migrations set dirty = true`)
	ev := look(t, db)
	for to, warns := range map[Version]string{12: "", 5: "the evidence says 12", 13: "no Harbor release known here has version 13"} {
		d := Override(ev, Mark{Version: to})
		if d.Action != Set || d.To.Version != to || strings.Contains(strings.Join(d.Warnings, "; "), warns) != true || (warns == "") != (len(d.Warnings) == 0) {
			t.Errorf("%s: %s %s, %q", to, d.Action, d.To, d.Warnings)
		}
	}
}

// TestConvertedFromMySQL: such a database is sound at every version, and what
// is different is told apart from damage.
func TestConvertedFromMySQL(t *testing.T) {
	for _, v := range []Version{1, 15, 53, 180} {
		t.Run(v.String(), func(t *testing.T) {
			db := empty(t)
			if err := harborsql.ConvertFromMySQL(t.Context(), db, int(v)); err != nil {
				t.Fatal(err)
			}
			ev := look(t, db)
			if ev.Verdict.Shown.Version != v || !ev.Verdict.Healthy() || len(ev.Lineage) == 0 || len(ev.Drift) == 0 {
				t.Errorf("shown %s, %q, lineage %q", ev.Verdict.Shown, ev.Verdict.Findings, ev.Lineage)
			}
			for _, d := range ev.Drift {
				if d.Class != MySQLLineage {
					t.Errorf("%s %s is %s: want %q, have %q", d.Object(), d.Change, d.Class, d.Want, d.Have)
				}
			}
			exec(t, db, `drop trigger project_update_time_at_modtime on project`)
			if ev = look(t, db); ev.Verdict.Structure != Damaged {
				t.Errorf("a lost trigger makes it %s", ev.Verdict.Structure)
			}
		})
	}
}

func TestOperatorsAdditionsAreSound(t *testing.T) {
	db := harbor(t, 180)
	if err := harborsql.OperatorAdditions(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	ev := look(t, db)
	if !ev.Verdict.Healthy() || ev.Verdict.Confidence != Certain || len(ev.Drift) == 0 {
		t.Errorf("%s, %q", ev.Verdict.Confidence, ev.Verdict.Findings)
	}
	for _, d := range ev.Drift {
		if d.Class != Addition {
			t.Errorf("%s %s is %s (%s): want %q, have %q", d.Object(), d.Change, d.Class, d.Note, d.Want, d.Have)
		}
	}
}
