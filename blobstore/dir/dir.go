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
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, r.wrap("open", key, err)
	}
	if _, err := unix.Seek(fd, offset, io.SeekStart); err != nil {
		return nil, r.wrap("read", key, err)
	}
	return &body{ctx: ctx, file: os.NewFile(uintptr(fd), r.name(key)), left: st.Size - offset}, nil
}

// body reads a file up to the size that it had when it was opened.
type body struct {
	ctx  context.Context
	file *os.File
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read %s: %w", b.file.Name(), err)
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.file.Read(p)
	b.left -= int64(n)
	if err == io.EOF {
		err = fmt.Errorf("read %s: %d bytes are missing at its end: %w", b.file.Name(), b.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

func (b *body) Close() error { return b.file.Close() }

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
		WithHint("put the file or folder itself in its place; below the root of a store no symlink is followed")
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
