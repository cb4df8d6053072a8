package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
)

// What a tree is read with is what its store is read with; the keys are names
// relative to the root.
type (
	Object     = blobstore.Object
	Range      = blobstore.Range
	Upload     = blobstore.Upload
	Unreadable = blobstore.Unreadable
)

// Errors of a tree, as its store returns them.
var (
	ErrNotFound = blobstore.ErrNotFound
	ErrDenied   = blobstore.ErrDenied
)

// Tree is a registry's data in a store, by names relative to the root. It can
// only be read. Safe for concurrent use.
type Tree struct {
	store blobstore.Reader
	root  Root
}

// Open finds the tree in a store; see FindRoot.
func Open(ctx context.Context, store blobstore.Reader) (*Tree, error) {
	root, err := FindRoot(ctx, store)
	if err != nil {
		return nil, err
	}
	return At(store, root), nil
}

// At is the tree at a root that is known.
func At(store blobstore.Reader, root Root) *Tree { return &Tree{store: store, root: root} }

// String names the store for people, without credentials.
func (t *Tree) String() string { return t.store.String() }

// Root returns where the tree begins in its store.
func (t *Tree) Root() Root { return t.root }

// Key returns the key in the store of a name.
func (t *Tree) Key(name string) string { return t.root.Prefix + name }

// List is blobstore.Reader's; the order is that of names.
func (t *Tree) List(ctx context.Context, in Range, each func(Object) error) error {
	in.Prefix = t.root.Prefix + in.Prefix
	if in.After != "" {
		in.After = t.root.Prefix + in.After
	}
	if in.Before != "" {
		in.Before = t.root.Prefix + in.Before
	}
	err := t.store.List(ctx, in, func(o Object) error {
		o.Key = o.Key[len(t.root.Prefix):]
		return each(o)
	})
	var part *Unreadable
	if errors.As(err, &part) {
		return &Unreadable{Prefix: strings.TrimPrefix(part.Prefix, t.root.Prefix), Err: part.Err}
	}
	return err
}

// Head is blobstore.Reader's.
func (t *Tree) Head(ctx context.Context, name string) (Object, error) {
	o, err := t.store.Head(ctx, t.root.Prefix+name)
	o.Key = name
	return o, err
}

// Get is blobstore.Reader's, from the first byte on.
func (t *Tree) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return t.store.Get(ctx, t.root.Prefix+name, 0)
}

// Read returns the content of a small object. Of one that is larger than max
// bytes it returns the first max+1, so that the caller sees it.
func (t *Tree) Read(ctx context.Context, name string, max int64) ([]byte, error) {
	body, err := t.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	content, err := readUpTo(body, max+1)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}

// readUpTo reads at most max bytes. Most links and manifests fit into its
// first buffer and take one read.
func readUpTo(body io.Reader, max int64) ([]byte, error) {
	content := make([]byte, 0, min(max, 4<<10))
	for int64(len(content)) < max {
		if len(content) == cap(content) {
			content = slices.Grow(content, len(content))
		}
		free := content[len(content):min(int64(cap(content)), max)]
		n, err := body.Read(free)
		content = content[:len(content)+n]
		if err == io.EOF {
			return content, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return content, nil
}

// Uploads calls each for every unfinished multipart upload below the root.
func (t *Tree) Uploads(ctx context.Context, each func(Upload) error) error {
	return t.store.Uploads(ctx, t.root.Prefix, func(u Upload) error {
		u.Key = u.Key[len(t.root.Prefix):]
		return each(u)
	})
}

// Segments calls each for the objects that hold the bytes of Swift's large
// objects; the names are whole keys. Other stores have none.
func (t *Tree) Segments(ctx context.Context, each func(Object) error) error {
	if t.root.Segments == "" {
		return nil
	}
	return t.store.List(ctx, Range{Prefix: t.root.Segments}, each)
}

// Beside calls each for what lies in the registry's root directory next to the
// tree; the names are whole keys. Nothing is beside a tree that the store was
// opened at. each may end the list with an error, which is returned.
func (t *Tree) Beside(ctx context.Context, each func(Object) error) error {
	above, ok := strings.CutSuffix(t.root.Prefix, rootPath)
	if !ok {
		return nil
	}
	for _, in := range []Range{{Prefix: above, Before: above + "docker/"}, {Prefix: above, After: above + "docker0"}} {
		if err := t.store.List(ctx, in, each); err != nil {
			return err
		}
	}
	return nil
}
