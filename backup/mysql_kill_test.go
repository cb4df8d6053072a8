package backup_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots"
)

// mySQLProgram returns a call of the program over TCP.
func mySQLProgram(t *testing.T, s database.Settings, store string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := program(t, s, store, args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("HARBORDB_DSN=mysql://%s@%s:%d/%s", s.User, s.Host, s.Port, s.Database))
	return cmd
}

// succeed runs the program and returns what it said.
func succeed(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// killPoints are the fractions of a run at which it is killed. The catalog and
// the hold are most of what passes of a small database.
var killPoints = []float64{0.1, 0.4, 0.7, 0.9, 0.96, 0.99}

// A backup that is killed at any point, with the lock in hand or not, locks
// nobody out and is never listed; a later one sweeps what it left.
func TestMySQLBackupKilledAtAnyPoint(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			proxy := dbtest.NewProxy(t, server)
			over := proxy.Settings(settings.Database)
			folder := filepath.Join(t.TempDir(), "store")
			succeed(t, mySQLProgram(t, over, folder, "backup"))
			length := proxy.Passed(dbtest.ToClient)
			store, err := dir.Open(folder)
			check(t, err)
			killed := 0
			for _, at := range killPoints {
				if killAt(t, mySQLProgram(t, over, folder, "backup"), proxy, dbtest.ToClient, int64(at*float64(length))) {
					killed++
				}
				requireOnlyGood(t, store)
				server.Exec(t, settings.Database, "UPDATE project SET deleted = 0; ALTER TABLE project COMMENT 'changed'")
			}
			if killed < len(killPoints)/2 {
				t.Errorf("only %d of %d were killed", killed, len(killPoints))
			}
			later := time.Now().Add(time.Hour)
			_, err = snapshots.Sweep(t.Context(), store, later)
			check(t, err)
			entries, err := snapshots.List(t.Context(), store, later)
			check(t, err)
			requireNothingButSnapshots(t, folder, entries)
		})
	}
}

// A restore that is killed at any point leaves the live database as it was, or
// swapped as a whole, or says that the swap was cut off and undoes it; the next
// one names what was left and drops it.
func TestMySQLRestoreKilledAtAnyPoint(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			server.Exec(t, settings.Database, extras)
			proxy := dbtest.NewProxy(t, server)
			k := &killedRestore{t: t, server: server, settings: settings, over: proxy.Settings(settings.Database),
				folder: filepath.Join(t.TempDir(), "store"), seen: map[string]int{}}
			k.backup("DROP VIEW a_view; DELETE FROM audit; CREATE TABLE newer (x int); INSERT INTO newer VALUES (1)")
			from := proxy.Passed(dbtest.ToServer)
			k.run("restore", "latest", "--allow-unknown-objects")
			length := proxy.Passed(dbtest.ToServer) - from
			k.run("restore", "--rollback")
			k.run("restore", "--discard")
			for _, at := range killPoints {
				cmd := mySQLProgram(t, k.over, k.folder, "restore", "latest", "--allow-unknown-objects")
				killAt(t, cmd, proxy, dbtest.ToServer, int64(at*float64(length)))
				k.mend(fmt.Sprintf("killed at %.1f %%", at*100))
			}
			t.Logf("how the killed ones ended: %v", k.seen)
		})
	}
}

// killedRestore is a database before and after a restore, and what became of
// it.
type killedRestore struct {
	t              *testing.T
	server         *dbtest.Server
	settings, over database.Settings
	folder         string
	live, restored dbtest.Contents
	seen           map[string]int // how often a kill ended in which way
}

func (k *killedRestore) run(args ...string) string {
	k.t.Helper()
	return succeed(k.t, mySQLProgram(k.t, k.over, k.folder, args...))
}

// mend does what the words of the program say, and leaves the database as
// it was before the restore.
func (k *killedRestore) mend(when string) {
	t := k.t
	t.Helper()
	waitUntil(func() bool { return len(loading(t, k.settings)) == 0 }) // sessions of killed programs end
	left := map[target.BesideKind][]string{}
	for _, b := range beside(t, k.settings) {
		left[b.Kind] = append(left[b.Kind], b.Name)
	}
	ended := "untouched"
	switch {
	case len(left[target.Interrupted]) > 0:
		ended = "cut off"
		if out, err := mySQLProgram(t, k.over, k.folder, "restore", "latest", "--allow-unknown-objects").CombinedOutput(); err == nil ||
			!strings.Contains(string(out), "restore --rollback") {
			t.Errorf("%s: the next restore says %s", when, out)
		}
		k.run("restore", "--rollback")
	case len(left[target.SetAside]) > 0:
		ended = "swapped"
		dbtest.RequireSame(t, k.restored, mySQLContents(t, k.server, k.settings.Database))
		k.run("restore", "--rollback")
	}
	k.seen[ended]++
	dbtest.RequireSame(t, k.live, mySQLContents(t, k.server, k.settings.Database))
	if out := k.run("restore", "latest", "--allow-unknown-objects"); ended == "untouched" {
		for _, name := range left[target.Dead] {
			if !strings.Contains(out, name) {
				t.Errorf("%s: %s is dropped and not named:\n%s", when, name, out)
			}
		}
	}
	k.run("restore", "--rollback")
	dbtest.RequireSame(t, k.live, mySQLContents(t, k.server, k.settings.Database))
	for _, b := range beside(t, k.settings) {
		k.run("restore", "--discard", b.Name)
	}
	if list := beside(t, k.settings); len(list) > 0 {
		t.Fatalf("%s: left: %v", when, list)
	}
}

// A restore that is killed while the server waits to move the tables: the
// server moves them all, later and alone, or none where its session ends, too.
// Views and triggers that are missing then the next run puts right.
func TestMySQLRestoreKilledWhileTheTablesWait(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			k := &killedRestore{t: t, server: server, settings: settings, over: server.TCP(settings.Database),
				folder: filepath.Join(t.TempDir(), "store"), seen: map[string]int{}}
			k.backup("DELETE FROM harbor_label")
			k.killWaiting(func() {})
			server.Exec(t, settings.Database, extras)
			k.backup("DELETE FROM audit")
			k.killWaiting(func() {})
			k.killWaiting(func() {
				id := number(t, server, "", "SELECT id FROM information_schema.processlist WHERE info LIKE 'RENAME TABLE%'")
				server.Exec(t, "", fmt.Sprintf("KILL %d", id))
			})
			if k.seen["swapped"] != 1 || k.seen["cut off"] != 2 {
				t.Errorf("the killed ones ended %v", k.seen)
			}
		})
	}
}

// backup takes a snapshot and changes the database afterwards.
func (k *killedRestore) backup(change string) {
	k.t.Helper()
	k.run("backup")
	k.restored = mySQLContents(k.t, k.server, k.settings.Database)
	k.server.Exec(k.t, k.settings.Database, change)
	k.live = mySQLContents(k.t, k.server, k.settings.Database)
}

// killWaiting kills a restore while a reader of a table is in the way of
// RENAME TABLE, and lets the reader go after that.
func (k *killedRestore) killWaiting(then func()) {
	t := k.t
	t.Helper()
	reader := k.server.Open(t, "")
	defer reader.Close()
	tx, err := reader.BeginTx(t.Context(), nil)
	check(t, err)
	_, err = tx.ExecContext(t.Context(), "DO (SELECT COUNT(*) FROM `"+k.settings.Database+"`.access_log)")
	check(t, err)
	cmd := mySQLProgram(t, k.over, k.folder, "restore", "latest", "--allow-unknown-objects")
	check(t, cmd.Start())
	renames := "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'RENAME TABLE%'"
	waitUntil(func() bool { return number(t, k.server, "", renames+" AND state LIKE 'Waiting for%'") > 0 })
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	then()
	check(t, tx.Commit())
	waitUntil(func() bool { return number(t, k.server, "", renames) == 0 })
	k.mend("while the tables wait")
}
