// Package storetest is the contract of package blobstore as tests. Every
// Reader and every Store has to pass it, with one call.
//
// It must never ask a store for more than the contract says, and never know
// which store it is talking to.
package storetest

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
)

// Source is a Reader and a way around it.
type Source struct {
	Reader blobstore.Reader
	// Put places an object by any means.
	Put func(t *testing.T, key string, content []byte)
	// Secrets must not be seen in any error or name.
	Secrets []string
	// Many is how many objects need several pages of a listing.
	Many int
}

// Target is a Store that is under test.
type Target struct {
	Store   blobstore.Store
	Secrets []string
	Many    int
	// Large is how many bytes one request cannot carry. The suite writes
	// up to three times as many.
	Large int
	// Racy: the store can only look whether a key is free and then write;
	// of two writers at the same moment both may succeed.
	Racy bool
	// Leftovers names what lies in the store beside the objects that a
	// list shows and the Uploads; nil where nothing can.
	Leftovers func(t *testing.T) []string
}

// Reader runs the contract of blobstore.Reader. open returns an empty source
// and is called once for each case.
func Reader(t *testing.T, open func(t *testing.T) Source) {
	for _, name := range slices.Sorted(maps.Keys(readerCases)) {
		t.Run(name, func(t *testing.T) { readerCases[name](t, open(t)) })
	}
}

// Store runs the contract of blobstore.Store, that of a Reader included. open
// returns an empty store and is called once for each case.
func Store(t *testing.T, open func(t *testing.T) Target) {
	Reader(t, func(t *testing.T) Source {
		s := open(t)
		put := func(t *testing.T, key string, content []byte) { put(t, s.Store, key, content) }
		return Source{Reader: s.Store, Put: put, Secrets: s.Secrets, Many: s.Many}
	})
	for _, name := range slices.Sorted(maps.Keys(storeCases)) {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			storeCases[name](t, s)
			if s.Leftovers != nil {
				if left := s.Leftovers(t); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			}
		})
	}
}

// put writes an object through the store.
func put(t *testing.T, s blobstore.Writer, key string, content []byte) {
	t.Helper()
	if err := write(t.Context(), s, key, blobstore.Replace, content); err != nil {
		t.Fatal(err)
	}
}

func write(ctx context.Context, s blobstore.Writer, key string, mode blobstore.PutMode, content []byte) error {
	w, err := s.Create(ctx, key, mode)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return errors.Join(err, w.Abort())
	}
	return errors.Join(w.Commit(), w.Abort())
}

// list returns the range, or fails.
func list(t *testing.T, r blobstore.Reader, in blobstore.Range) []blobstore.Object {
	t.Helper()
	var found []blobstore.Object
	err := r.List(t.Context(), in, func(o blobstore.Object) error {
		found = append(found, o)
		return nil
	})
	if err != nil {
		t.Fatalf("list %+v: %v", in, err)
	}
	return found
}

func keys(objects []blobstore.Object) []string {
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.Key
	}
	return names
}

func wantKeys(t *testing.T, got []blobstore.Object, want []string) {
	t.Helper()
	if names := keys(got); !slices.Equal(names, want) {
		t.Errorf("listed %d keys %q\nwant %d keys %q", len(names), clip(names), len(want), clip(want))
	}
}

// clip keeps a failure readable.
func clip(names []string) []string { return names[:min(len(names), 40)] }

// read returns an object from offset on, or fails.
func read(t *testing.T, r blobstore.Reader, key string, offset int64) []byte {
	t.Helper()
	body, err := r.Get(t.Context(), key, offset)
	if err != nil {
		t.Fatalf("get %s from %d: %v", key, offset, err)
	}
	got, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatalf("read %s from %d: %v", key, offset, err)
	}
	return got
}

// wantContent compares an object with what it should be, by HEAD, list and
// body.
func wantContent(t *testing.T, r blobstore.Reader, key string, want []byte) {
	t.Helper()
	if got := read(t, r, key, 0); !bytes.Equal(got, want) {
		t.Errorf("%s: read %d bytes, not the %d that were written", key, len(got), len(want))
	}
	head, err := r.Head(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if head.Key != key || head.Size != int64(len(want)) || head.ModTime.IsZero() {
		t.Errorf("head of %s: %+v, want %d bytes and a time", key, head, len(want))
	}
	sum := md5.Sum(want)
	if head.MD5 != nil && !bytes.Equal(head.MD5, sum[:]) {
		t.Errorf("head of %s: MD5 %x, want %x or none", key, head.MD5, sum)
	}
}

// wantError fails unless err is target, and if it shows a secret.
func wantError(t *testing.T, what string, err, target error, secrets []string) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error is %v, want %v", what, err, target)
	}
	for _, secret := range secrets {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows a secret: %v", what, err)
		}
	}
}

// pattern is content that shows a shift or a repetition.
func pattern(n int) []byte {
	b := make([]byte, 0, n+16)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%x.", i*i)
	}
	return b[:n]
}

// hostile are keys that no store may take.
var hostile = []string{
	"", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a/./b", ".", "a//b", "a/", "a\x00b",
}
