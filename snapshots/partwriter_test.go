package snapshots_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/snapshots"
)

// A part is put in its place beside the next one: that it could not be is told
// all the same, by the next part's end or by Close.
func TestAPartThatCannotBePutInItsPlaceIsTold(t *testing.T) {
	for _, next := range []bool{false, true} {
		store, path := newStore(t)
		id, err := snapshots.NewID(moment, zeros{1})
		check(t, err)
		w, err := snapshots.NewWriter(t.Context(), store, id, nil)
		check(t, err)
		out := w.NewPartWriter()
		check(t, out.Begin(t.Context(), "data/000001.zst"))
		_, err = out.Write([]byte("1\tone\n"))
		check(t, err)
		in := filepath.Join(path, "snapshots", string(id), "data", "000001.zst")
		check(t, os.WriteFile(in, []byte("somebody's"), 0o600))
		if _, _, err = out.End(); err == nil && next {
			check(t, out.Begin(t.Context(), "data/000002.zst"))
			_, _, err = out.End()
		}
		if err = errors.Join(err, out.Close()); !errors.Is(err, blobstore.ErrExists) {
			t.Errorf("with a next part %v: %v", next, err)
		}
		if text, err := os.ReadFile(in); err != nil || string(text) != "somebody's" {
			t.Errorf("%q, %v", text, err)
		}
		check(t, w.Abort(t.Context()))
	}
}
