package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
)

// storeMode says what is to happen where the store is not there yet.
type storeMode int

const (
	existingStore storeMode = iota // it is an error, wrapping blobstore.ErrNotFound
	newStore                       // it is made
)

// storeOpener opens a store at what stands behind the scheme of its URL.
type storeOpener func(ctx context.Context, s *session, rest string, mode storeMode) (blobstore.Store, error)

// storeOpeners are the kinds of stores by the scheme of their URL; without a
// scheme it is a folder.
func storeOpeners() map[string]storeOpener {
	return map[string]storeOpener{
		"file": openFileURL,
		"s3":   openS3URL,
	}
}

// openStore opens the store of --store for reading and deleting. Where there
// is none yet, the error wraps blobstore.ErrNotFound.
func (s *session) openStore(ctx context.Context) (blobstore.Store, error) {
	return s.openStoreIn(ctx, existingStore)
}

// createStore opens the store of --store and makes it where it is missing.
func (s *session) createStore(ctx context.Context) (blobstore.Store, error) {
	return s.openStoreIn(ctx, newStore)
}

func (s *session) openStoreIn(ctx context.Context, mode storeMode) (blobstore.Store, error) {
	scheme, rest, isURL := strings.Cut(s.global.store, "://")
	if !isURL {
		return openFolder(s, s.global.store, mode)
	}
	open, ok := storeOpeners()[scheme]
	if !ok {
		var known []string
		for name := range storeOpeners() {
			known = append(known, name+"://")
		}
		slices.Sort(known)
		return nil, fault.Usagef("--store: no store is known by %s://", scheme).
			WithHint("a directory, or one of %s", strings.Join(known, ", "))
	}
	return open(ctx, s, rest, mode)
}

func openFileURL(_ context.Context, s *session, rest string, mode storeMode) (blobstore.Store, error) {
	host, path, _ := strings.Cut(rest, "/")
	path, err := url.PathUnescape("/" + path)
	if err != nil || host != "" && host != "localhost" {
		return nil, fault.Usagef("--store: a file URL has three slashes and a path: file:///var/lib/harbordb")
	}
	return openFolder(s, path, mode)
}

// openFolder opens a folder, unless other users could change what is in it.
func openFolder(s *session, path string, mode storeMode) (blobstore.Store, error) {
	if path == "" {
		return nil, fault.Usagef("--store is empty")
	}
	warnings, err := dir.CheckPrivate(path)
	for _, warning := range warnings {
		s.console.warn("%s", warning)
	}
	if err != nil {
		return nil, err
	}
	if mode == newStore {
		return asStore(dir.Create(path))
	}
	store, err := dir.Open(path)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil, fault.Hint(err, "--store names the folder with the snapshots; harbordb backup makes it")
	}
	return asStore(store, err)
}

// asStore keeps a nil pointer from becoming an interface that is not nil.
func asStore(store *dir.Store, err error) (blobstore.Store, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}
