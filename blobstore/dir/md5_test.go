package dir_test

import (
	"crypto/md5"
	"os"
	"path/filepath"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
)

func TestListsTellTheMD5OfSmallFilesOnDemand(t *testing.T) {
	root := t.TempDir()
	small, limit, large := []byte("sha256:abc"), make([]byte, 71), make([]byte, 72)
	writeFile(t, filepath.Join(root, "a/small"), small)
	writeFile(t, filepath.Join(root, "a/limit"), limit)
	writeFile(t, filepath.Join(root, "a/large"), large)
	writeFile(t, filepath.Join(root, "a/nothing"), nil)
	if err := os.Symlink("small", filepath.Join(root, "a/symlink")); err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"a/small": small, "a/limit": limit, "a/nothing": {}}
	r := openReader(t, root)
	list := func() map[string]string {
		sums := make(map[string]string)
		err := r.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
			if o.MD5 != nil {
				sums[o.Key] = string(o.MD5)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return sums
	}
	if sums := list(); len(sums) != 0 {
		t.Errorf("without being asked the list tells %d sums", len(sums))
	}
	r.HashUpTo(71)
	sums := list()
	for key, content := range want {
		if sum := md5.Sum(content); sums[key] != string(sum[:]) {
			t.Errorf("MD5 of %s: %x", key, sums[key])
		}
	}
	if len(sums) != len(want) {
		t.Errorf("%d sums, want %d", len(sums), len(want))
	}
}
