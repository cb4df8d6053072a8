package registry

import (
	"errors"
	"slices"
	"testing"
)

func TestATreeIsReadByNamesBelowItsRoot(t *testing.T) {
	blob, link := BlobPath(digestA), LayerPath("a", digestA)
	top := tree(t, "registry/"+rootPath+blob, "registry/"+rootPath+link, "registry/other/file")
	store, err := Open(t.Context(), openDir(t, top))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	list := func(in Range) {
		names = nil
		if err := store.List(t.Context(), in, func(o Object) error {
			names = append(names, o.Key)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if list(Range{}); !slices.Equal(names, []string{blob, link}) {
		t.Errorf("all: %q", names)
	}
	if list(Range{After: blob}); !slices.Equal(names, []string{link}) {
		t.Errorf("after the blob: %q", names)
	}
	if list(Range{Prefix: "blobs/", Before: "blobs/sha256/9c"}); !slices.Equal(names, []string{blob}) {
		t.Errorf("some blobs: %q", names)
	}
	if o, err := store.Head(t.Context(), blob); err != nil || o.Key != blob {
		t.Errorf("head: %+v, %v", o, err)
	}
	if content, err := store.Read(t.Context(), link, MaxLink); err != nil || len(content) != 0 {
		t.Errorf("read: %q, %v", content, err)
	}
	if _, err := store.Read(t.Context(), RevisionPath("a", digestA), MaxLink); !errors.Is(err, ErrNotFound) {
		t.Errorf("read of nothing: %v", err)
	}
	if got, want := store.Key(blob), "registry/"+rootPath+blob; got != want {
		t.Errorf("key %q, want %q", got, want)
	}
}
