package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// notaryOnMySQL are Notary's two databases as they were up to Harbor 1.5, with
// hostile rows; harborsql has those of PostgreSQL.
var notaryOnMySQL = []string{
	`CREATE TABLE schema_migrations (version int NOT NULL PRIMARY KEY);
		INSERT INTO schema_migrations VALUES (1), (2);
		CREATE TABLE tuf_files (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, created_at timestamp NULL, gun varchar(150) NOT NULL,
		  role varchar(50) NOT NULL, version int NOT NULL, data longblob NOT NULL, UNIQUE (gun, role, version));
		INSERT INTO tuf_files (gun, role, version, data) VALUES ('a\t\\N\n', 'root', 1, X'00FF0A09'), ('b', 'root', 2, '');
		CREATE VIEW roots AS SELECT gun FROM tuf_files WHERE role = 'root';
		CREATE TRIGGER counted BEFORE INSERT ON tuf_files FOR EACH ROW SET NEW.version = NEW.version + 1`,
	`CREATE TABLE schema_migrations (version int NOT NULL PRIMARY KEY);
		CREATE TABLE private_keys (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, key_id varchar(150) UNIQUE NOT NULL, public blob NOT NULL, private blob NOT NULL);
		INSERT INTO private_keys (key_id, public, private) VALUES ('k1', X'00', X'FF')`,
}

// harbors are a server of each engine with a Harbor in it.
func harbors(t *testing.T) map[string]func(t *testing.T) (*dbtest.Server, database.Settings) {
	return map[string]func(t *testing.T) (*dbtest.Server, database.Settings){
		"PostgreSQL": func(t *testing.T) (*dbtest.Server, database.Settings) {
			server := dbtest.PostgreSQL(t)
			return server, filled(t, server, 12)
		},
		"MariaDB": func(t *testing.T) (*dbtest.Server, database.Settings) {
			server := dbtest.MariaDB(t)
			return server, filledMySQL(t, server, "1.5.0")
		},
		"MySQL 5.6": func(t *testing.T) (*dbtest.Server, database.Settings) {
			server := dbtest.MySQL56(t)
			return server, filledMySQL(t, server, "1.1.0")
		},
	}
}

// withNotary makes the databases of Notary beside that of settings and returns
// their names; they are dropped with it.
func withNotary(t *testing.T, server *dbtest.Server, settings database.Settings) []string {
	t.Helper()
	names := []string{settings.Database + "_notaryserver", settings.Database + "_notarysigner"}
	for i, name := range names {
		server.Exec(t, "", "CREATE DATABASE "+name)
		if server.Engine() == database.MySQL {
			server.Exec(t, name, notaryOnMySQL[i])
			continue
		}
		db := server.Open(t, name)
		check(t, []func(context.Context, *sql.DB) error{harborsql.NotaryServer, harborsql.NotarySigner}[i](t.Context(), db))
		db.Close() // a session would be in the way of a swap
	}
	return names
}

// all are the contents of databases, one after the other.
func all(t *testing.T, server *dbtest.Server, names ...string) dbtest.Contents {
	t.Helper()
	whole := dbtest.Contents{}
	for i, name := range names {
		of := contents(t, server, name)
		if server.Engine() == database.MySQL {
			of = mySQLContents(t, server, name)
		}
		for object, lines := range of {
			whole[fmt.Sprint(i, " ", object)] = lines
		}
	}
	return whole
}

// putBackSet restores databases of a snapshot, all where none is named.
func putBackSet(t *testing.T, settings database.Settings, s *snapshots.Snapshot, o target.Options, names ...string) target.Result {
	t.Helper()
	result, err := tryPutBackSet(t.Context(), settings, s, o, names...)
	check(t, err)
	return result
}

func tryPutBackSet(ctx context.Context, settings database.Settings, s *snapshots.Snapshot, o target.Options, names ...string) (target.Result, error) {
	server, err := backup.OpenServer(ctx, settings)
	if err != nil {
		return target.Result{}, err
	}
	defer server.Close()
	chosen, err := backup.Select(s, settings.Database, names)
	if err != nil {
		return target.Result{}, err
	}
	o.Companions, o.Jobs, o.AllowUnknownObjects = chosen.Companions, 2, true
	if o.Mode != target.Keep {
		o.Name = chosen.Name
	}
	restore, err := server.Plan(ctx, s, chosen.First, o)
	if err != nil {
		return target.Result{}, err
	}
	if err := restore.Load(ctx, progress.Discard); err != nil {
		return target.Result{}, err
	}
	return restore.Swap(ctx)
}

func rollBackSet(t *testing.T, settings database.Settings, name string, only ...string) target.Rollback {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	r, err := on.PlanRollback(t.Context(), name, target.Refuse, only...)
	check(t, err)
	check(t, on.Rollback(t.Context(), r, target.Refuse))
	return r
}

func discardSet(t *testing.T, settings database.Settings, name string) {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	list, err := on.Beside(t.Context(), settings.Database)
	check(t, err)
	set, err := target.Choose(list, settings.Database, name)
	check(t, err)
	for _, b := range set {
		check(t, on.Discard(t.Context(), b))
	}
}

// changeNotary loses signatures and keys.
func changeNotary(t *testing.T, server *dbtest.Server, names []string) {
	t.Helper()
	server.Exec(t, names[0], "DELETE FROM tuf_files WHERE id = 2")
	server.Exec(t, names[1], "DROP TABLE private_keys")
}

// Databases that were taken together come back together, go back together,
// and are dropped together.
func TestDatabasesComeBackTogether(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			names := append([]string{settings.Database}, withNotary(t, server, settings)...)
			before := all(t, server, names...)
			store := newStore(t)
			s := take(t, settings, store, backup.Options{Companions: names[1:]})
			verified(t, store, s.Manifest.ID)
			requireTaken(t, s, names)
			dbtest.RequireSame(t, before, all(t, server, names...))
			changeNotary(t, server, names[1:])
			changed := all(t, server, names...)

			result := putBackSet(t, settings, s, target.Options{Mode: target.SwapIn})
			dbtest.RequireSame(t, before, all(t, server, names...))
			var aside []string
			for _, d := range result.All() {
				aside = append(aside, d.Aside)
			}
			dbtest.RequireSame(t, changed, all(t, server, aside...))

			if r := rollBackSet(t, settings, settings.Database); len(r.All()) != 3 {
				t.Errorf("%d databases go back, not 3", len(r.All()))
			}
			dbtest.RequireSame(t, changed, all(t, server, names...))
			discardSet(t, settings, "")
			if left := beside(t, settings); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			putBackSet(t, settings, s, target.Options{Mode: target.Drill})
			if left := beside(t, settings); len(left) > 0 {
				t.Errorf("left by a drill: %v", left)
			}
		})
	}
}

// requireTaken fails where the snapshot does not hold these databases at one
// moment, Harbor's own first.
func requireTaken(t *testing.T, s *snapshots.Snapshot, names []string) {
	t.Helper()
	var got []string
	for _, d := range s.Manifest.Contents.Databases {
		got = append(got, d.Name)
		if !d.OneMoment || !d.Time.Equal(s.Manifest.Time) {
			t.Errorf("database %s shows %s, the snapshot %s", d.Name, d.Time, s.Manifest.Time)
		}
	}
	if !slices.Equal(got, names) {
		t.Errorf("it holds %v, not %v", got, names)
	}
}

// A part of a snapshot can be restored; what is missing on the server is a
// normal target; and the last restore of each database goes back by itself.
func TestRestoringAPartOfASnapshot(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			companions := withNotary(t, server, settings)
			names := append([]string{settings.Database}, companions...)
			before, kept := all(t, server, names...), all(t, server, names[:2]...)
			s := take(t, settings, newStore(t), backup.Options{Companions: companions})
			server.Exec(t, "", "DROP DATABASE "+companions[0])
			server.Exec(t, companions[1], "DROP TABLE private_keys")
			lost := all(t, server, companions[1])

			first := putBackSet(t, settings, s, target.Options{Mode: target.SwapIn}, companions...)
			dbtest.RequireSame(t, before, all(t, server, names...))
			if first.Aside != "" || first.Companions[0].Aside == "" || first.Database != companions[0] {
				t.Errorf("the result is %+v", first)
			}
			putBackSet(t, settings, s, target.Options{Mode: target.SwapIn}, settings.Database, companions[0])
			if r := rollBackSet(t, settings, companions[0], companions[0]); len(r.All()) != 1 {
				t.Errorf("rolled back %+v", r)
			}
			if r := rollBackSet(t, settings, companions[1]); len(r.All()) != 1 {
				t.Errorf("rolled back %+v", r)
			}
			dbtest.RequireSame(t, kept, all(t, server, names[:2]...))
			dbtest.RequireSame(t, lost, all(t, server, companions[1]))
		})
	}
}

// One database in use keeps all of them from being swapped; what was loaded is
// there for the next try.
func TestNoneIsSwappedWhereOneIsInUse(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			companions := withNotary(t, server, settings)
			names := append([]string{settings.Database}, companions...)
			before := all(t, server, names...)
			s := take(t, settings, newStore(t), backup.Options{Companions: companions})
			changeNotary(t, server, companions)
			changed := all(t, server, names...)
			on, err := backup.OpenServer(t.Context(), settings)
			check(t, err)
			defer on.Close()
			chosen, err := backup.Select(s, settings.Database, nil)
			check(t, err)
			restore, err := on.Plan(t.Context(), s, chosen.First, target.Options{
				Mode: target.SwapIn, Name: chosen.Name, Companions: chosen.Companions, Jobs: 1, AllowUnknownObjects: true})
			check(t, err)
			check(t, restore.Load(t.Context(), progress.Discard))

			signer := server.Open(t, companions[1])
			check(t, signer.PingContext(t.Context()))
			_, err = restore.Swap(t.Context())
			requireRefused(t, err, companions[1]+" is in use")
			dbtest.RequireSame(t, changed, all(t, server, names...))
			check(t, signer.Close())
			again, err := tryUntilUnused(t, func() (target.Result, error) {
				return tryPutBackSet(t.Context(), settings, s, target.Options{Mode: target.SwapIn})
			})
			check(t, err)
			dbtest.RequireSame(t, before, all(t, server, names...))
			if len(again.All()) != 3 {
				t.Errorf("%+v", again)
			}
			for _, b := range beside(t, settings) {
				if b.Kind != target.SetAside {
					t.Errorf("%s is left, %s", b.Name, b.Kind)
				}
			}
		})
	}
}

// tryUntilUnused tries until the server has let go of a session.
func tryUntilUnused(t *testing.T, try func() (target.Result, error)) (target.Result, error) {
	t.Helper()
	for range 100 {
		result, err := try()
		if err == nil || !strings.Contains(err.Error(), "in use") {
			return result, err
		}
	}
	return try()
}

// A restore of several databases that is killed at any point has touched none
// of the live ones; the next one sweeps what it left, and succeeds.
func TestRestoreOfSeveralKilledAtAnyPoint(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	companions := withNotary(t, server, settings)
	names := append([]string{settings.Database}, companions...)
	proxy := dbtest.NewProxy(t, server)
	over := proxy.Settings(settings.Database)
	folder := filepath.Join(t.TempDir(), "store")
	if out, err := program(t, over, folder, "backup", "--databases", strings.Join(companions, ",")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := all(t, server, names...)
	changeNotary(t, server, companions)
	live := all(t, server, names...)
	from := proxy.Passed(dbtest.ToServer)
	if out, err := program(t, over, folder, "restore", "--drill", "latest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	length := proxy.Passed(dbtest.ToServer) - from
	for _, at := range append(points, 0.8) {
		if killAt(t, program(t, over, folder, "restore", "latest"), proxy, dbtest.ToServer, int64(at*float64(length))) {
			dbtest.RequireSame(t, live, all(t, server, names...))
		}
	}
	out, err := program(t, over, folder, "restore", "latest", "--disconnect").CombinedOutput()
	for err != nil && strings.Contains(string(out), "another restore is loading") { // sessions of killed programs end
		out, err = program(t, over, folder, "restore", "latest", "--disconnect").CombinedOutput()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dbtest.RequireSame(t, before, all(t, server, names...))
	for _, name := range names {
		for _, b := range beside(t, named(settings, name)) {
			if b.Kind != target.SetAside {
				t.Errorf("%s is left, %s", b.Name, b.Kind)
			}
		}
	}
}

func TestNamesOfDatabasesThatCannotBe(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			companions := withNotary(t, server, settings)
			system := map[database.Engine]string{database.PostgreSQL: "template1", database.MySQL: "mysql"}[server.Engine()]
			db := open(t, settings)
			for _, test := range []struct {
				names []string
				want  string
			}{
				{[]string{"nowhere"}, `no database "nowhere"`},
				{[]string{companions[0], companions[0]}, "twice"},
				{[]string{settings.Database, settings.Database}, "twice"},
				{[]string{system}, "database " + system},
			} {
				if _, err := backup.CheckCompanions(t.Context(), db, test.names); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v: %v", test.names, err)
				}
			}
			got, err := backup.CheckCompanions(t.Context(), db, []string{settings.Database, companions[1]})
			if err != nil || !slices.Equal(got, companions[1:]) {
				t.Errorf("%v, %v", got, err)
			}
			s := take(t, settings, newStore(t), backup.Options{Companions: companions})
			for _, test := range []struct {
				live  string
				names []string
				want  string
			}{
				{settings.Database, []string{"nowhere"}, `holds no database "nowhere"`},
				{settings.Database, []string{companions[0], companions[0]}, "twice"},
				{companions[0], nil, "would take the place of the Harbor database"},
			} {
				if _, err := backup.Select(s, test.live, test.names); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v: %v", test.names, err)
				}
			}
		})
	}
}

// Databases of Harbor's other parts are found by what is in them.
func TestCompanionsAreFound(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			companions := withNotary(t, server, settings)
			found, err := backup.Companions(t.Context(), open(t, settings))
			check(t, err)
			of := map[string]string{}
			for _, f := range found {
				of[f.Name] = f.Of
			}
			if of[companions[0]] != "Notary server" || of[companions[1]] != "Notary signer" || of[settings.Database] != "" {
				t.Errorf("found %v", found)
			}
		})
	}
}

// A comparison speaks of every database.
func TestDiffOfSeveralDatabases(t *testing.T) {
	for name, build := range harbors(t) {
		t.Run(name, func(t *testing.T) {
			server, settings := build(t)
			companions := withNotary(t, server, settings)
			store := newStore(t)
			whole := side(t, take(t, settings, store, backup.Options{Companions: companions}))
			alone := side(t, take(t, settings, store, backup.Options{}))
			changeNotary(t, server, companions)
			changed := side(t, take(t, settings, store, backup.Options{Companions: companions}))
			d, err := backup.Compare(whole, whole)
			if err != nil || !d.Same() || len(d.Companions) != 2 {
				t.Errorf("with itself: %+v, %v", d, err)
			}
			d, err = backup.Compare(whole, changed)
			if err != nil || d.Same() || !d.DatabaseDiff.Same() || len(d.Companions[0].Tables) != 1 || len(d.Companions[1].Schema) == 0 {
				t.Errorf("with another: %+v, %v", d, err)
			}
			d, err = backup.Compare(alone, whole)
			if err != nil || d.Same() || d.Companions[0].Change != snapshots.OnlyInB {
				t.Errorf("alone with all: %+v, %v", d, err)
			}
			d, err = backup.Compare(whole, alone)
			if err != nil || d.Same() || d.Companions[1].Change != snapshots.OnlyInA {
				t.Errorf("all with one: %+v, %v", d, err)
			}
		})
	}
}

func side(t *testing.T, s *snapshots.Snapshot) backup.Side {
	t.Helper()
	got, err := backup.OfSnapshot(t.Context(), s)
	check(t, err)
	return got
}

// One flipped byte in the rows of a companion is found, and told with its
// database.
func TestRotInACompanionIsFound(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	companions := withNotary(t, server, settings)
	store := newStore(t)
	s := take(t, settings, store, backup.Options{Companions: companions})
	object := ""
	for _, d := range backup.CompanionsOf(s) {
		for _, table := range d.Tables {
			if table.Name == "tuf_files" {
				object = table.Parts[0].Object
			}
		}
	}
	path := filepath.Join(store.String(), "snapshots", string(s.Manifest.ID), object)
	data, err := os.ReadFile(path)
	check(t, err)
	data[len(data)/2] ^= 1
	check(t, os.Chmod(path, 0o600))
	check(t, os.WriteFile(path, data, 0o600))
	v, err := snapshots.Verify(t.Context(), store, s.Manifest.ID, backup.Renderer, 2, progress.Discard)
	check(t, err)
	if len(v.Problems) != 1 || !strings.Contains(v.Problems[0], object) {
		t.Errorf("problems: %v", v.Problems)
	}
	live := all(t, server, companions...)
	if _, err := tryPutBackSet(t.Context(), settings, s, target.Options{Mode: target.SwapIn}); err == nil {
		t.Error("it was restored")
	}
	dbtest.RequireSame(t, live, all(t, server, companions...))
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Clair kept its tables in the database postgres, to which a restore is
// connected otherwise.
func TestTheDatabasePostgresIsRestoredLikeAnyOther(t *testing.T) {
	server := dbtest.StartPostgreSQL(t, dbtest.Options{})
	settings := filled(t, server, 12)
	server.Exec(t, "postgres", `CREATE TABLE vulnerability_fixedin_feature (id serial PRIMARY KEY, version text);
		INSERT INTO vulnerability_fixedin_feature (version) VALUES ('1.0')`)
	names := []string{settings.Database, "postgres"}
	before := all(t, server, names...)
	db := open(t, settings)
	found, err := backup.Companions(t.Context(), db)
	check(t, err)
	db.Close()
	if len(found) != 1 || found[0].Of != "Clair" || !found[0].Rebuilt {
		t.Errorf("found %v", found)
	}
	s := take(t, settings, newStore(t), backup.Options{Companions: names[1:]})
	server.Exec(t, "postgres", "DROP TABLE vulnerability_fixedin_feature")
	changed := all(t, server, names...)
	_, err = tryUntilUnused(t, func() (target.Result, error) {
		return tryPutBackSet(t.Context(), settings, s, target.Options{Mode: target.SwapIn})
	})
	check(t, err)
	dbtest.RequireSame(t, before, all(t, server, names...))
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	r, err := on.PlanRollback(t.Context(), settings.Database, target.EndSessions)
	check(t, err)
	check(t, on.Rollback(t.Context(), r, target.EndSessions))
	dbtest.RequireSame(t, changed, all(t, server, names...))
}
