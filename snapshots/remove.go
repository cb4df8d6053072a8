package snapshots

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
)

// Remove deletes a snapshot, its manifest first: a crash on the way leaves a
// folder without a manifest, which is no snapshot.
func Remove(ctx context.Context, store blobstore.Store, id ID) error {
	if err := remove(ctx, store, id); err != nil {
		return fmt.Errorf("remove snapshot %s: %w", id, err)
	}
	return endLease(ctx, store, id)
}

func remove(ctx context.Context, store blobstore.Store, id ID) error {
	for _, name := range []string{ManifestName, SumsName} {
		if err := store.Delete(ctx, Key(id, name)); err != nil {
			return err
		}
	}
	var keys []string
	err := store.List(ctx, blobstore.Range{Prefix: Key(id, "")}, func(o blobstore.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return sweepUploads(ctx, store, id)
}

// sweepUploads removes what a killed writer had begun and not committed.
func sweepUploads(ctx context.Context, store blobstore.Store, id ID) error {
	sweeper, ok := store.(blobstore.Sweeper)
	if !ok {
		return nil
	}
	uploads, err := unfinishedUploads(ctx, store, Key(id, ""), leasePrefix+string(id))
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if err := sweeper.Sweep(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// unfinishedUploads lists uploads below some prefixes. Who may write to a
// bucket may not always list its uploads; to them there are none.
func unfinishedUploads(ctx context.Context, store blobstore.Reader, prefixes ...string) ([]blobstore.Upload, error) {
	var uploads []blobstore.Upload
	for _, p := range prefixes {
		err := store.Uploads(ctx, p, func(u blobstore.Upload) error {
			uploads = append(uploads, u)
			return nil
		})
		if err != nil && !errors.Is(err, blobstore.ErrDenied) {
			return nil, err
		}
	}
	return uploads, nil
}

// Leftovers returns what killed backups left, in ascending order: folders
// without a manifest whose lease is dead, and dead leases and unfinished
// uploads that have no folder yet.
func Leftovers(ctx context.Context, store blobstore.Reader, now time.Time) ([]Entry, error) {
	entries, err := List(ctx, store, now)
	if err != nil {
		return nil, err
	}
	return leftovers(ctx, store, entries, now)
}

func leftovers(ctx context.Context, store blobstore.Reader, entries []Entry, now time.Time) ([]Entry, error) {
	bare, err := withoutFolder(ctx, store, entries)
	if err != nil {
		return nil, fmt.Errorf("look for unfinished snapshots in %s: %w", store, err)
	}
	var left []Entry
	for _, e := range entries {
		if e.Unfinished && !e.Running {
			left = append(left, e)
		}
	}
	for _, e := range bare {
		if err := e.settle(ctx, store, now); err != nil {
			return nil, err
		}
		if e.Unfinished && !e.Running {
			left = append(left, e)
		}
	}
	slices.SortFunc(left, func(a, b Entry) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return left, nil
}

// withoutFolder finds IDs that have a lease or an unfinished upload and that
// are not among the entries.
func withoutFolder(ctx context.Context, store blobstore.Reader, entries []Entry) ([]Entry, error) {
	known := map[ID]bool{}
	for _, e := range entries {
		known[e.ID] = true
	}
	bare := map[ID]*Entry{}
	note := func(key string, size int64) {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, prefix), leasePrefix), "/")
		id, err := ParseID(name)
		if err != nil || known[id] {
			return
		}
		if bare[id] == nil {
			bare[id] = &Entry{ID: id}
		}
		bare[id].Size += max(size, 0)
	}
	err := store.List(ctx, blobstore.Range{Prefix: leasePrefix}, func(o blobstore.Object) error {
		note(o.Key, o.Size)
		return nil
	})
	if err != nil {
		return nil, err
	}
	uploads, err := unfinishedUploads(ctx, store, prefix, leasePrefix)
	if err != nil {
		return nil, err
	}
	for _, u := range uploads {
		note(u.Key, u.Size)
	}
	var found []Entry
	for _, e := range bare {
		found = append(found, *e)
	}
	return found, nil
}

// Sweep removes what Leftovers finds and returns what it removed.
func Sweep(ctx context.Context, store blobstore.Store, now time.Time) ([]Entry, error) {
	left, err := Leftovers(ctx, store, now)
	if err != nil {
		return nil, err
	}
	for i, e := range left {
		if err := Remove(ctx, store, e.ID); err != nil {
			return left[:i], err
		}
	}
	return left, nil
}
