package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/doctor"
	"github.com/harbordb/harbordb/orphans"
)

// lastScanKey is where the store keeps what the last scan beside a database
// found, for doctor to repeat.
func lastScanKey(system, database string) string {
	sum := sha256.Sum256([]byte(system + "\x00" + database))
	return "scans/" + hex.EncodeToString(sum[:8]) + ".json"
}

// maxLastScan bounds what is read of such an object.
const maxLastScan = 1 << 16

// readLastScan returns nil where none was kept.
func readLastScan(ctx context.Context, store blobstore.Reader, key string) (*doctor.Scan, error) {
	object, err := store.Get(ctx, key, 0)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer object.Close()
	text, err := io.ReadAll(io.LimitReader(object, maxLastScan))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	var scan doctor.Scan
	if err := json.Unmarshal(text, &scan); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return &scan, nil
}

// keepScan keeps what a scan of everything found, where there is a store
// already: a scan makes none.
func (s *session) keepScan(ctx context.Context, db *database.DB, r *orphans.Report) error {
	if r.Scope != "" || r.Implausible != "" {
		return nil
	}
	store, err := s.openStore(ctx)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	system, err := db.SystemIdentifier(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(doctor.Scan{Time: r.Time, Storage: r.Storage, Damaged: len(r.Findings), Complete: r.Complete})
	if err != nil {
		return err
	}
	object, err := store.Create(ctx, lastScanKey(system, db.Settings().Database), blobstore.Replace)
	if err != nil {
		return err
	}
	defer object.Abort() // does nothing after the commit
	if _, err := object.Write(text); err != nil {
		return err
	}
	return object.Commit()
}
