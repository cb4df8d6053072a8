package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/blobstore/storetest"
)

func TestStoreContract(t *testing.T) {
	storetest.Store(t, func(t *testing.T) storetest.Target {
		path := filepath.Join(t.TempDir(), "store")
		s := createStore(t, path)
		return storetest.Target{
			Store: s, Many: 300, Large: 64 << 10,
			Leftovers: func(t *testing.T) []string { return leftovers(t, s, path) },
		}
	})
}

func TestReaderContract(t *testing.T) {
	storetest.Reader(t, func(t *testing.T) storetest.Source {
		path := t.TempDir()
		r := openReader(t, path)
		put := func(t *testing.T, key string, content []byte) { writeFile(t, filepath.Join(path, key), content) }
		return storetest.Source{Reader: r, Put: put, Many: 300}
	})
}

func createStore(t *testing.T, path string) *dir.Store {
	t.Helper()
	s, err := dir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openReader(t *testing.T, path string) *dir.Reader {
	t.Helper()
	r, err := dir.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// leftovers are the files that a list does not show, the folders that hold
// nothing, and whatever others could read.
func leftovers(t *testing.T, s *dir.Store, path string) (left []string) {
	t.Helper()
	listed := map[string]bool{}
	err := s.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		listed[o.Key] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		key := strings.TrimPrefix(strings.TrimPrefix(name, path), "/")
		switch {
		case info.IsDir():
			inside, err := os.ReadDir(name)
			if err != nil {
				return err
			}
			if info.Mode().Perm() != 0o700 || len(inside) == 0 && key != "" {
				left = append(left, info.Mode().String()+" "+name)
			}
		case !listed[key] || info.Mode() != 0o600:
			left = append(left, info.Mode().String()+" "+name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}
