package backup_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newStore(t testing.TB) *dir.Store {
	t.Helper()
	store, err := dir.Create(filepath.Join(t.TempDir(), "store"))
	check(t, err)
	return store
}

func open(t testing.TB, settings database.Settings) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), settings)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// take takes a snapshot with two jobs and returns it.
func take(t testing.TB, settings database.Settings, store *dir.Store, options backup.Options) *snapshots.Snapshot {
	t.Helper()
	db := open(t, settings)
	defer db.Close()
	id, err := tryTake(t.Context(), db, store, options)
	check(t, err)
	s, err := snapshots.Open(t.Context(), store, id)
	check(t, err)
	return s
}

func tryTake(ctx context.Context, db *database.DB, store *dir.Store, options backup.Options) (snapshots.ID, error) {
	options.Jobs, options.Tool = 2, "test"
	d, err := backup.Open(ctx, db, options)
	if err != nil {
		return "", err
	}
	defer d.Close()
	id, err := snapshots.NewID(d.Time(), rand.Reader)
	if err != nil {
		return "", err
	}
	w, err := snapshots.NewWriter(ctx, store, id, nil)
	if err != nil {
		return "", err
	}
	_, err = d.Write(ctx, w, progress.Discard)
	return id, err
}

// putBack restores a snapshot on the server of settings.
func putBack(t testing.TB, settings database.Settings, s *snapshots.Snapshot, o target.Options) target.Result {
	t.Helper()
	result, err := tryPutBack(t.Context(), settings, s, o)
	check(t, err)
	return result
}

func tryPutBack(ctx context.Context, settings database.Settings, s *snapshots.Snapshot, o target.Options) (target.Result, error) {
	server, err := backup.OpenServer(ctx, settings)
	if err != nil {
		return target.Result{}, err
	}
	defer server.Close()
	content, err := backup.Content(s)
	if err != nil {
		return target.Result{}, err
	}
	if o.Jobs == 0 {
		o.Jobs = 2
	}
	restore, err := server.Plan(ctx, s, content, o)
	if err != nil {
		return target.Result{}, err
	}
	if err := restore.Load(ctx, progress.Discard); err != nil {
		return target.Result{}, err
	}
	return restore.Swap(ctx)
}

// verified fails the test where the snapshot does not verify.
func verified(t testing.TB, store *dir.Store, id snapshots.ID) {
	t.Helper()
	v, err := snapshots.Verify(t.Context(), store, id, backup.Renderer, 2, progress.Discard)
	check(t, err)
	if len(v.Problems) > 0 {
		t.Fatalf("snapshot does not verify: %v", v.Problems)
	}
}

// named is settings with another database.
func named(s database.Settings, name string) database.Settings {
	s.Database = name
	return s
}

// spare drops the database of that name at the end of the test.
func spare(t testing.TB, server *dbtest.Server, name string) string {
	t.Helper()
	server.DropDatabase(t, name)
	return name
}

func entryByID(t testing.TB, store *dir.Store, id snapshots.ID) *snapshots.Snapshot {
	t.Helper()
	s, err := snapshots.Open(t.Context(), store, id)
	check(t, err)
	return s
}
