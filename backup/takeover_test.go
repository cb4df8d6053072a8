package backup_test

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

// A database that was missing or empty when the restore was planned and is in
// use when it begins is somebody else's: nothing in it is dropped.
func TestWhatOthersMadeMeanwhileIsKept(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	content, err := backup.Content(s)
	check(t, err)
	for _, state := range []target.State{target.Missing, target.Empty} {
		t.Run(string(state), func(t *testing.T) {
			name := spare(t, server, settings.Database+"_"+string(state))
			create := func() { server.Exec(t, "postgres", `CREATE DATABASE "`+name+`"`) }
			if state == target.Empty {
				create()
			}
			on, err := backup.OpenServer(t.Context(), settings)
			check(t, err)
			defer on.Close()
			restore, err := on.Plan(t.Context(), s, content, target.Options{Mode: target.Keep, Name: name, Jobs: 1})
			check(t, err)
			if state == target.Missing {
				create()
			}
			server.Exec(t, name, "CREATE TABLE precious AS SELECT 1 AS x")
			before := contents(t, server, name)
			if err := restore.Load(t.Context(), progress.Discard); err == nil {
				t.Error("loaded into it")
			}
			dbtest.RequireSame(t, before, contents(t, server, name))
		})
	}
}

// What a restore sets aside is found again by the whole name of its database,
// however long and strange.
func TestSetAsideOfLongAndStrangeNames(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	long := strings.Repeat("e", 47)
	for _, name := range []string{long + "_1", long + "_2", "two\nlines", `Quo"ted`} {
		server.DropDatabase(t, name)
		for range 2 { // the first makes it, the second sets it aside
			putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: name, SkipReadBack: true})
		}
		on := beside(t, named(settings, name))
		if len(on) != 1 || on[0].Kind != target.SetAside || len(on[0].Name) > 63 {
			t.Errorf("%q: %v", name, on)
		}
		for _, b := range on {
			server.Exec(t, "postgres", `DROP DATABASE "`+strings.ReplaceAll(b.Name, `"`, `""`)+`"`)
		}
	}
}

// A role that may create databases and does not own the live one learns that
// before the long work.
func TestOnlyTheOwnerMayReplace(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	server.Exec(t, "postgres", `DROP ROLE IF EXISTS harbor_creator; CREATE ROLE harbor_creator LOGIN CREATEDB`)
	creator := settings
	creator.User = "harbor_creator"
	_, err := tryPutBack(t.Context(), creator, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
	requireRefused(t, err, "belongs to postgres")
	if hint := fault.HintOf(err); !strings.Contains(hint, "GRANT") {
		t.Errorf("hint: %s", hint)
	}
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
