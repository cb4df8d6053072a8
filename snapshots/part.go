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
	s   *Snapshot
	zst *zstd.Decoder

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

// blame says whose fault a failure to read is: where the store had no
// complaint, it is the bytes'.
func (h *hashedObject) blame(err error) error {
	if h.err != nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// Parts returns a reader of parts for one goroutine, which closes it. Its
// memory is bounded whatever an object claims.
func (s *Snapshot) Parts() (*PartReader, error) {
	zst, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	return &PartReader{s: s, zst: zst}, nil
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
	o, err := r.s.listed(part.Object)
	if err != nil {
		return err
	}
	r.part, r.left = part, part.Bytes
	r.LineTally = LineTally{partial: r.partial}
	if r.stored, err = openHashed(ctx, r.s.store, r.s.Manifest.ID, o); err != nil {
		return r.failed(err)
	}
	plain, err := r.s.plain(r.stored)
	if err != nil {
		return r.failed(err)
	}
	return r.failed(r.zst.Reset(plain))
}

// Read returns raw lines, and io.EOF only once everything is proved.
func (r *PartReader) Read(p []byte) (int, error) {
	n, err := r.zst.Read(p)
	r.left -= int64(n)
	if r.left < 0 {
		return 0, r.failed(fmt.Errorf("%w: it unpacks to more than %d bytes", ErrCorrupt, r.part.Bytes))
	}
	_, _ = r.LineTally.Write(p[:n])
	if err == io.EOF {
		if err := r.prove(); err != nil {
			return n, r.failed(err)
		}
		return n, io.EOF
	}
	return n, r.failed(err)
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

// failed names the object.
func (r *PartReader) failed(err error) error {
	id, name := r.s.Manifest.ID, r.part.Object
	switch {
	case err == nil:
		return nil
	case errors.Is(err, blobstore.ErrNotFound):
		return fmt.Errorf("snapshot %s: %w: %s is missing: %w", id, ErrCorrupt, name, err)
	case r.stored == nil || r.stored.err != nil:
		return fmt.Errorf("snapshot %s: read %s: %w", id, name, err)
	}
	return fmt.Errorf("snapshot %s: %s: %w", id, name, r.stored.blame(err))
}

// Object returns the object that is stored under that name.
func (m *Manifest) Object(name string) (Object, bool) {
	i, ok := slices.BinarySearchFunc(m.Objects, name, func(o Object, name string) int { return strings.Compare(o.Name, name) })
	if !ok {
		return Object{}, false
	}
	return m.Objects[i], true
}
