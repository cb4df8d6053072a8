package snapshots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/klauspost/compress/zstd"
)

// PartReader reads parts, one after the other, and proves in stream that they
// are what was written: size and SHA-256 of the object, rows and bytes of the
// part. Data that is read before the end of a part is unproven until Read
// returns io.EOF. Each goroutine has one of its own.
type PartReader struct {
	store blobstore.Reader
	m     *Manifest
	zst   *zstd.Decoder

	part   Part
	stored *hashedObject
	LineTally
	left int64
}

// hashedObject hashes an object as it is read.
type hashedObject struct {
	body io.ReadCloser
	want Object
	sum  hash.Hash
	size int64
	err  error // of the store; what else fails is the fault of the bytes
}

func (h *hashedObject) Read(p []byte) (int, error) {
	n, err := h.body.Read(p)
	h.sum.Write(p[:n])
	h.size += int64(n)
	if h.size > h.want.Size {
		return n, fmt.Errorf("%w: it is longer than %d bytes", ErrCorrupt, h.want.Size)
	}
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// prove reads the object to its end and compares size and SHA-256.
func (h *hashedObject) prove() error {
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{h}); err != nil {
		return err
	}
	if h.size != h.want.Size {
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrCorrupt, h.size, h.want.Size)
	}
	if got := hex.EncodeToString(h.sum.Sum(nil)); got != h.want.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %s, not %s", ErrCorrupt, got, h.want.SHA256)
	}
	return nil
}

func openHashed(ctx context.Context, store blobstore.Reader, id ID, o Object) (*hashedObject, error) {
	body, err := store.Get(ctx, Key(id, o.Name), 0)
	if err != nil {
		return nil, err
	}
	return &hashedObject{body: body, want: o, sum: sha256.New()}, nil
}

// NewPartReader returns a reader for one goroutine; the caller closes it. Its
// memory is bounded whatever an object claims.
func NewPartReader(store blobstore.Reader, m *Manifest) (*PartReader, error) {
	zst, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	return &PartReader{store: store, m: m, zst: zst}, nil
}

// Close frees the decoder and an object that was not read to its end.
func (r *PartReader) Close() {
	r.closeObject()
	r.zst.Close()
}

func (r *PartReader) closeObject() {
	if r.stored != nil {
		r.stored.body.Close()
		r.stored = nil
	}
}

// Open begins a part, whose object the manifest lists.
func (r *PartReader) Open(ctx context.Context, part Part) error {
	r.closeObject()
	o, ok := r.m.Object(part.Object)
	if !ok {
		return fmt.Errorf("snapshot %s: %w: object %s is not listed", r.m.ID, ErrCorrupt, part.Object)
	}
	stored, err := openHashed(ctx, r.store, r.m.ID, o)
	if err != nil {
		return r.failed(part, err)
	}
	r.part, r.stored, r.left = part, stored, part.Bytes
	r.LineTally = LineTally{partial: r.partial}
	return r.failed(part, r.zst.Reset(stored))
}

// Read returns raw lines, and io.EOF only once everything is proved.
func (r *PartReader) Read(p []byte) (int, error) {
	n, err := r.zst.Read(p)
	r.left -= int64(n)
	if r.left < 0 {
		return 0, r.failed(r.part, fmt.Errorf("%w: it unpacks to more than %d bytes", ErrCorrupt, r.part.Bytes))
	}
	_, _ = r.LineTally.Write(p[:n])
	if err == io.EOF {
		if err := r.prove(); err != nil {
			return n, r.failed(r.part, err)
		}
		return n, io.EOF
	}
	return n, r.failed(r.part, err)
}

func (r *PartReader) prove() error {
	if err := r.stored.prove(); err != nil {
		return err
	}
	t, err := r.Tally()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if t.Rows != r.part.Rows || t.Bytes != r.part.Bytes {
		return fmt.Errorf("%w: it holds %d rows in %d bytes, not %d in %d", ErrCorrupt, t.Rows, t.Bytes, r.part.Rows, r.part.Bytes)
	}
	return nil
}

// failed names the object. What the store did not complain of is the fault of
// the bytes.
func (r *PartReader) failed(part Part, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, blobstore.ErrNotFound):
		return fmt.Errorf("snapshot %s: %w: %s is missing: %w", r.m.ID, ErrCorrupt, part.Object, err)
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("snapshot %s: %s: %w", r.m.ID, part.Object, err)
	case r.stored != nil && r.stored.err == nil:
		return fmt.Errorf("snapshot %s: %s: %w: %w", r.m.ID, part.Object, ErrCorrupt, err)
	}
	return fmt.Errorf("snapshot %s: read %s: %w", r.m.ID, part.Object, err)
}

// Object returns the listed object of that name.
func (m *Manifest) Object(name string) (Object, bool) {
	i, ok := slices.BinarySearchFunc(m.Objects, name, func(o Object, name string) int { return strings.Compare(o.Name, name) })
	if !ok {
		return Object{}, false
	}
	return m.Objects[i], true
}

// ReadObject reads a small object whole and proves its size and SHA-256.
func ReadObject(ctx context.Context, store blobstore.Reader, m *Manifest, name string) ([]byte, error) {
	o, ok := m.Object(name)
	if !ok {
		return nil, fmt.Errorf("snapshot %s: %w: object %s is not listed", m.ID, ErrCorrupt, name)
	}
	if o.Size > maxManifest {
		return nil, fmt.Errorf("snapshot %s: %w: %s claims %d bytes", m.ID, ErrCorrupt, name, o.Size)
	}
	h, err := openHashed(ctx, store, m.ID, o)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: read %s: %w", m.ID, name, err)
	}
	defer h.body.Close()
	data, err := io.ReadAll(h)
	if err == nil {
		err = h.prove()
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %s: %w", m.ID, name, err)
	}
	return data, nil
}
