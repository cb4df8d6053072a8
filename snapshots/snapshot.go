package snapshots

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/blobstore"
)

// Snapshot is a snapshot of a store, opened for reading. Its manifest agrees
// with SHA256SUMS and is consistent in itself; its objects are proved as they
// are read.
type Snapshot struct {
	Manifest *Manifest
	store    blobstore.Reader
}

// Open loads a snapshot. What is wrong with it is an error that wraps
// ErrCorrupt.
func Open(ctx context.Context, store blobstore.Reader, id ID) (*Snapshot, error) {
	m, err := Load(ctx, store, id)
	if err != nil {
		return nil, err
	}
	return &Snapshot{Manifest: m, store: store}, nil
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

// Object reads a small object whole and proves its size and SHA-256.
func (s *Snapshot) Object(ctx context.Context, name string) ([]byte, error) {
	return ReadObject(ctx, s.store, s.Manifest, name)
}

// Parts returns a reader of parts for one goroutine, which closes it.
func (s *Snapshot) Parts() (*PartReader, error) {
	return NewPartReader(s.store, s.Manifest)
}
