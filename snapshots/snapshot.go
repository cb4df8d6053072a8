package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/harbordb/harbordb/blobstore"
)

// Snapshot is a snapshot of a store, opened for reading. Its manifest agrees
// with SHA256SUMS and is consistent in itself; its objects are proved as they
// are read. The contents of an encrypted one are in the manifest, too.
type Snapshot struct {
	Manifest *Manifest
	store    blobstore.Reader
	keys     []age.Identity
}

// Open loads a snapshot; keys open it where it is encrypted, and a key that
// does not fit is a fault of kind Refused. What is wrong with the snapshot is
// an error that wraps ErrCorrupt.
func Open(ctx context.Context, store blobstore.Reader, id ID, keys ...age.Identity) (*Snapshot, error) {
	m, err := Load(ctx, store, id)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Manifest: m, store: store, keys: keys}
	if m.Encryption != nil {
		if err := s.unlock(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// CheckSizes compares the sizes of all objects with the manifest: what can be
// known without reading them. What is wrong is an error that wraps ErrCorrupt.
func (s *Snapshot) CheckSizes(ctx context.Context) error {
	v := Verification{ID: s.Manifest.ID}
	if _, err := v.compareListing(ctx, s.store, s.Manifest); err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return fmt.Errorf("snapshot %s: %w: %s", s.Manifest.ID, ErrCorrupt, v.Problems[0])
	}
	return nil
}

// Object reads a small object whole and proves its size and SHA-256. name is
// the one that the contents use.
func (s *Snapshot) Object(ctx context.Context, name string) ([]byte, error) {
	m := s.Manifest
	o, err := s.listed(name)
	if err != nil {
		return nil, err
	}
	if o.Size > maxManifest {
		return nil, fmt.Errorf("snapshot %s: %w: %s claims %d bytes", m.ID, ErrCorrupt, o.Name, o.Size)
	}
	h, err := openHashed(ctx, s.store, m.ID, o)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil, fmt.Errorf("snapshot %s: %w: %s is missing: %w", m.ID, ErrCorrupt, o.Name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: read %s: %w", m.ID, o.Name, err)
	}
	defer h.body.Close()
	data, err := s.readAll(h)
	if proof := h.prove(); proof != nil {
		err = proof // what cannot be decrypted is explained by a digest that is wrong
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %s: %w", m.ID, o.Name, h.blame(err))
	}
	return data, nil
}

func (s *Snapshot) readAll(h *hashedObject) ([]byte, error) {
	plain, err := s.plain(h)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// listed returns the stored object that the contents know by name.
func (s *Snapshot) listed(name string) (Object, error) {
	o, ok := s.Manifest.Object(s.Manifest.storedName(name))
	if !ok {
		return o, fmt.Errorf("snapshot %s: %w: object %s is not listed", s.Manifest.ID, ErrCorrupt, name)
	}
	return o, nil
}

// plain returns what an object says. It must be read to its end, and
// the object proved, before it is trusted.
func (s *Snapshot) plain(h *hashedObject) (io.Reader, error) {
	if s.Manifest.Encryption == nil {
		return h, nil
	}
	return age.Decrypt(h, s.keys...)
}
