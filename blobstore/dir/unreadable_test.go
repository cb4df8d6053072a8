package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
)

func TestAListCanGoOnBehindAnUnreadableFolder(t *testing.T) {
	root := t.TempDir()
	for _, key := range []string{"a/1", "b/1", "b0/1", "c/1"} {
		writeFile(t, filepath.Join(root, key), nil)
	}
	r := openReader(t, root)
	if err := errors.Join(os.Chmod(root, 0o755), os.Chmod(filepath.Join(root, "b"), 0)); err != nil {
		t.Fatal(err)
	}
	var got []string
	list := func(in blobstore.Range) error {
		return r.List(t.Context(), in, func(o blobstore.Object) error {
			got = append(got, o.Key)
			return nil
		})
	}
	asNobody(t, func() {
		var unreadable *blobstore.Unreadable
		if err := list(blobstore.Range{}); !errors.As(err, &unreadable) || unreadable.Prefix != "b/" {
			t.Fatalf("error %v", err)
		}
		behind := strings.TrimSuffix(unreadable.Prefix, "/") + "0" // "0" follows "/"
		if err := list(blobstore.Range{After: behind}); err != nil {
			t.Fatal(err)
		}
	})
	if want := []string{"a/1", "b0/1", "c/1"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	if err := os.Chmod(filepath.Join(root, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
}
