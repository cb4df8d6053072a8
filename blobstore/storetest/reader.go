package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"golang.org/x/sync/errgroup"
)

var readerCases = map[string]func(*testing.T, Source){
	"an empty store lists nothing":                     emptyStore,
	"a list is flat and in the bytewise order of keys": listOrder,
	"a range has exactly its keys":                     listRanges,
	"a long list goes over all pages":                  longList,
	"disjoint ranges listed at once make up the whole": parallelRanges,
	"an error of the callback ends the list":           listStops,
	"odd names are names":                              oddNames,
	"head tells size, time and a true md5":             headFacts,
	"get starts anywhere":                              getOffsets,
	"what is not there is not found":                   readMissing,
	"hostile keys are refused on reading":              readHostile,
	"a cancelled context ends reading":                 readCancelled,
	"the name of the store shows no secret":            storeName,
}

func emptyStore(t *testing.T, s Source) {
	wantKeys(t, list(t, s.Reader, blobstore.Range{}), nil)
	wantKeys(t, list(t, s.Reader, blobstore.Range{Prefix: "no/such/folder/"}), nil)
	err := s.Reader.Uploads(t.Context(), "", func(u blobstore.Upload) error {
		t.Errorf("unfinished upload of %s in an empty store", u.Key)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// orderKeys sort differently as paths and as bytes.
var orderKeys = []string{
	"B/y", "a!", "a-b/x", "a-b/x-y", "a.b", "a/b-c/d", "a/b.c", "a/b/c/d/e", "a/b/c/f", "a/b0", "a0", "a_/z", "z", "ä/ö", "日本/語",
}

func listOrder(t *testing.T, s Source) {
	for _, key := range slices.Backward(orderKeys) {
		s.Put(t, key, []byte(key))
	}
	found := list(t, s.Reader, blobstore.Range{})
	wantKeys(t, found, slices.Sorted(slices.Values(orderKeys)))
	for _, o := range found {
		if o.Size != int64(len(o.Key)) || o.ModTime.IsZero() || o.Irregular {
			t.Errorf("listed as %+v, want %d bytes and a time", o, len(o.Key))
		}
	}
}

func listRanges(t *testing.T, s Source) {
	for _, key := range orderKeys {
		s.Put(t, key, []byte("x"))
	}
	bounds := append([]string{"", "a", "a/", "a-", "a/b", "a/b/", "a/b/c/", "a0x", "zz", "ä"}, orderKeys...)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() string { return bounds[random.IntN(len(bounds))] }
	for range 60 {
		in := blobstore.Range{Prefix: pick(), After: pick(), Before: pick()}
		if random.IntN(2) == 0 {
			in.Prefix = ""
		}
		var want []string
		for _, key := range slices.Sorted(slices.Values(orderKeys)) {
			if in.Contains(key) {
				want = append(want, key)
			}
		}
		if got := keys(list(t, s.Reader, in)); !slices.Equal(got, want) {
			t.Errorf("range %+v: %q, want %q", in, got, want)
		}
	}
}

// fill puts many objects and returns their keys in order.
func fill(t *testing.T, s Source) []string {
	t.Helper()
	var names []string
	for i := range s.Many {
		names = append(names, fmt.Sprintf("%c/%03d/link", 'a'+i%3, i))
	}
	slices.Sort(names)
	var g errgroup.Group
	g.SetLimit(8)
	for _, key := range names {
		g.Go(func() error { s.Put(t, key, []byte(key)); return nil })
	}
	_ = g.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return names
}

func longList(t *testing.T, s Source) {
	names := fill(t, s)
	wantKeys(t, list(t, s.Reader, blobstore.Range{}), names)
	half := names[len(names)/2]
	wantKeys(t, list(t, s.Reader, blobstore.Range{After: half}), names[len(names)/2+1:])
	wantKeys(t, list(t, s.Reader, blobstore.Range{Before: half}), names[:len(names)/2])
}

func parallelRanges(t *testing.T, s Source) {
	names := fill(t, s)
	const cuts = 4
	parts := make([][]string, cuts)
	var g errgroup.Group
	for i := range cuts {
		in := blobstore.Range{}
		if i > 0 {
			in.After = names[i*len(names)/cuts-1]
		}
		if i < cuts-1 {
			in.Before = names[(i+1)*len(names)/cuts]
		}
		g.Go(func() error {
			return s.Reader.List(t.Context(), in, func(o blobstore.Object) error {
				parts[i] = append(parts[i], o.Key)
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := slices.Concat(parts...); !slices.Equal(got, names) {
		t.Errorf("parts make up %d keys, want %d", len(got), len(names))
	}
}

func listStops(t *testing.T, s Source) {
	s.Put(t, "a/1", []byte("x"))
	s.Put(t, "a/2", []byte("x"))
	stop, seen := errors.New("enough"), 0
	err := s.Reader.List(t.Context(), blobstore.Range{}, func(blobstore.Object) error {
		seen++
		return stop
	})
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("callback was called %d times, list returned %v", seen, err)
	}
}

func oddNames(t *testing.T, s Source) {
	names := []string{
		"a b/c  d", "a+b", "a%2Fb", "a%b", "a&b=c;d", "a'b\"c", "a<b>c", "a?b#c", "a\\b", "a~!$*(),:@", "...", "a..b", "-rf", "é̀", "😀/x",
		"repositories/library/app/_manifests/tags/v1.0/current/link",
	}
	for _, key := range names {
		s.Put(t, key, []byte(key))
	}
	wantKeys(t, list(t, s.Reader, blobstore.Range{}), slices.Sorted(slices.Values(names)))
	for _, key := range names {
		wantContent(t, s.Reader, key, []byte(key))
		wantKeys(t, list(t, s.Reader, blobstore.Range{Prefix: key}), []string{key})
	}
}

func headFacts(t *testing.T, s Source) {
	for _, size := range []int{0, 1, 71, 70_000} {
		key := fmt.Sprintf("size/%d", size)
		s.Put(t, key, pattern(size))
		wantContent(t, s.Reader, key, pattern(size))
	}
}

func getOffsets(t *testing.T, s Source) {
	content := pattern(100_000)
	s.Put(t, "a/b", content)
	for _, offset := range []int{0, 1, 99_999, 100_000} {
		if got := read(t, s.Reader, "a/b", int64(offset)); !bytes.Equal(got, content[offset:]) {
			t.Errorf("from %d: %d bytes, want the last %d", offset, len(got), len(content)-offset)
		}
	}
	for _, offset := range []int64{-1, 100_001} {
		if body, err := s.Reader.Get(t.Context(), "a/b", offset); err == nil {
			body.Close()
			t.Errorf("from %d of 100000 bytes: no error", offset)
		}
	}
	s.Put(t, "a/empty", nil)
	if got := read(t, s.Reader, "a/empty", 0); len(got) > 0 {
		t.Errorf("read %d bytes of an empty object", len(got))
	}
}

func readMissing(t *testing.T, s Source) {
	s.Put(t, "a/b/c", []byte("x"))
	for _, key := range []string{"x", "a/b", "a", "a/b/c/d", "a/b/cc", strings.Repeat("n", 300)} {
		_, err := s.Reader.Head(t.Context(), key)
		wantError(t, "head of "+key, err, blobstore.ErrNotFound, s.Secrets)
		body, err := s.Reader.Get(t.Context(), key, 0)
		if err == nil {
			body.Close()
		}
		wantError(t, "get of "+key, err, blobstore.ErrNotFound, s.Secrets)
		if err != nil && !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
}

func readHostile(t *testing.T, s Source) {
	for _, key := range hostile {
		_, err := s.Reader.Head(t.Context(), key)
		wantError(t, fmt.Sprintf("head of %q", key), err, blobstore.ErrKey, s.Secrets)
		_, err = s.Reader.Get(t.Context(), key, 0)
		wantError(t, fmt.Sprintf("get of %q", key), err, blobstore.ErrKey, s.Secrets)
	}
	err := s.Reader.List(t.Context(), blobstore.Range{Prefix: "../"}, func(o blobstore.Object) error {
		t.Errorf("listed %q outside of the store", o.Key)
		return nil
	})
	if err != nil {
		wantError(t, "list outside", err, blobstore.ErrKey, s.Secrets)
	}
}

func readCancelled(t *testing.T, s Source) {
	s.Put(t, "a/1", pattern(100_000))
	s.Put(t, "a/2", []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	body, err := s.Reader.Get(ctx, "a/1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	cancel()
	err = s.Reader.List(ctx, blobstore.Range{}, func(o blobstore.Object) error {
		t.Errorf("listed %s after the end", o.Key)
		return nil
	})
	wantError(t, "list", err, context.Canceled, s.Secrets)
	_, err = s.Reader.Head(ctx, "a/1")
	wantError(t, "head", err, context.Canceled, s.Secrets)
	_, err = s.Reader.Get(ctx, "a/1", 0)
	wantError(t, "get", err, context.Canceled, s.Secrets)
	err = s.Reader.Uploads(ctx, "", func(blobstore.Upload) error { return nil })
	wantError(t, "uploads", err, context.Canceled, s.Secrets)
}

func storeName(t *testing.T, s Source) {
	name := s.Reader.String()
	if name == "" {
		t.Error("the store has no name")
	}
	for _, secret := range s.Secrets {
		if strings.Contains(name, secret) {
			t.Errorf("the name %q shows a secret", name)
		}
	}
}
