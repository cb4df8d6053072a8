package orphans_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// scanFake scans a bucket as the program does, with its defaults.
func scanFake(t testing.TB, store *fake, db *orphans.Database, change ...func(*orphans.Options)) *orphans.Report {
	t.Helper()
	store.calls.Store(0)
	store.lists.Store(0)
	store.heads.Store(0)
	store.gets.Store(0)
	tree, err := registry.Open(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	bucket := func(o *orphans.Options) { o.Split = 0 }
	return scanTree(t, tree, db, append([]func(*orphans.Options){bucket}, change...)...)
}

func TestAThousandTagsCostAFewListings(t *testing.T) {
	const tags = 1000
	store := newFake()
	store.writeImages(t, "", tags)
	h := newHarbor(t, newestSchema)
	h.pushImages(t, tags)
	cache := func(o *orphans.Options) { o.CacheDir = t.TempDir() }
	folder := t.TempDir()
	cached := func(o *orphans.Options) { o.CacheDir = folder }
	for _, step := range []struct {
		name string
		db   *orphans.Database
		use  func(*orphans.Options)
		gets int64
	}{
		{"with the database", h.database(), cache, 0},
		{"without it", nil, cached, tags},
		{"without it, a second time", nil, cached, 0},
	} {
		r := scanFake(t, store, step.db, step.use)
		expect(t, r)
		if lists, gets := store.lists.Load(), store.gets.Load(); lists > 16 || gets > step.gets || store.heads.Load() > 0 {
			t.Errorf("%s: %d LIST, %d GET, %d HEAD; at most 16, %d and 0", step.name, lists, gets, store.heads.Load(), step.gets)
		}
		if r.Stats.Manifests != tags || r.Stats.Tags != tags {
			t.Errorf("%s: %+v", step.name, r.Stats)
		}
	}
}

func TestListingsGrowWithTheKeysAlone(t *testing.T) {
	const tags = 8000
	store := newFake()
	store.writeImages(t, "", tags)
	keys := int64(len(store.objects))
	cache := t.TempDir()
	use := func(o *orphans.Options) { o.CacheDir = cache }
	for _, split := range []int{0, 20_000, 50_000} {
		r := scanFake(t, store, nil, use, func(o *orphans.Options) { o.Split = split })
		expect(t, r)
		if lists, shards := store.lists.Load(), store.calls.Load(); lists > keys*11/10/1000+shards {
			t.Errorf("split after %d: %d LIST for %d keys in %d shards", split, lists, keys, shards)
		}
		if r.Stats.Keys != keys {
			t.Errorf("%d keys were listed, there are %d", r.Stats.Keys, keys)
		}
	}
}

func TestASuspectCostsTwoRequests(t *testing.T) {
	const tags = 200
	store := newFake()
	store.writeImages(t, "", tags)
	h := newHarbor(t, newestSchema)
	h.pushImages(t, tags)
	var suspects int64
	eachImage(tags, func(repository, tag string, config []byte, layers [][]byte, manifest []byte) {
		switch suspects {
		case 0:
			store.remove(treeRoot + registry.BlobPath(digestOf(manifest)))
		case 1:
			store.remove(treeRoot + registry.BlobPath(digestOf(layers[5])))
		case 2:
			store.put(treeRoot+registry.BlobPath(digestOf(config)), []byte("short"))
		case 3:
			store.remove(treeRoot + registry.LayerPath(repository, digestOf(layers[5])))
		case 4:
			store.remove(treeRoot + registry.RevisionPath(repository, digestOf(manifest)))
		default:
			return
		}
		suspects++
	})
	for name, db := range map[string]*orphans.Database{"with": h.database(), "without": nil} {
		r := scanFake(t, store, db)
		if int64(len(r.Findings)) != suspects {
			t.Errorf("%s the database: %d findings: %s", name, len(r.Findings), details(r))
		}
		requests := store.heads.Load() + store.gets.Load()
		if db == nil {
			requests -= tags // the manifests
		}
		if requests > 2*r.Stats.Suspects {
			t.Errorf("%s the database: %d requests for %d suspects", name, requests, r.Stats.Suspects)
		}
	}
}

// TestListingsWithoutTrueMD5s: encrypted buckets show something else, some
// gateways nothing.
func TestListingsWithoutTrueMD5s(t *testing.T) {
	const tags = 300
	for name, sum := range map[string]func([]byte) []byte{
		"encrypted": func([]byte) []byte {
			sum := make([]byte, 16)
			_, _ = rand.Read(sum)
			return sum
		},
		"multipart": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			store := newFake()
			store.sum = sum
			store.writeImages(t, "", tags)
			r := scanFake(t, store, nil)
			expect(t, r)
			if r.Stats.LinksRead > 1000 {
				t.Errorf("%d links were read", r.Stats.LinksRead)
			}
			// A link that has the right size and the wrong content is
			// found by a deep scan, one of another size by any.
			var names []string
			eachImage(2, func(repository, tag string, _ []byte, _ [][]byte, manifest []byte) {
				names = append(names, treeRoot+registry.RevisionPath(repository, digestOf(manifest)))
			})
			store.put(names[0], []byte{})
			expect(t, scanFake(t, store, nil), "R2 library/app-0:v1.0")
			store.put(names[1], make([]byte, 71))
			expect(t, scanFake(t, store, nil, func(o *orphans.Options) { o.Depth = orphans.Manifests }),
				"R2 library/app-0:v1.0", "R2 library/app-0:v1.1")
		})
	}
}

func TestTheCacheIsOnlyBelievedWhereItIsWhole(t *testing.T) {
	const tags = 60
	store := newFake()
	store.writeImages(t, "", tags)
	folder := t.TempDir()
	use := func(o *orphans.Options) { o.CacheDir = folder }
	scanFake(t, store, nil, use)
	files, err := os.ReadDir(folder)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cache: %v", err)
	}
	for i, file := range files {
		path := fmt.Sprintf("%s/%s", folder, file.Name())
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			content[len(content)/2+20] ^= 1
		case 1:
			content = content[:len(content)-3]
		case 2:
			content[0] = 'x'
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := scanFake(t, store, nil, use)
	expect(t, r)
	if r.Stats.ManifestReads == 0 || r.Stats.Manifests != tags {
		t.Errorf("a damaged cache was believed: %+v", r.Stats)
	}
	if r := scanFake(t, store, nil, use); r.Stats.ManifestReads != 0 {
		t.Errorf("the cache was not mended: %d reads", r.Stats.ManifestReads)
	}
}

func TestACacheThatCannotBeUsedIsOnlySlow(t *testing.T) {
	const tags = 60
	store := newFake()
	store.writeImages(t, "", tags)
	inTheWay := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := t.TempDir()
	for first := range 256 {
		if err := os.Mkdir(fmt.Sprintf("%s/sha256-%02x", taken, first), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{filepath.Join(inTheWay, "cache"), taken} {
		r := scanFake(t, store, nil, func(o *orphans.Options) { o.CacheDir = folder })
		expect(t, r)
		if r.CacheError == "" || r.Stats.ManifestReads != tags {
			t.Errorf("error %q, %d manifests read", r.CacheError, r.Stats.ManifestReads)
		}
	}
}

func TestWhatCannotBeReadIsNotMissing(t *testing.T) {
	const tags = 1200 // in three repositories
	failed := fmt.Errorf("disk: %w", blobstore.ErrDenied)
	part := func(prefix string) func(string) error {
		return func(key string) error {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				return &blobstore.Unreadable{Prefix: prefix, Err: failed}
			}
			return nil
		}
	}
	after := func(limit string) func(string) error {
		return func(key string) error {
			if key > limit && key < treeRoot+"repositories/" {
				return failed
			}
			return nil
		}
	}
	for name, fail := range map[string]func(string) error{
		"some blobs":        part(treeRoot + "blobs/sha256/3"),
		"half of the blobs": after(treeRoot + "blobs/sha256/80"),
		"all blobs":         part(treeRoot + "blobs/"),
		"a repository":      part(treeRoot + "repositories/library/app-1/"),
		"a tag":             part(treeRoot + "repositories/library/app-1/_manifests/tags/v1.7/"),
		"links of layers":   part(treeRoot + "repositories/library/app-0/_layers/"),
		"revisions":         part(treeRoot + "repositories/library/app-0/_manifests/revisions/"),
		"current link":      part(treeRoot + "repositories/library/app-2/_manifests/tags/v1.7/current/"),
	} {
		t.Run(name, func(t *testing.T) {
			store := newFake()
			store.writeImages(t, "", tags)
			tree, err := registry.Open(t.Context(), store)
			if err != nil {
				t.Fatal(err)
			}
			store.fail = fail
			h := newHarbor(t, newestSchema)
			h.pushImages(t, tags)
			for _, db := range []*orphans.Database{nil, h.database()} {
				r := scanTree(t, tree, db)
				if r.Complete || len(r.Gaps) == 0 {
					t.Error("the report says that it is complete")
				}
				if len(r.Findings) > 0 || r.Implausible != "" || len(r.Waste) > 0 {
					t.Errorf("implausible: %q, waste: %+v, findings: %s", r.Implausible, r.Waste, details(r))
				}
			}
		})
	}
}
