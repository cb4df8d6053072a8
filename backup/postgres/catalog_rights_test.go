package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// A role that is no superuser, as managed servers give one, restores what
// belongs to others: it ends up with everything, and what it could not give
// away or grant is in the notes.
func TestRestoreWithoutSuperuser(t *testing.T) {
	for _, major := range []int{10, 14, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			source := build(t, server, 180)
			for _, name := range []string{"views", "comments", "grants", "schema"} {
				server.Exec(t, source.Database, harborsql.Addition(name))
			}
			m := readModelOf(t, server, source)

			server.Exec(t, "", "CREATE ROLE tenant LOGIN CREATEDB")
			t.Cleanup(func() { server.Exec(t, "", "DROP ROLE tenant") })
			settings := server.Settings("")
			settings.User = "tenant"
			copied := server.CreateDatabase(t)
			server.Exec(t, "", "DROP DATABASE "+copied.Database)
			copied.User = "tenant"
			notes := restoreAs(t, server, settings, copied, m)

			got := readModelOf(t, server, server.Settings(copied.Database))
			for _, d := range pgmodel.Compare(m, got) {
				if d.Object.Kind != pgmodel.KindSchema { // its comment takes the owner
					t.Error(d)
				}
			}
			if got.Tables[0].Owner != "tenant" || got.Database.Owner != "tenant" {
				t.Errorf("owned by %s, %s", got.Tables[0].Owner, got.Database.Owner)
			}
			if !strings.Contains(fmt.Sprint(notes), "role postgres") {
				t.Errorf("the notes do not say that objects of postgres stay with tenant: %v", notes)
			}
			// Harbor's next migration makes a table in public.
			dbtest.Exec(t, copied, "CREATE TABLE public.next_migration (a integer)")
		})
	}
}

// A user who is no superuser, but a member of the role that owns Harbor's
// database, gives everything to that role.
func TestMemberRestoresForTheOwner(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			server.Exec(t, "", "CREATE ROLE harbor_owner LOGIN CREATEDB; CREATE ROLE tenant LOGIN CREATEDB IN ROLE harbor_owner")
			t.Cleanup(func() { server.Exec(t, "", "DROP ROLE tenant, harbor_owner") })
			source := server.CreateDatabase(t)
			server.Exec(t, "", "ALTER DATABASE "+source.Database+" OWNER TO harbor_owner")
			source.User = "harbor_owner"
			if err := harborsql.BuildPostgreSQL(t.Context(), dbtest.Open(t, source), 180); err != nil {
				t.Fatal(err)
			}
			m := readModelOf(t, server, source)
			settings := server.Settings("")
			settings.User = "tenant"
			copied := server.CreateDatabase(t)
			server.Exec(t, "", "DROP DATABASE "+copied.Database)
			copied.User = "tenant"
			restoreAs(t, server, settings, copied, m)
			for _, d := range pgmodel.Diff(m, readModelOf(t, server, copied)) {
				if d.Object.Kind != pgmodel.KindSchema {
					t.Error(d)
				}
			}
		})
	}
}

// The owner of a database, who may read nothing else, reads its catalog whole.
func TestOwnerReadsTheCatalogLikeASuperuser(t *testing.T) {
	for _, major := range []int{10, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			server.Exec(t, "", "CREATE ROLE tenant LOGIN")
			t.Cleanup(func() { server.Exec(t, "", "DROP ROLE tenant") })
			source := build(t, server, 180)
			for name := range unsupported {
				server.Exec(t, source.Database, harborsql.Addition(name))
			}
			want := readModelOf(t, server, source)
			source.User = "tenant"
			wantEqual(t, want, readModelOf(t, server, source))
		})
	}
}

func TestChangedPrivilegesOfTheSystemAreNoted(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	server.Exec(t, source.Database, `CREATE EXTENSION hstore; REVOKE EXECUTE ON FUNCTION hstore(text, text) FROM PUBLIC;
		GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO pg_signal_backend; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC`)
	var got []string
	for _, n := range readModelOf(t, server, source).Notes {
		got = append(got, n.Object.Name)
	}
	want := []string{"function public.hstore(text,text)", "function pg_ls_waldir()", "language plpgsql"}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("notes on %q, want %q", got, want)
	}
}

// restoreAs makes the database copied of m in the session of settings.
func restoreAs(t *testing.T, server *dbtest.Server, settings, copied database.Settings, m *pgmodel.Model) []pgmodel.Note {
	t.Helper()
	admin := session(t, server, settings)
	target, err := ReadTarget(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	target.Database = copied.Database
	script, notes, err := m.Render(target)
	if err != nil {
		t.Fatal(err)
	}
	run(t, admin, script.Create)
	run(t, session(t, server, copied), inOrder(script)...)
	return notes
}

func TestRolesThatAreMissingAreNoted(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	m := readModelOf(t, server, buildHostile(t, server))
	admin := session(t, server, server.Settings(""))
	target, err := ReadTarget(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	target.Roles = []string{"postgres"}
	target.Database = server.CreateDatabase(t).Database
	script, notes, err := m.Render(target)
	if err != nil {
		t.Fatal(err)
	}
	run(t, session(t, server, server.Settings(target.Database)), inOrder(script)...)
	for _, role := range []string{"reader", "harbor_owner", `Ops "team"`} {
		if !strings.Contains(fmt.Sprint(notes), "role "+role) {
			t.Errorf("no note on role %s in %v", role, notes)
		}
	}
	got := readModelOf(t, server, server.Settings(target.Database))
	for _, d := range pgmodel.Compare(m, got) {
		t.Error(d)
	}
}

func TestOneOwnerForEverything(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	m := readModelOf(t, server, build(t, server, 180))
	server.Exec(t, "", "CREATE ROLE new_owner")
	t.Cleanup(func() { server.Exec(t, "", "DROP ROLE new_owner") })
	target, err := ReadTarget(t.Context(), session(t, server, server.Settings("")))
	if err != nil {
		t.Fatal(err)
	}
	target.Owner, target.Database = "new_owner", server.CreateDatabase(t).Database
	script, notes, err := m.Render(target)
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	run(t, session(t, server, server.Settings(target.Database)), inOrder(script)...)
	got := readModelOf(t, server, server.Settings(target.Database))
	if got.Database.Owner != "new_owner" {
		t.Errorf("the database belongs to %s", got.Database.Owner)
	}
	for _, table := range got.Tables {
		if table.Owner != "new_owner" {
			t.Errorf("table %s belongs to %s", table.Name, table.Owner)
		}
	}
	for _, sequence := range got.Sequences {
		if sequence.Owner != "new_owner" {
			t.Errorf("sequence %s belongs to %s", sequence.Name, sequence.Owner)
		}
	}
}
