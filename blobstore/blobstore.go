// Package blobstore is where harbordb's bytes are kept and where a registry's
// bytes are read: a flat map from keys to objects, over a directory, S3 or
// OpenStack Swift.
//
// A store knows nothing of snapshots, journals or registries. Reading and
// writing are two interfaces: a scan of registry storage is only ever handed
// a Reader, which can neither write nor delete. A store must never show an
// object that was not written completely, never follow a symlink in a folder
// of ours, and never put a credential into an error.
//
// Keys are UTF-8, separated by "/", relative to the root of the store, without
// a leading slash and without "." or ".." components.
package blobstore

import (
	"context"
	"errors"
	"io"
	"time"
)

// Sentinels that every store returns, wrapped with the key they concern.
var (
	// ErrNotFound: there is no such object (or no such bucket or folder,
	// where the store itself is asked for).
	ErrNotFound = errors.New("object not found")
	// ErrExists: Put was asked not to replace, and the key is taken.
	ErrExists = errors.New("object exists already")
	// ErrDenied: the store refuses the credentials or their rights.
	ErrDenied = errors.New("access denied by the store")
	// ErrKey: the key breaks the rules of CheckKey or CheckNewKey.
	ErrKey = errors.New("invalid key")
)

// Unreadable is the error of a List that came to a part of its range that it
// cannot read, such as a folder without rights, and that knows which part: a
// caller may list on behind it.
type Unreadable struct {
	Prefix string // of the keys that may be missing; a whole key where it is a file
	Err    error
}

// Error returns the text of the cause, which names the part.
func (e *Unreadable) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Unreadable) Unwrap() error { return e.Err }

// Object is what a listing or a HEAD tells of one object.
type Object struct {
	Key     string
	Size    int64 // bytes; as the listing says (Swift lists large objects as 0)
	ModTime time.Time
	// MD5 is the MD5 of the content where the store vouches for it, else
	// nil (multipart ETags, files, encrypted objects).
	MD5 []byte
	// Manifest is true where a HEAD shows a Swift large object, whose
	// listing size and MD5 say nothing. Listings leave it false.
	Manifest bool
	// Segments is where the bytes of such an object are, where a HEAD says
	// it: what the keys of its parts begin with, without a "/" at its end.
	Segments string
	// Irregular is true where a folder holds something under this name
	// that is no file: a symlink, a socket, a device. It is listed so that
	// it can be reported; Get refuses it.
	Irregular bool
}

// Range is a part of a listing: keys that begin with Prefix, above After and
// below Before (each exclusive, bytewise; empty means open).
type Range struct {
	Prefix, After, Before string
}

// Upload is an unfinished multipart upload.
type Upload struct {
	Key     string
	ID      string
	Started time.Time
	Size    int64 // bytes received so far; -1 where the store does not say
}

// Reader reads a store. Safe for concurrent use.
type Reader interface {
	// List calls each for every object in the range, in ascending bytewise
	// order of keys, flat, and stops at the first error of each, which it
	// returns. A listing that does not advance or ends early is an error,
	// never a shorter list.
	List(ctx context.Context, r Range, each func(Object) error) error
	// Head returns one object's properties, or ErrNotFound.
	Head(ctx context.Context, key string) (Object, error)
	// Get opens an object from the given offset to its end, or returns
	// ErrNotFound. The caller closes it. A body that ends early is an
	// error from Read, not io.EOF.
	Get(ctx context.Context, key string, offset int64) (io.ReadCloser, error)
	// Uploads calls each for every unfinished multipart upload whose key
	// begins with the prefix, and stops at the first error of each, which
	// it returns. Stores without such a thing call it never.
	Uploads(ctx context.Context, prefix string, each func(Upload) error) error
	// String names the store for people, without credentials.
	String() string
}

// Writer changes a store. Safe for concurrent use.
type Writer interface {
	// Create starts an object. Nothing is visible under the key until
	// Commit returns nil; then it is complete and durable. Abort after a
	// Commit does nothing, so that it can be deferred.
	Create(ctx context.Context, key string, mode PutMode) (ObjectWriter, error)
	// Delete removes an object, durably; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Sweeper is what a Store may offer besides: it removes what a killed writer
// left behind. Found by assertion.
type Sweeper interface {
	// Sweep removes an unfinished upload that Uploads named; one that is
	// gone is no error. The caller knows that its writer is dead.
	Sweep(ctx context.Context, u Upload) error
}

// PutMode says what happens where the key is taken.
type PutMode int

const (
	// Replace overwrites what is there.
	Replace PutMode = iota
	// New fails with ErrExists where the key is taken.
	New
)

// ObjectWriter takes the bytes of one object, in order. It is used by one
// goroutine.
type ObjectWriter interface {
	io.Writer
	Commit() error
	Abort() error
}

// Store reads and writes.
type Store interface {
	Reader
	Writer
}
