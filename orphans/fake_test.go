package orphans_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
)

// fake is a bucket in memory, for what no real store does on demand. It counts
// requests as a bucket with pages of a thousand keys would.
type fake struct {
	mu      sync.Mutex
	objects map[string]fakeObject
	sorted  []string // the keys; nil after a change

	calls, lists, heads, gets atomic.Int64 // calls of List, and their pages
	// sum makes the MD5 of a listing; the default is the true one.
	sum func(content []byte) []byte
	// fail may fail a listing before a key, and what is asked about one.
	fail    func(key string) error
	uploads []blobstore.Upload
}

type fakeObject struct {
	content []byte
	at      time.Time
}

const fakePage = 1000

func newFake() *fake { return &fake{objects: make(map[string]fakeObject)} }

func (f *fake) put(key string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[key] = fakeObject{content, time.Now().Add(-time.Hour)}
	f.sorted = nil
}

func (f *fake) remove(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, key)
	f.sorted = nil
}

func (f *fake) writeImages(t testing.TB, above string, tags int) {
	t.Helper()
	eachImageFile(tags, func(name string, content []byte) { f.put(above+treeRoot+name, content) })
}

// below is the fake as a store that was opened at a prefix.
func (f *fake) below(prefix string) blobstore.Reader { return &fakeBelow{f, prefix} }

// keys returns the keys of a range.
func (f *fake) keys(in blobstore.Range) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sorted == nil {
		f.sorted = slices.Sorted(maps.Keys(f.objects))
	}
	first, _ := slices.BinarySearch(f.sorted, max(in.Prefix, in.After))
	var keys []string
	for _, key := range f.sorted[first:] {
		if !strings.HasPrefix(key, in.Prefix) && key > in.Prefix || in.Before != "" && key >= in.Before {
			break
		}
		if in.Contains(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (f *fake) get(key string) (fakeObject, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		if err := f.fail(key); err != nil {
			return fakeObject{}, err
		}
	}
	o, ok := f.objects[key]
	if !ok {
		return o, fmt.Errorf("%s: %w", key, blobstore.ErrNotFound)
	}
	return o, nil
}

func (f *fake) md5(content []byte) []byte {
	if f.sum != nil {
		return f.sum(content)
	}
	sum := md5.Sum(content)
	return sum[:]
}

func (f *fake) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	f.calls.Add(1)
	f.lists.Add(1)
	for i, key := range f.keys(in) {
		if i > 0 && i%fakePage == 0 {
			f.lists.Add(1)
		}
		o, err := f.get(key)
		if err != nil {
			return err
		}
		if err := each(blobstore.Object{Key: key, Size: int64(len(o.content)), ModTime: o.at, MD5: f.md5(o.content)}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (f *fake) Head(_ context.Context, key string) (blobstore.Object, error) {
	f.heads.Add(1)
	o, err := f.get(key)
	return blobstore.Object{Key: key, Size: int64(len(o.content)), ModTime: o.at}, err
}

func (f *fake) Get(_ context.Context, key string, offset int64) (io.ReadCloser, error) {
	f.gets.Add(1)
	o, err := f.get(key)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(o.content[offset:])), nil
}

func (f *fake) Uploads(_ context.Context, _ string, each func(blobstore.Upload) error) error {
	f.lists.Add(1)
	for _, u := range f.uploads {
		if err := each(u); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) String() string { return "fake" }

// fakeBelow shows what lies below a prefix.
type fakeBelow struct {
	*fake
	prefix string
}

func (f *fakeBelow) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	in.Prefix = f.prefix + in.Prefix
	if in.After != "" {
		in.After = f.prefix + in.After
	}
	if in.Before != "" {
		in.Before = f.prefix + in.Before
	}
	return f.fake.List(ctx, in, func(o blobstore.Object) error {
		o.Key = strings.TrimPrefix(o.Key, f.prefix)
		return each(o)
	})
}

func (f *fakeBelow) Head(ctx context.Context, key string) (blobstore.Object, error) {
	return f.fake.Head(ctx, f.prefix+key)
}

func (f *fakeBelow) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	return f.fake.Get(ctx, f.prefix+key, offset)
}
