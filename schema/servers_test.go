package schema

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// TestEveryMajorShowsTheSameCatalog covers what servers print differently:
// sequences without a catalog of their own, EXECUTE PROCEDURE before 11, named
// NOT NULLs from 18 on.
func TestEveryMajorShowsTheSameCatalog(t *testing.T) {
	for major, version := range map[int]Version{10: 111, 12: 190, 18: 190} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			db := dbtest.Open(t, dbtest.PostgreSQLMajor(t, major).CreateDatabase(t))
			for _, v := range []Version{15, version} {
				build(t, db, v)
				if ev := look(t, db); ev.Verdict.Shown.Version != v || len(ev.Drift) > 0 {
					t.Errorf("version %s is shown as %s, drift %v", v, ev.Verdict.Shown, ev.Drift)
				}
			}
			if list, err := MigrationRunning(t.Context(), db, database.PostgreSQL); err != nil || len(list) > 0 {
				t.Errorf("running: %v, %v", list, err)
			}
		})
	}
}

// TestDefaultsFrom96: a server of before 10 wrote CURRENT_TIMESTAMP as now(),
// and pg_upgrade keeps it.
func TestDefaultsFrom96(t *testing.T) {
	tx := damaged(t, harbor(t, 180), `alter table harbor_user alter column creation_time set default now()`)
	ev, err := Inspect(t.Context(), tx, database.PostgreSQL)
	if err != nil || len(ev.Drift) > 0 {
		t.Errorf("drift %v, %v", ev.Drift, err)
	}
}

// mysqlServers are the two kinds that Harbor has run on.
func mysqlServers(t *testing.T) map[string]*dbtest.Server {
	t.Helper()
	return map[string]*dbtest.Server{"MariaDB": dbtest.MariaDB(t), "MySQL 5.6": dbtest.MySQL56(t)}
}

func lookMySQL(t *testing.T, db *sql.DB) Evidence {
	t.Helper()
	ev, err := Inspect(t.Context(), db, database.MySQL)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestMySQLVersionsAreRecognised(t *testing.T) {
	for name, server := range mysqlServers(t) {
		for _, release := range harborsql.MySQLVersions() {
			t.Run(name+" "+release, func(t *testing.T) {
				db := server.Open(t, server.CreateDatabase(t).Database)
				if err := harborsql.BuildMySQL(t.Context(), db, release); err != nil {
					t.Fatal(err)
				}
				want := parse(t, release).Alembic
				ev := lookMySQL(t, db)
				if !ev.Verdict.Healthy() || ev.Verdict.Shown.Alembic != want || ev.Verdict.Confidence != Certain || len(ev.Drift) > 0 {
					t.Errorf("shown %s, %s, %q, drift %v", ev.Verdict.Shown, ev.Verdict.Confidence, ev.Verdict.Findings, ev.Drift)
				}
				everyAlembicRow(t, db, want)
			})
		}
	}
}

// everyAlembicRow puts every value that there is into the row, and none, and
// two, and no table at all, and has each put right.
func everyAlembicRow(t *testing.T, db *sql.DB, want string) {
	t.Helper()
	scripts := map[string]RowState{
		"": RowEmptied,
		"insert into alembic_version values ('0.4.0'), ('1.5.0')": RowDuplicated,
		"insert into alembic_version values ('1.6.0')":            RowUnknown,
	}
	for _, value := range []string{"0.4.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"} {
		if value != want {
			scripts["insert into alembic_version values ('"+value+"')"] = RowLying
		}
	}
	for script, state := range scripts {
		exec(t, db, "delete from alembic_version")
		if script != "" {
			exec(t, db, script)
		}
		ev := lookMySQL(t, db)
		if ev.Verdict.Row != state || ev.Verdict.Shown.Alembic != want {
			t.Errorf("%q: %s, shown %s", script, ev.Verdict.Row, ev.Verdict.Shown)
		}
		putRight(t, db, ev, want)
	}
	exec(t, db, "drop table alembic_version")
	putRight(t, db, lookMySQL(t, db), want)
}

func putRight(t *testing.T, db *sql.DB, ev Evidence, want string) {
	t.Helper()
	d := Decide(ev)
	if d.Action != Set || d.To.Alembic != want {
		t.Fatalf("decision to %s %s: %q", d.Action, d.To, d.Why)
	}
	write(t, db, ev.Record, d.Target(ev.Record))
	if ev = lookMySQL(t, db); !ev.Verdict.Healthy() {
		t.Errorf("%q, %v", ev.Verdict.Findings, ev.Drift)
	}
	if err := tryWrite(t, db, Record{Engine: database.MySQL, AlembicTable: true, Alembic: []string{"stale"}}, ev.Record); err == nil {
		t.Error("a row that has changed was overwritten")
	}
}

func TestMySQLPreflight(t *testing.T) {
	server := dbtest.MariaDB(t)
	db := server.Open(t, server.CreateDatabase(t).Database)
	if err := harborsql.BuildMySQL(t.Context(), db, "1.3.0"); err != nil {
		t.Fatal(err)
	}
	for target, c := range map[string]struct {
		id, fix string
	}{
		"1.3.0":  {"", ""},
		"1.2.2":  {"refuses", "alembic_version is 1.2.0"},
		"1.4.1":  {"migrator", "vmware/harbor-db-migrator:v1.4.1 up head"},
		"1.5.4":  {"migrator", "vmware/harbor-migrator:v1.5.4 --db up"},
		"1.6.3":  {"engine", "goharbor/harbor-migrator:v1.6.3 --db up"},
		"2.11.0": {"engine", "v1.7.8 first"},
	} {
		t.Run(target, func(t *testing.T) {
			p, err := Check(t.Context(), db, database.MySQL, database.Server{Product: "MariaDB", Version: "10.11", Number: 101100}, parse(t, target))
			if err != nil {
				t.Fatal(err)
			}
			if c.id == "" {
				if !p.OK() {
					t.Errorf("%+v", p.Findings)
				}
				return
			}
			if p.OK() || p.Findings[0].ID != c.id || !strings.Contains(p.Findings[0].Fix, c.fix) {
				t.Errorf("%s, %+v", p.Answer, p.Findings)
			}
		})
	}
	pg := check(t, harbor(t, 180), "1.5.0")
	if pg.OK() || pg.Findings[0].ID != "engine" {
		t.Errorf("a PostgreSQL database for 1.5.0: %+v", pg.Findings)
	}
}
