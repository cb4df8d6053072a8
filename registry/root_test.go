package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
)

// tree writes empty files and returns the folder that they are in.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	top := t.TempDir()
	for _, name := range names {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func openDir(t *testing.T, path string) *countedStore {
	t.Helper()
	r, err := dir.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &countedStore{Reader: r}
}

// countedStore counts listings.
type countedStore struct {
	blobstore.Reader
	lists int
}

func (s *countedStore) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	s.lists++
	return s.Reader.List(ctx, in, each)
}

func TestFindRootFromEverySpelling(t *testing.T) {
	blob := BlobPath(digestA)
	for behaviour, test := range map[string]struct {
		at    string // where the tree lies below the data volume
		given string // what the user names, relative to the same
	}{
		"root directory":                        {"registry", "registry"},
		"the tree itself":                       {"registry", "registry/docker/registry/v2"},
		"data volume of Harbor":                 {"registry", "."},
		"docker folder":                         {"registry", "registry/docker"},
		"docker/registry folder":                {"registry", "registry/docker/registry"},
		"root directory called docker/registry": {"docker/registry", "."},
		"root directory is the volume":          {"", "."},
		"above the root directory of Swift":     {"files", "."},
		"deep below what was given":             {"volumes/17/mnt/images", "."},
	} {
		t.Run(behaviour, func(t *testing.T) {
			top := tree(t, filepath.Join(test.at, rootPath, blob), "job_logs/1.log", "secret/key")
			store := openDir(t, filepath.Join(top, test.given))
			root, err := FindRoot(t.Context(), store)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Head(t.Context(), root.Prefix+blob); err != nil {
				t.Errorf("prefix %q: %v", root.Prefix, err)
			}
		})
	}
}

func TestFindRootCostsOneListingWhereTheSettingsAreRight(t *testing.T) {
	store := openDir(t, tree(t, rootPath+BlobPath(digestA), rootPath+LayerPath("a", digestA)))
	if _, err := FindRoot(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if store.lists != 1 {
		t.Errorf("%d listings", store.lists)
	}
}

func TestFindRootNamesSwiftsSegments(t *testing.T) {
	store := openDir(t, tree(t, "files/"+rootPath+BlobPath(digestA)))
	root, err := FindRoot(t.Context(), store)
	if err != nil || root.Segments != "segments/" {
		t.Errorf("root %+v, %v", root, err)
	}
}

func TestFindRootWithoutARegistrySaysWhatIsThere(t *testing.T) {
	for behaviour, test := range map[string]struct {
		names []string
		says  []string
	}{
		"nothing at all":   {nil, []string{"is empty"}},
		"something else":   {[]string{"database/PG_VERSION", "redis/dump.rdb"}, []string{"database, redis", "docker/registry/v2"}},
		"two registries":   {[]string{"x/a/" + rootPath + BlobPath(digestA), "x/b/" + rootPath + BlobPath(digestA)}, []string{"several", "x/a/docker", "x/b/docker"}},
		"very many others": {many(400), []string{"docker/registry/v2"}},
	} {
		t.Run(behaviour, func(t *testing.T) {
			store := openDir(t, tree(t, test.names...))
			_, err := FindRoot(t.Context(), store)
			if err == nil {
				t.Fatal("found a root")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if fault.HintOf(err) == "" {
				t.Error("no hint")
			}
			if store.lists > searchRequests+2*len(nearby) {
				t.Errorf("%d listings", store.lists)
			}
		})
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("folder-%d/file", i))
	}
	return names
}

// refusing is a store whose keys are wrong.
type refusing struct{ blobstore.Reader }

func (refusing) List(context.Context, blobstore.Range, func(blobstore.Object) error) error {
	return fmt.Errorf("list: %w", blobstore.ErrDenied)
}
func (refusing) Get(context.Context, string, int64) (io.ReadCloser, error) {
	return nil, blobstore.ErrDenied
}
func (refusing) String() string { return "s3://b" }

func TestFindRootPassesARefusalOn(t *testing.T) {
	if _, err := FindRoot(t.Context(), refusing{}); !errors.Is(err, blobstore.ErrDenied) {
		t.Errorf("error %v", err)
	}
}

func TestTrimRoot(t *testing.T) {
	for given, want := range map[string]string{
		"/data/registry":                                           "/data/registry",
		"/data/registry/docker/registry/v2":                        "/data/registry/docker/registry/v2",
		"/data/registry/docker/registry/v2/blobs/sha256/9b":        "/data/registry/docker/registry/v2",
		"/docker/registry/docker/registry/v2/repositories/library": "/docker/registry/docker/registry/v2",
		"/data/registry/docker/registry/v2-old":                    "/data/registry/docker/registry/v2-old",
		"docker/registry/v2/repositories":                          "docker/registry/v2",
		"prefix/files/docker/registry/v2/repositories/a/_layers":   "prefix/files/docker/registry/v2",
		"": "",
	} {
		if got := TrimRoot(given); got != want {
			t.Errorf("TrimRoot(%q) = %q, want %q", given, got, want)
		}
	}
}
