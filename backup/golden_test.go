package backup_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// Every snapshot in testdata/golden, as some earlier harbordb wrote it, still
// verifies and is still restored. Where it does not verify because a renderer
// says the same in other words now, snapshots.Rendering has to be raised, and
// a snapshot of the new revision laid beside the old ones.
func TestEveryOlderSnapshotIsStillRead(t *testing.T) {
	store := goldenStore(t)
	keyFile, err := os.Open(filepath.Join("testdata", "golden", "key.txt"))
	check(t, err)
	keys, err := snapshots.ParseIdentities(keyFile)
	check(t, err)
	entries, err := snapshots.List(t.Context(), store, time.Now())
	check(t, err)
	revisions := map[string]int{}
	for _, e := range entries {
		t.Run(e.Manifest.Label, func(t *testing.T) {
			v, err := snapshots.Verify(t.Context(), store, e.ID, backup.Renderer, 2, progress.Discard, keys...)
			check(t, err)
			if len(v.Problems) > 0 || v.Depth != snapshots.DepthContents {
				t.Errorf("%s: %v", v.Depth, v.Problems)
			}
			restoreGolden(t, store, e, keys)
		})
		revisions[e.Manifest.Source.Engine] = max(revisions[e.Manifest.Source.Engine], e.Manifest.Rendering)
	}
	for _, engine := range []database.Engine{database.PostgreSQL, database.MySQL} {
		if revisions[string(engine)] != snapshots.Rendering {
			t.Errorf("no snapshot of %s is of the rendering %d", engine, snapshots.Rendering)
		}
	}
}

func restoreGolden(t *testing.T, store *dir.Store, e snapshots.Entry, keys []age.Identity) {
	servers := map[string]func(testing.TB) *dbtest.Server{
		string(database.PostgreSQL): dbtest.PostgreSQL, string(database.MySQL): dbtest.MariaDB,
	}
	server := servers[e.Manifest.Source.Engine](t)
	s, err := snapshots.Open(t.Context(), store, e.ID, keys...)
	check(t, err)
	for _, d := range s.Manifest.Contents.Databases {
		here := server.CreateDatabase(t)
		putBackSet(t, here, s, target.Options{Mode: target.Keep, Name: here.Database}, d.Name)
	}
}

// goldenStore copies the snapshots to where nobody else can write.
func goldenStore(t *testing.T) *dir.Store {
	t.Helper()
	store := newStore(t)
	golden := os.DirFS(filepath.Join("testdata", "golden"))
	check(t, fs.WalkDir(golden, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasPrefix(name, "snapshots/") {
			return err
		}
		data, err := fs.ReadFile(golden, name)
		if err != nil {
			return err
		}
		path := filepath.Join(store.String(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	}))
	return store
}
