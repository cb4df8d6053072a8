package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
)

var storeCases = map[string]func(*testing.T, Target){
	"what is written is read":                             roundTrip,
	"nothing is seen before commit":                       invisible,
	"an aborted object never was":                         aborted,
	"an ended writer is of no use":                        endedWriter,
	"replace puts the new in the place of the old":        replace,
	"new never replaces":                                  createNew,
	"of many racing new writers one wins":                 newRace,
	"delete removes one object":                           deleteOne,
	"hostile keys are refused on writing":                 writeHostile,
	"a cancelled context ends writing and leaves nothing": writeCancelled,
	"what a dead writer left is found and swept":          sweep,
	"writers at the same time do not mix":                 parallelWriters,
}

func roundTrip(t *testing.T, s Target) {
	for _, size := range []int{0, 1, 4096, s.Large - 1, s.Large, s.Large + 1, 2 * s.Large, 3*s.Large - 7} {
		key := fmt.Sprintf("deep/er/%d", size)
		content := pattern(size)
		w, err := s.Store.Create(t.Context(), key, blobstore.Replace)
		if err != nil {
			t.Fatal(err)
		}
		for rest := content; len(rest) > 0; { // in pieces that fit no boundary
			n := min(len(rest), 100_003)
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s.Store, key, content)
	}
}

// absent fails if anything can be seen under the key.
func absent(t *testing.T, s Target, key string) {
	t.Helper()
	_, err := s.Store.Head(t.Context(), key)
	wantError(t, "head of "+key, err, blobstore.ErrNotFound, s.Secrets)
	body, err := s.Store.Get(t.Context(), key, 0)
	if err == nil {
		body.Close()
	}
	wantError(t, "get of "+key, err, blobstore.ErrNotFound, s.Secrets)
	for _, o := range list(t, s.Store, blobstore.Range{}) {
		if strings.HasPrefix(o.Key, key) || strings.Contains(o.Key, blobstore.TempPrefix) {
			t.Errorf("listed %s", o.Key)
		}
	}
}

func begin(t *testing.T, s Target, key string, content []byte) blobstore.ObjectWriter {
	t.Helper()
	w, err := s.Store.Create(t.Context(), key, blobstore.New)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	return w
}

func invisible(t *testing.T, s Target) {
	small := begin(t, s, "x/small", pattern(10))
	large := begin(t, s, "x/large", pattern(2*s.Large+1))
	absent(t, s, "x/small")
	absent(t, s, "x/large")
	if err := errors.Join(small.Commit(), large.Commit()); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s.Store, "x/small", pattern(10))
	wantContent(t, s.Store, "x/large", pattern(2*s.Large+1))
}

func aborted(t *testing.T, s Target) {
	for _, size := range []int{0, 10, 2*s.Large + 1} {
		w := begin(t, s, "x/y/aborted", pattern(size))
		if err := errors.Join(w.Abort(), w.Abort()); err != nil {
			t.Errorf("abort after %d bytes: %v", size, err)
		}
		absent(t, s, "x/y/aborted")
		noUploads(t, s)
	}
}

func noUploads(t *testing.T, s Target) {
	t.Helper()
	err := s.Store.Uploads(t.Context(), "", func(u blobstore.Upload) error {
		t.Errorf("an unfinished upload %s of %s is left", u.ID, u.Key)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func endedWriter(t *testing.T, s Target) {
	w := begin(t, s, "x", []byte("one"))
	if err := errors.Join(w.Commit(), w.Abort()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("two")); err == nil {
		t.Error("a write after commit succeeded")
	}
	if err := w.Commit(); err == nil {
		t.Error("a second commit succeeded")
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	wantContent(t, s.Store, "x", []byte("one"))
	w = begin(t, s, "y", []byte("one"))
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err == nil {
		t.Error("a commit after an abort succeeded")
	}
	absent(t, s, "y")
}

func replace(t *testing.T, s Target) {
	put(t, s.Store, "a/b", pattern(5000))
	w, err := s.Store.Create(t.Context(), "a/b", blobstore.Replace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s.Store, "a/b", pattern(5000))
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s.Store, "a/b", []byte("new"))
	wantKeys(t, list(t, s.Store, blobstore.Range{}), []string{"a/b"})
}

func createNew(t *testing.T, s Target) {
	late := begin(t, s, "a/b", []byte("late"))
	largeLate := begin(t, s, "a/b", pattern(2*s.Large))
	put(t, s.Store, "a/b", []byte("first"))
	wantError(t, "commit where the key was taken meanwhile", late.Commit(), blobstore.ErrExists, s.Secrets)
	wantError(t, "large commit where the key was taken meanwhile", largeLate.Commit(), blobstore.ErrExists, s.Secrets)
	if err := errors.Join(late.Abort(), largeLate.Abort()); err != nil {
		t.Error(err)
	}
	err := write(t.Context(), s.Store, "a/b", blobstore.New, []byte("second"))
	wantError(t, "new where the key is taken", err, blobstore.ErrExists, s.Secrets)
	wantContent(t, s.Store, "a/b", []byte("first"))
	noUploads(t, s)
}

func newRace(t *testing.T, s Target) {
	const writers = 8
	errs := make([]error, writers)
	var ready, done sync.WaitGroup
	ready.Add(writers)
	for i := range writers {
		done.Go(func() {
			w, err := s.Store.Create(t.Context(), "a/race", blobstore.New)
			if err == nil {
				_, err = fmt.Fprintf(w, "writer %d", i)
			}
			ready.Done()
			if err == nil {
				ready.Wait()
				err = w.Commit()
			}
			errs[i] = err
		})
	}
	done.Wait()
	winners := 0
	for i, err := range errs {
		if err != nil {
			wantError(t, fmt.Sprintf("writer %d", i), err, blobstore.ErrExists, s.Secrets)
			continue
		}
		if winners++; !s.Racy {
			wantContent(t, s.Store, "a/race", fmt.Appendf(nil, "writer %d", i))
		}
	}
	if winners == 0 || winners > 1 && !s.Racy {
		t.Errorf("%d of %d writers won", winners, writers)
	}
}

func deleteOne(t *testing.T, s Target) {
	for _, key := range []string{"a/b/c", "a/b/d", "a/bb", "e/f/g"} {
		put(t, s.Store, key, []byte("x"))
	}
	for _, key := range []string{"a/b/c", "a/b/c", "e/f/g", "a/b", "a", "never/was"} {
		if err := s.Store.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	absent(t, s, "a/b/c")
	wantKeys(t, list(t, s.Store, blobstore.Range{}), []string{"a/b/d", "a/bb"})
	put(t, s.Store, "e/f/g", []byte("again"))
	wantContent(t, s.Store, "e/f/g", []byte("again"))
}

func writeHostile(t *testing.T, s Target) {
	unwritable := append([]string{
		"a\nb", "a\x1bb", "\xff\xfe", blobstore.TempPrefix + "x", "a/" + blobstore.TempPrefix + "x/b",
		strings.Repeat("n", 300), strings.Repeat("abcdefg/", 200) + "h",
	}, hostile...)
	for _, key := range unwritable {
		_, err := s.Store.Create(t.Context(), key, blobstore.Replace)
		wantError(t, fmt.Sprintf("create %q", key), err, blobstore.ErrKey, s.Secrets)
	}
	for _, key := range hostile {
		wantError(t, fmt.Sprintf("delete %q", key), s.Store.Delete(t.Context(), key), blobstore.ErrKey, s.Secrets)
	}
	wantKeys(t, list(t, s.Store, blobstore.Range{}), nil)
}

func writeCancelled(t *testing.T, s Target) {
	put(t, s.Store, "kept", []byte("x"))
	for _, size := range []int{0, 10, 2*s.Large + 1} {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := s.Store.Create(ctx, "a/b", blobstore.Replace)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(pattern(size)); err != nil {
			t.Fatal(err)
		}
		cancel()
		wantError(t, "commit", w.Commit(), context.Canceled, s.Secrets)
		if err := w.Abort(); err != nil {
			t.Errorf("abort after a cancelled context: %v", err)
		}
		absent(t, s, "a/b")
		_, err = s.Store.Create(ctx, "a/c", blobstore.Replace)
		wantError(t, "create", err, context.Canceled, s.Secrets)
		wantError(t, "delete", s.Store.Delete(ctx, "kept"), context.Canceled, s.Secrets)
	}
	wantContent(t, s.Store, "kept", []byte("x"))
	noUploads(t, s)
}

func sweep(t *testing.T, s Target) {
	sweeper, ok := s.Store.(blobstore.Sweeper)
	if !ok {
		t.Fatal("the store keeps what dead writers leave and has no Sweep")
	}
	put(t, s.Store, "x/y/alive", []byte("x"))
	wantError(t, "sweep of no upload", sweeper.Sweep(t.Context(), blobstore.Upload{Key: "x/y/alive"}), blobstore.ErrKey, s.Secrets)
	wantContent(t, s.Store, "x/y/alive", []byte("x"))
	begin(t, s, "x/y/dead", pattern(2*s.Large+1)) // and nobody ends it
	var dead []blobstore.Upload
	err := s.Store.Uploads(t.Context(), "x/", func(u blobstore.Upload) error {
		dead = append(dead, u)
		return nil
	})
	if err != nil || len(dead) != 1 || dead[0].Started.IsZero() || dead[0].ID == "" {
		t.Fatalf("found the dead writers %+v, error %v", dead, err)
	}
	err = s.Store.Uploads(t.Context(), "other/", func(u blobstore.Upload) error {
		t.Errorf("%s is not below other/", u.Key)
		return nil
	})
	if err := errors.Join(err, sweeper.Sweep(t.Context(), dead[0]), sweeper.Sweep(t.Context(), dead[0])); err != nil {
		t.Error(err)
	}
	noUploads(t, s)
	absent(t, s, "x/y/dead")
}

func parallelWriters(t *testing.T, s Target) {
	const writers = 6
	errs := make([]error, writers)
	var done sync.WaitGroup
	for i := range writers {
		done.Go(func() {
			errs[i] = write(t.Context(), s.Store, fmt.Sprintf("p/%d", i), blobstore.New, pattern(s.Large+i))
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i := range writers {
		wantContent(t, s.Store, fmt.Sprintf("p/%d", i), pattern(s.Large+i))
	}
}
