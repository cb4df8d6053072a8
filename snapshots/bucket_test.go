package snapshots_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/snapshots"
)

// onBuckets runs a test on an S3 server in this process and on the S3 API of
// OpenStack Swift. open returns a client of its own for the same bucket, as
// another process would have it.
func onBuckets(t *testing.T, test func(t *testing.T, open func() *s3.Store)) {
	t.Helper()
	run := func(name string, config func(t *testing.T) s3.Config) {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			c.PartSize, c.Prefix, c.Settings.Pause = 5<<20, "some/folder", time.Millisecond
			test(t, func() *s3.Store {
				store, err := s3.Open(c)
				check(t, err)
				t.Cleanup(func() { store.Close() })
				return store
			})
		})
	}
	run("in this process", func(t *testing.T) s3.Config { return fakeBucket(t, nil) })
	run("OpenStack", func(t *testing.T) s3.Config {
		server := registrytest.OpenStack(t)
		return s3.Config{Bucket: server.NewContainer(t), Endpoint: server.S3,
			Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: remote.Secret(server.SecretKey)}}
	})
}

// fakeBucket starts an S3 server; refuse may refuse a request.
func fakeBucket(t *testing.T, refuse func(*http.Request) bool) s3.Config {
	t.Helper()
	backend := s3mem.New()
	check(t, backend.CreateBucket("harbor"))
	handler := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse != nil && refuse(r) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return s3.Config{Bucket: "harbor", Endpoint: server.URL, Credentials: s3.Credentials{AccessKey: "a", SecretKey: remote.Secret(canary.New())}}
}

// large is a table whose object needs several parts of an upload: noise in
// hexadecimal digits.
func large() []table {
	var b strings.Builder
	noise := rand.New(rand.NewPCG(1, 2))
	for b.Len() < 12<<20 {
		fmt.Fprintf(&b, "%016x%016x\n", noise.Uint64(), noise.Uint64())
	}
	return []table{{"noise", []string{b.String()}}}
}

func TestASnapshotInABucket(t *testing.T) {
	onBuckets(t, func(t *testing.T, open func() *s3.Store) {
		store := open()
		if entries := list(t, store, moment); len(entries) != 0 {
			t.Errorf("a new bucket lists %v", entries)
		}
		old := write(t, store, moment, 1, "old", sample)
		id := write(t, store, moment.Add(time.Hour), 2, "large", large())
		if problems := verify(t, open(), id); len(problems) > 0 {
			t.Error(problems)
		}
		var b bytes.Buffer
		_, err := snapshots.Export(t.Context(), store, old, &b, progress.Discard)
		check(t, err)
		plan, err := snapshots.PlanPrune(t.Context(), store, keepOne, time.Now())
		check(t, err)
		check(t, snapshots.Prune(t.Context(), store, plan, progress.Discard))
		if entries := list(t, open(), moment); len(entries) != 1 || entries[0].ID != id {
			t.Errorf("%v", entries)
		}
		_, err = snapshots.ReadImport(t.Context(), store, &b, time.Now(), progress.Discard)
		check(t, err)
		if problems := verify(t, store, old); len(problems) > 0 {
			t.Error(problems)
		}
		check(t, snapshots.Remove(t.Context(), store, old))
		check(t, snapshots.Remove(t.Context(), store, id))
		requireEmptyBucket(t, store)
	})
}

// requireEmptyBucket fails where there is an object or an unfinished upload.
func requireEmptyBucket(t *testing.T, store blobstore.Reader) {
	t.Helper()
	check(t, store.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		t.Errorf("%s is left", o.Key)
		return nil
	}))
	check(t, store.Uploads(t.Context(), "", func(u blobstore.Upload) error {
		t.Errorf("an upload of %s is left", u.Key)
		return nil
	}))
}

// A backup that is killed in the middle of an upload is never listed as a
// snapshot, and is swept, upload and all, once its lease is dead. It is
// aborted without a trace where it can still say so.
func TestAnInterruptedUploadIsNoSnapshot(t *testing.T) {
	text := large()[0].parts[0]
	onBuckets(t, func(t *testing.T, open func() *s3.Store) {
		for _, ending := range []string{"killed", "aborted"} {
			store := open()
			id, err := snapshots.NewID(moment, zeros{1})
			check(t, err)
			w, err := snapshots.NewWriter(t.Context(), store, id, nil)
			check(t, err)
			part := w.NewPartWriter()
			check(t, part.Begin(t.Context(), "data/000001.zst"))
			_, err = part.Write([]byte(text))
			check(t, err)

			other := open()
			if swept, err := snapshots.Sweep(t.Context(), other, time.Now()); err != nil || len(swept) > 0 {
				t.Fatalf("swept the living: %v, %v", swept, err)
			}
			for _, e := range list(t, other, time.Now()) {
				if !e.Unfinished {
					t.Errorf("%+v is listed", e)
				}
			}
			if ending == "aborted" {
				cancelled, cancel := context.WithCancel(t.Context())
				cancel()
				check(t, part.Close())
				check(t, w.Abort(cancelled))
			} else {
				swept, err := snapshots.Sweep(t.Context(), other, time.Now().Add(time.Hour))
				check(t, err)
				if len(swept) != 1 || swept[0].ID != id {
					t.Errorf("swept %v", swept)
				}
			}
			requireEmptyBucket(t, other)
		}
	})
}

// Several processes write, list and sweep one bucket at the same time.
func TestProcessesSideBySideLoseNothing(t *testing.T) {
	onBuckets(t, func(t *testing.T, open func() *s3.Store) {
		const writers = 3
		var working sync.WaitGroup
		ids := make([]snapshots.ID, writers)
		for i := range writers {
			store := open()
			working.Go(func() { ids[i] = write(t, store, moment.Add(time.Duration(i)*time.Minute), byte(i), "", sample) })
		}
		done := make(chan struct{})
		go func() { working.Wait(); close(done) }()
		sweeper := open()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			if swept, err := snapshots.Sweep(t.Context(), sweeper, time.Now()); err != nil || len(swept) > 0 {
				t.Fatalf("swept %v, %v", swept, err)
			}
		}
		for _, id := range ids {
			if problems := verify(t, sweeper, id); len(problems) > 0 {
				t.Error(problems)
			}
		}
	})
}

func TestRotInABucketIsFound(t *testing.T) {
	onBuckets(t, func(t *testing.T, open func() *s3.Store) {
		store := open()
		id := write(t, store, moment, 1, "", sample)
		for _, name := range []string{"manifest.json", "SHA256SUMS", "schema.json", "data/000002.zst"} {
			key := snapshots.Key(id, name)
			whole := get(t, store, key)
			rotten := bytes.Clone(whole)
			rotten[len(rotten)/2] ^= 4
			put(t, store, key, rotten)
			if len(verify(t, store, id)) == 0 {
				t.Errorf("%s: a flipped bit is not found", name)
			}
			check(t, store.Delete(t.Context(), key))
			v, err := snapshots.Verify(t.Context(), store, id, renderer, 1, progress.Discard)
			if err == nil && len(v.Problems) == 0 {
				t.Errorf("%s: its absence is not found", name)
			}
			put(t, store, key, whole)
		}
		if problems := verify(t, store, id); len(problems) > 0 {
			t.Error(problems)
		}
	})
}

func get(t *testing.T, store blobstore.Reader, key string) []byte {
	t.Helper()
	r, err := store.Get(t.Context(), key, 0)
	check(t, err)
	defer r.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(r)
	check(t, err)
	return b.Bytes()
}

func put(t *testing.T, store blobstore.Writer, key string, data []byte) {
	t.Helper()
	w, err := store.Create(t.Context(), key, blobstore.Replace)
	check(t, err)
	_, err = w.Write(data)
	check(t, err)
	check(t, w.Commit())
}

// Rights to write, read and list objects are enough; uploads of others cannot
// be listed then, and are left.
func TestABucketWhoseUploadsMayNotBeListed(t *testing.T) {
	config := fakeBucket(t, func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Query().Has("uploads") })
	store, err := s3.Open(config)
	check(t, err)
	defer store.Close()
	id := write(t, store, moment, 1, "", sample)
	_, err = snapshots.Sweep(t.Context(), store, time.Now())
	check(t, err)
	check(t, snapshots.Remove(t.Context(), store, id))
	if entries := list(t, store, moment); len(entries) > 0 {
		t.Errorf("%v", entries)
	}
}
