package snapshots

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/harbordb/harbordb/blobstore"
)

// Writer writes one snapshot. Objects may be written by several goroutines at
// once; nothing is a snapshot until Commit returns nil.
type Writer struct {
	store blobstore.Store
	id    ID
	lease *Lease
	to    []Recipient

	mu      sync.Mutex
	objects []Object
}

// NewWriter begins a snapshot under a lease, encrypted where there are
// recipients: each of them alone can read it. The caller ends it with Commit or
// Abort.
func NewWriter(ctx context.Context, store blobstore.Store, id ID, clock Clock, to ...Recipient) (*Writer, error) {
	lease, err := HoldLease(ctx, store, id, clock)
	if err != nil {
		return nil, err
	}
	return &Writer{store: store, id: id, lease: lease, to: to}, nil
}

// Put writes a whole object.
func (w *Writer) Put(ctx context.Context, name string, data []byte) error {
	o, err := w.create(ctx, name)
	if err != nil {
		return err
	}
	defer o.stored.out.Abort()
	if _, err := o.Write(data); err != nil {
		return fmt.Errorf("write %s of snapshot %s: %w", name, w.id, err)
	}
	return o.commit()
}

// object is an object under way. What is written to it is encrypted, where the
// snapshot is, on its way to the store.
type object struct {
	w      *Writer
	name   string // as it is stored
	stored *hashedWriter
	sealer io.WriteCloser // nil where the snapshot is in clear
}

// hashedWriter counts and hashes what goes to the store.
type hashedWriter struct {
	out  blobstore.ObjectWriter
	sum  hash.Hash
	size int64
}

func (h *hashedWriter) Write(p []byte) (int, error) {
	n, err := h.out.Write(p)
	h.sum.Write(p[:n])
	h.size += int64(n)
	return n, err
}

func (w *Writer) create(ctx context.Context, name string) (*object, error) {
	if !objectForm.MatchString(name) {
		return nil, fmt.Errorf("object name %q is not allowed", name)
	}
	if len(w.to) > 0 {
		name += sealedSuffix
	}
	out, err := w.store.Create(ctx, Key(w.id, name), blobstore.New)
	if err != nil {
		return nil, fmt.Errorf("create %s of snapshot %s: %w", name, w.id, err)
	}
	o := &object{w: w, name: name, stored: &hashedWriter{out: out, sum: sha256.New()}}
	if len(w.to) > 0 {
		if o.sealer, err = age.Encrypt(o.stored, ageKeys(w.to)...); err != nil {
			return nil, errors.Join(fmt.Errorf("encrypt %s of snapshot %s: %w", name, w.id, err), out.Abort())
		}
	}
	return o, nil
}

func (o *object) Write(p []byte) (int, error) {
	if o.sealer != nil {
		return o.sealer.Write(p)
	}
	return o.stored.Write(p)
}

func (o *object) commit() error {
	err := error(nil)
	if o.sealer != nil {
		err = o.sealer.Close()
	}
	if err == nil {
		err = o.stored.out.Commit()
	}
	if err != nil {
		return fmt.Errorf("write %s of snapshot %s: %w", o.name, o.w.id, err)
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.objects = append(o.w.objects, Object{Name: o.name, Size: o.stored.size, SHA256: hex.EncodeToString(o.stored.sum.Sum(nil))})
	return nil
}

// Commit makes the snapshot exist: SHA256SUMS first, the manifest last. It
// fills in the ID, the format, the rendering, the objects and the encryption of m, whose
// contents are written to an object of their own where they are encrypted.
func (w *Writer) Commit(ctx context.Context, m *Manifest) error {
	m.Format, m.Rendering, m.ID = FormatVersion, Rendering, w.id
	clear := *m
	if len(w.to) > 0 {
		if err := w.seal(ctx, m); err != nil {
			return err
		}
		clear.Encryption, clear.Contents = m.Encryption, nil
	}
	m.Objects = slices.Clone(w.objects)
	slices.SortFunc(m.Objects, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	clear.Objects = m.Objects
	if err := clear.Validate(); err != nil {
		return fmt.Errorf("snapshot %s: manifest: %w", w.id, err)
	}
	data, err := encode(clear)
	if err != nil {
		return fmt.Errorf("snapshot %s: manifest: %w", w.id, err)
	}
	return w.commit(ctx, &clear, data)
}

// commit writes a manifest whose bytes are data.
func (w *Writer) commit(ctx context.Context, m *Manifest, data []byte) error {
	if err := writeObject(ctx, w.store, Key(w.id, SumsName), Sums(m, data)); err != nil {
		return fmt.Errorf("write %s of snapshot %s: %w", SumsName, w.id, err)
	}
	if err := w.whole(ctx, m); err != nil {
		return err
	}
	if err := writeObject(ctx, w.store, Key(w.id, ManifestName), data); err != nil {
		return fmt.Errorf("write manifest of snapshot %s: %w", w.id, err)
	}
	// The snapshot exists from here on; a lease that stays behind dies by itself.
	_ = w.lease.Release(ctx)
	return nil
}

// whole fails where not everything is there any more that was written, so
// that a writer that slept through a sweep makes no snapshot of the rest.
func (w *Writer) whole(ctx context.Context, m *Manifest) error {
	if err := w.lease.stillHeld(ctx); err != nil {
		return err
	}
	var v Verification
	if _, err := v.compareListing(ctx, w.store, m); err != nil {
		return fmt.Errorf("look at what was written of snapshot %s: %w", w.id, err)
	}
	if len(v.Problems) > 0 {
		return fmt.Errorf("snapshot %s: what was written is gone: %s", w.id, v.Problems[0])
	}
	return nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// Abort removes everything written so far. It works on a cancelled context,
// too, and names what it could not remove.
func (w *Writer) Abort(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	w.lease.cancel()
	w.lease.done.Wait()
	return Remove(ctx, w.store, w.id)
}
