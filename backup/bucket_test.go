package backup_test

import (
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// The program is killed at any point while it writes to a bucket: what is
// listed verifies, and a sweep leaves nothing else.
func TestBackupToABucketKilledAtAnyPoint(t *testing.T) {
	backend := s3mem.New()
	check(t, backend.CreateBucket("harbor"))
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	defer bucket.Close()
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	proxy := dbtest.NewProxy(t, server)
	toBucket := func(over database.Settings) *exec.Cmd {
		cmd := program(t, over, "s3://harbor/here?endpoint="+bucket.URL, "backup", "--recipient", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
		cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=s", "TMPDIR="+t.TempDir())
		return cmd
	}
	over := proxy.Settings(settings.Database)
	if out, err := toBucket(over).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	length := proxy.Passed(dbtest.ToClient)
	for _, at := range []float64{0.3, 0.7, 0.95, 0.999} {
		cmd := toBucket(over)
		killAt(t, cmd, proxy, dbtest.ToClient, int64(at*float64(length)))
		if left, _ := filepath.Glob(filepath.Join(cmd.Env[len(cmd.Env)-1][len("TMPDIR="):], "*")); len(left) > 0 {
			t.Errorf("%v are left in clear", left)
		}
	}
	store, err := s3.Open(s3.Config{Bucket: "harbor", Prefix: "here", Endpoint: bucket.URL, Credentials: s3.Credentials{AccessKey: "a", SecretKey: remote.Secret(canary.New())}})
	check(t, err)
	defer store.Close()
	later := time.Now().Add(time.Hour)
	_, err = snapshots.Sweep(t.Context(), store, later)
	check(t, err)
	requireWholeBucket(t, store, later)
}

// requireWholeBucket fails where a bucket holds anything but whole snapshots.
func requireWholeBucket(t *testing.T, store blobstore.Reader, now time.Time) {
	t.Helper()
	entries, err := snapshots.List(t.Context(), store, now)
	check(t, err)
	belong := 0
	for _, e := range entries {
		v, err := snapshots.Verify(t.Context(), store, e.ID, backup.Renderer, 2, progress.Discard)
		check(t, err)
		if len(v.Problems) > 0 {
			t.Errorf("%s: %v", e.ID, v.Problems)
		}
		belong += v.Objects + 2 // the manifest and SHA256SUMS
	}
	there := 0
	check(t, store.List(t.Context(), blobstore.Range{}, func(blobstore.Object) error { there++; return nil }))
	check(t, store.Uploads(t.Context(), "", func(u blobstore.Upload) error { t.Errorf("an upload of %s is left", u.Key); return nil }))
	if len(entries) == 0 || there != belong {
		t.Errorf("%d objects, of which %d belong to %d snapshots", there, belong, len(entries))
	}
}
