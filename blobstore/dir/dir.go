//go:build unix

// Package dir keeps objects as files below a folder, and reads the folder of
// a registry as a flat, ordered map.
//
// A Store is a folder of ours: folders 0700, files 0600, an object either
// whole and on the disk or not there. A Reader is somebody else's folder and
// is never changed. Neither ever follows a symlink below its root, so that
// nobody who can write into a store can turn a read or a write elsewhere.
//
// Objects are reached component by component from a descriptor of the root,
// which is opened once: a volume that is unmounted or replaced while we work
// is an error or stays reachable, and is never mistaken for an empty one.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
)

// Reader reads a folder. Safe for concurrent use; lists of disjoint ranges
// may run side by side.
type Reader struct {
	path  string
	root  int // descriptor of the root
	names selection
	// hashBelow is the size from which on lists tell no MD5.
	hashBelow int64
	// expect names what a folder holds, see Expect.
	expect func(folder string) []string
}

var _ blobstore.Reader = (*Reader)(nil)

// OpenReader opens the folder of a registry for reading. The folder itself
// may be a symlink. Nothing is hidden: besides the files a list has whatever
// else lies there, symlinks and the like as Irregular, and a folder that holds
// nothing as a key that ends in "/", as a bucket would show it.
func OpenReader(path string) (*Reader, error) {
	r, err := open(path, everything)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

func open(path string, names selection) (Reader, error) {
	r := Reader{path: path, names: names}
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return r, r.wrap("open folder", "", err)
	}
	r.root = fd
	return r, nil
}

// Close gives the root back. No other call may be running or follow.
func (r *Reader) Close() error { return unix.Close(r.root) }

// String names the folder.
func (r *Reader) String() string { return r.path }

// Head returns what the folder knows of a file.
func (r *Reader) Head(ctx context.Context, key string) (blobstore.Object, error) {
	if fd, ok := r.reach(ctx, key, lookOnly); ok {
		defer unix.Close(fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err == nil && !isFolder(&st) {
			return object(key, &st), nil
		}
	}
	folder, base, err := r.locate(ctx, key)
	if err != nil {
		return blobstore.Object{}, err
	}
	defer unix.Close(folder)
	st, err := stat(folder, base)
	if err != nil {
		return blobstore.Object{}, r.wrap("look at", key, err)
	}
	if isFolder(&st) {
		return blobstore.Object{}, r.wrap("look at", key, unix.ENOENT)
	}
	return object(key, &st), nil
}

// Get opens a file. What is appended to it afterwards is not read.
func (r *Reader) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	if fd, ok := r.reach(ctx, key, unix.O_NONBLOCK); ok {
		return r.opened(ctx, fd, key, offset)
	}
	folder, base, err := r.locate(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unix.Close(folder)
	// Without O_NONBLOCK, opening a pipe that somebody put there would
	// wait for its other end for ever.
	fd, err := openAt(folder, base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, r.irregular(key)
	}
	if err != nil {
		return nil, r.wrap("open", key, err)
	}
	return r.opened(ctx, fd, key, offset)
}

// reach opens a key in one step. It is false where that cannot be, whatever
// the reason: going there component by component will tell.
func (r *Reader) reach(ctx context.Context, key string, flags int) (fd int, ok bool) {
	if ctx.Err() != nil || blobstore.CheckKey(key) != nil {
		return -1, false
	}
	fd, err := openBelow(r.root, key, flags)
	return fd, err == nil
}

// opened returns the reader of an open file, which then owns fd.
func (r *Reader) opened(ctx context.Context, fd int, key string, offset int64) (io.ReadCloser, error) {
	b, err := r.body(ctx, fd, key, offset)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return b, nil
}

// body checks an open file and returns its reader, which then owns fd.
func (r *Reader) body(ctx context.Context, fd int, key string, offset int64) (*body, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, r.wrap("open", key, err)
	}
	switch {
	case isFolder(&st):
		return nil, r.wrap("open", key, unix.ENOENT)
	case !isFile(&st):
		return nil, r.irregular(key)
	case offset < 0 || offset > st.Size:
		return nil, fmt.Errorf("read %s from byte %d: it has %d bytes", r.name(key), offset, st.Size)
	}
	return &body{ctx: ctx, reader: r, key: key, fd: fd, at: offset, end: st.Size}, nil
}

// body reads a file up to the size that it had when it was opened.
type body struct {
	ctx     context.Context
	reader  *Reader
	key     string
	fd      int
	at, end int64
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read %s: %w", b.reader.name(b.key), err)
	}
	if b.at == b.end {
		return 0, io.EOF
	}
	if left := b.end - b.at; int64(len(p)) > left {
		p = p[:left]
	}
	n, err := retry(func() (int, error) { return unix.Pread(b.fd, p, b.at) })
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", b.reader.name(b.key), err)
	}
	if n == 0 && len(p) > 0 {
		return 0, fmt.Errorf("read %s: %d bytes are missing at its end: %w", b.reader.name(b.key), b.end-b.at, io.ErrUnexpectedEOF)
	}
	b.at += int64(n)
	return n, nil
}

func (b *body) Close() error {
	if b.fd < 0 {
		return os.ErrClosed
	}
	fd := b.fd
	b.fd = -1
	return unix.Close(fd)
}

// Uploads calls each never: a registry's folder has no such thing.
func (r *Reader) Uploads(ctx context.Context, _ string, _ func(blobstore.Upload) error) error {
	return ctx.Err()
}

// locate opens the folder that holds key and returns key's last component.
func (r *Reader) locate(ctx context.Context, key string) (folder int, base string, err error) {
	if err := ctx.Err(); err != nil {
		return -1, "", err
	}
	if err := blobstore.CheckKey(key); err != nil {
		return -1, "", err
	}
	parent, base := split(key)
	if folder, err = r.descend(parent); err != nil {
		return -1, "", fmt.Errorf("find %s: %w", r.name(key), err)
	}
	return folder, base, nil
}

// descend opens the folder at path, which is relative, "" for the root, and
// has passed CheckKey. The caller closes it.
func (r *Reader) descend(path string) (int, error) {
	at, err := openFolder(r.root, ".")
	if err != nil {
		return -1, r.wrap("open folder", "", err)
	}
	done := 0
	for part := range components(path) {
		next, err := openFolder(at, part)
		done += len(part) + 1
		if err != nil {
			err = r.notEntered(at, part, path[:done-1], err)
			unix.Close(at)
			return -1, err
		}
		unix.Close(at)
		at = next
	}
	return at, nil
}

// notEntered says why the folder at path, named part in at, could not be
// opened: a symlink in its place is refused, a file in its place means that
// nothing lies below.
func (r *Reader) notEntered(at int, part, path string, err error) error {
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		if st, serr := stat(at, part); serr == nil && isLink(&st) {
			return r.irregular(path)
		}
	}
	return r.wrap("open folder", path, err)
}

// name is the full name of a key, for people.
func (r *Reader) name(key string) string { return filepath.Join(r.path, key) }

func (r *Reader) irregular(key string) error {
	return fault.Refusedf("%s is a symlink or no file, and is not followed", r.name(key)).
		WithHint("put the file or folder itself in its place, or name the folder that it points to; below the root of a store no symlink is followed")
}

// wrap puts the failed step, the full name and the sentinel around err.
func (r *Reader) wrap(step, key string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENAMETOOLONG):
		return fmt.Errorf("%s %s: %w (%w)", step, r.name(key), blobstore.ErrNotFound, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s %s: %w (%w)", step, r.name(key), blobstore.ErrDenied, err)
	}
	return fmt.Errorf("%s %s: %w", step, r.name(key), err)
}

func object(key string, st *unix.Stat_t) blobstore.Object {
	o := blobstore.Object{Key: key, ModTime: time.Unix(st.Mtim.Unix()).UTC()}
	if isFile(st) {
		o.Size = st.Size
	} else {
		o.Irregular = true
	}
	return o
}

// split cuts a key into its folder ("" for the root) and its last component.
func split(key string) (folder, base string) {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}
