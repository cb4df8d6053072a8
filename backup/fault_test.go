package backup_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// binary is the program, built once for the tests that kill it.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "harbordb-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "harbordb")
	out, err := exec.Command("go", "build", "-o", path, "github.com/harbordb/harbordb/cmd/harbordb").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// program returns a call of the program over the proxy.
func program(t *testing.T, s database.Settings, store string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	check(t, err)
	cmd := exec.Command(path, append(args, "--store", store, "--yes", "--no-progress", "--jobs", "2")...)
	cmd.Env = []string{"HOME=" + t.TempDir(), fmt.Sprintf("HARBORDB_DSN=postgres://%s@%s:%d/%s?sslmode=disable", s.User, s.Host, s.Port, s.Database)}
	return cmd
}

// killAt runs the program and kills it once that many bytes have passed. It
// tells whether the program was still running.
func killAt(t *testing.T, cmd *exec.Cmd, proxy *dbtest.Proxy, d dbtest.Direction, bytes int64) bool {
	t.Helper()
	from := proxy.Passed(d)
	check(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for proxy.Passed(d)-from < bytes {
		select {
		case <-ended:
			return false
		case <-tick.C:
		}
	}
	check(t, cmd.Process.Kill())
	<-ended
	return true
}

// points are the fractions of a run at which it is killed or cut.
var points = []float64{0.02, 0.3, 0.6, 0.9, 0.99}

// A backup that is killed at any point is never listed as a snapshot; the next
// one sweeps what it left, once its lease is dead.
func TestBackupKilledAtAnyPoint(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	proxy := dbtest.NewProxy(t, server)
	over := proxy.Settings(settings.Database)
	folder := filepath.Join(t.TempDir(), "store")
	out, err := program(t, over, folder, "backup").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	length := proxy.Passed(dbtest.ToClient)
	store, err := dir.Open(folder)
	check(t, err)
	for _, at := range points {
		killAt(t, program(t, over, folder, "backup"), proxy, dbtest.ToClient, int64(at*float64(length)))
		requireOnlyGood(t, store)
	}
	later := time.Now().Add(time.Hour)
	_, err = snapshots.Sweep(t.Context(), store, later)
	check(t, err)
	entries, err := snapshots.List(t.Context(), store, later)
	check(t, err)
	for _, e := range entries {
		if e.Unfinished {
			t.Errorf("%s is left after the sweep", e.ID)
		}
	}
	requireNothingButSnapshots(t, folder, entries)
}

// requireOnlyGood fails where a snapshot is listed that does not verify.
func requireOnlyGood(t *testing.T, store *dir.Store) {
	t.Helper()
	entries, err := snapshots.List(t.Context(), store, time.Now())
	check(t, err)
	for _, e := range entries {
		if e.Unfinished {
			continue
		}
		if !e.Good() {
			t.Errorf("%s: %s", e.ID, e.Problem)
		}
		verified(t, store, e.ID)
	}
}

// requireNothingButSnapshots fails where a file belongs to no snapshot.
func requireNothingButSnapshots(t *testing.T, folder string, entries []snapshots.Entry) {
	t.Helper()
	belongs := map[string]bool{}
	for _, e := range entries {
		for _, o := range e.Manifest.Objects {
			belongs[snapshots.Key(e.ID, o.Name)] = true
		}
		belongs[snapshots.Key(e.ID, snapshots.ManifestName)] = true
		belongs[snapshots.Key(e.ID, snapshots.SumsName)] = true
	}
	check(t, filepath.WalkDir(folder, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !belongs[strings.TrimPrefix(p, folder+"/")] {
			t.Errorf("%s is left", p)
		}
		return err
	}))
}

// A restore that is killed at any point leaves the live database as it was;
// the next one sweeps what it left, and succeeds.
func TestRestoreKilledAtAnyPoint(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	proxy := dbtest.NewProxy(t, server)
	over := proxy.Settings(settings.Database)
	folder := filepath.Join(t.TempDir(), "store")
	if out, err := program(t, over, folder, "backup").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server.Exec(t, settings.Database, "INSERT INTO properties (k, v) VALUES ('after', 'the snapshot')")
	live := contents(t, server, settings.Database)
	from := proxy.Passed(dbtest.ToServer)
	if out, err := program(t, over, folder, "restore", "--drill", "latest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	length := proxy.Passed(dbtest.ToServer) - from
	for _, at := range points {
		if killAt(t, program(t, over, folder, "restore", "latest"), proxy, dbtest.ToServer, int64(at*float64(length))) {
			dbtest.RequireSame(t, live, contents(t, server, settings.Database))
		}
	}
	for deadline := time.NewTimer(time.Minute); len(loading(t, settings)) > 0; { // sessions of killed programs end
		select {
		case <-deadline.C:
			t.Fatal("a killed restore still seems to be loading")
		default:
		}
	}
	out, err := program(t, over, folder, "restore", "latest", "--disconnect").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, b := range beside(t, settings) {
		if b.Kind != target.SetAside {
			t.Errorf("%s is left, %s", b.Name, b.Kind)
		}
	}
}

func loading(t *testing.T, settings database.Settings) (names []string) {
	t.Helper()
	for _, b := range beside(t, settings) {
		if b.Kind == target.Loading {
			names = append(names, b.Name)
		}
	}
	return names
}

// A connection that is cut at any point fails the backup, and leaves nothing.
func TestBackupCutAtAnyPoint(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	proxy := dbtest.NewProxy(t, server)
	over := proxy.Settings(settings.Database)
	take(t, over, newStore(t), backup.Options{})
	length := proxy.Passed(dbtest.ToClient)
	for _, at := range points {
		store := newStore(t)
		proxy.CutAfter(dbtest.ToClient, int64(at*float64(length)))
		err := func() error {
			db, err := database.Open(t.Context(), over)
			if err != nil {
				return err
			}
			defer db.Close()
			_, err = tryTake(t.Context(), db, store, backup.Options{})
			return err
		}()
		if err != nil {
			requireEmptyStore(t, store.String())
		} else {
			requireOnlyGood(t, store) // the cut hit a connection that had done its work
		}
	}
}

// A connection that is cut at any point fails the restore; the live database
// is as it was, and what could not be dropped is named.
func TestRestoreCutAtAnyPoint(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	s := take(t, settings, newStore(t), backup.Options{})
	server.Exec(t, settings.Database, "INSERT INTO properties (k, v) VALUES ('after', 'the snapshot')")
	live := contents(t, server, settings.Database)
	proxy := dbtest.NewProxy(t, server)
	over := proxy.Settings(settings.Database)
	putBack(t, over, s, target.Options{Mode: target.Drill, Name: settings.Database})
	length := proxy.Passed(dbtest.ToServer)
	for _, at := range points {
		proxy.CutAfter(dbtest.ToServer, int64(at*float64(length)))
		_, err := tryPutBack(t.Context(), over, s, target.Options{Mode: target.Drill, Name: settings.Database})
		if err == nil {
			continue
		}
		dbtest.RequireSame(t, live, contents(t, server, settings.Database))
		for _, b := range beside(t, settings) {
			if !strings.Contains(err.Error(), b.Name) {
				t.Errorf("cut at %.0f %%: %s is left and not named: %v", at*100, b.Name, err)
			}
			server.Exec(t, "postgres", `DROP DATABASE "`+b.Name+`" WITH (FORCE)`)
		}
	}
}

// Interrupting a restore ends it at once and leaves nothing.
func TestRestoreInterrupted(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 180)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	on, err := backup.OpenServer(ctx, settings)
	check(t, err)
	defer on.Close()
	content, err := backup.Content(s)
	check(t, err)
	restore, err := on.Plan(ctx, s, content, target.Options{Mode: target.SwapIn, Name: settings.Database, Jobs: 2})
	check(t, err)
	if err := restore.Load(ctx, &canceller{cancel: cancel}); err == nil {
		t.Fatal("no error")
	}
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A full disk at the server fails the restore and leaves the live database.
func TestRestoreOntoAFullDisk(t *testing.T) {
	from := dbtest.PostgreSQL(t)
	settings := filled(t, from, 180)
	from.Exec(t, settings.Database, "CREATE TABLE large AS SELECT i, repeat(md5(i::text), 30) AS v FROM generate_series(1, 60000) i")
	s := take(t, settings, newStore(t), backup.Options{})
	small := dbtest.StartPostgreSQL(t, dbtest.Options{DiskMB: 60})
	on := small.Settings("registry")
	_, err := tryPutBack(t.Context(), on, s, target.Options{Mode: target.SwapIn, Name: "registry"})
	if err == nil || !strings.Contains(fault.HintOf(err), "the server's disk is full") {
		t.Fatalf("%v", err)
	}
	if left := beside(t, on); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A full disk at the store fails the backup and leaves nothing.
func TestBackupIntoAFullStore(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	server.Exec(t, settings.Database, "CREATE TABLE large AS SELECT i, sha256(i::text::bytea) AS v FROM generate_series(1, 60000) i")
	path, err := binary()
	check(t, err)
	store := filepath.Join(t.TempDir(), "store")
	check(t, os.Mkdir(store, 0o700))
	// The small disk is seen inside the mount namespace alone.
	script := `mount -t tmpfs -o size=1m,mode=0700 tmpfs "$1" && { "$0" backup --store "$1" --no-progress --jobs 2; echo "exit $?"; find "$1" -type f; }`
	cmd := exec.Command("unshare", "-Urm", "sh", "-c", script, path, store)
	cmd.Env = append(os.Environ(), fmt.Sprintf("HARBORDB_DSN=postgres://%s@%s:%d/%s?sslmode=disable", settings.User, "127.0.0.1", server.TCP("").Port, settings.Database))
	out, err := cmd.CombinedOutput()
	check(t, err)
	text := string(out)
	if !strings.Contains(text, "exit 1\n") && !strings.Contains(text, "exit 4\n") || !strings.Contains(text, "space") && !strings.Contains(text, "free") {
		t.Fatalf("%s", text)
	}
	if _, files, _ := strings.Cut(text, "exit "); strings.Contains(files, "/data/") || strings.Contains(files, "manifest") {
		t.Errorf("left: %s", files)
	}
}

func TestRefusalsOfBackupNameWhatIsWrong(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	server.Exec(t, "postgres", `DROP ROLE IF EXISTS harbor_blind; CREATE ROLE harbor_blind LOGIN`)
	blind := settings
	blind.User = "harbor_blind"
	_, err := tryTake(t.Context(), open(t, blind), newStore(t), backup.Options{})
	if err == nil || !strings.Contains(err.Error(), "permission denied") || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

// canceller cancels as soon as rows are loaded.
type canceller struct{ cancel context.CancelFunc }

func (c *canceller) Begin(string, int64, progress.Unit) {}
func (c *canceller) Add(int64)                          { c.cancel() }
