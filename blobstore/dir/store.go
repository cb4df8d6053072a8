//go:build unix

package dir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/blobstore"
)

// Modes of what we make, whatever the umask.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// Store is a folder of ours. Safe for concurrent use, by several processes
// too.
type Store struct {
	Reader
}

var (
	_ blobstore.Store   = (*Store)(nil)
	_ blobstore.Sweeper = (*Store)(nil)
)

// Open opens the store at an existing folder. Whether others could tamper
// with it, CheckPrivate says.
func Open(path string) (*Store, error) {
	r, err := open(path, objects)
	if err != nil {
		return nil, err
	}
	return &Store{r}, nil
}

// Create opens the store at a folder and makes the folder, and those above
// it, where they are missing.
func Create(path string) (*Store, error) {
	if err := makeAll(path); err != nil {
		return nil, fmt.Errorf("make store: %w", err)
	}
	return Open(path)
}

// makeAll makes a folder and the missing ones above it, durably.
func makeAll(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	switch err := unix.Access(path, unix.F_OK); {
	case err == nil:
		return nil
	case !errors.Is(err, unix.ENOENT):
		return &os.PathError{Op: "look at", Path: path, Err: err}
	}
	above, base := filepath.Split(path)
	if err := makeAll(filepath.Clean(above)); err != nil {
		return err
	}
	parent, err := retry(func() (int, error) {
		return unix.Open(above, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return &os.PathError{Op: "open folder", Path: above, Err: err}
	}
	defer unix.Close(parent)
	made, err := makeFolder(parent, base)
	if err != nil {
		return &os.PathError{Op: "make folder", Path: path, Err: err}
	}
	return unix.Close(made)
}

// makeFolder makes and opens a folder that was not there a moment ago, and
// makes its name durable. One that somebody else has just made is as good.
func makeFolder(parent int, name string) (int, error) {
	err := unix.Mkdirat(parent, name, folderMode)
	made := err == nil
	if err != nil && err != unix.EEXIST {
		return -1, err
	}
	fd, err := openFolder(parent, name)
	if err == unix.EACCES && made { // a umask that takes our own rights away
		if err = unix.Fchmodat(parent, name, folderMode, 0); err == nil {
			fd, err = openFolder(parent, name)
		}
	}
	if err != nil {
		return -1, err
	}
	if made {
		err = setMode(fd, folderMode)
	}
	if err == nil {
		err = syncFolder(parent)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// setMode gives something that we have just made its mode. Where even its
// maker may not, the filesystem has no modes (SMB, FAT): its mount options
// say who may read, and CheckPrivate sees them.
func setMode(fd int, mode uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if uint32(st.Mode)&0o7777 == mode {
		return nil
	}
	switch err := unix.Fchmod(fd, mode); err {
	case unix.EPERM, unix.ENOTSUP, unix.EINVAL, unix.ENOSYS:
		return nil
	default:
		return err
	}
}

// enter opens the folder at path below the root, and makes what is missing.
func (s *Store) enter(path string) (int, error) {
	at, err := openFolder(s.root, ".")
	if err != nil {
		return -1, s.wrap("open folder", "", err)
	}
	done := 0
	for part := range components(path) {
		next, err := openFolder(at, part)
		if err == unix.ENOENT {
			next, err = makeFolder(at, part)
		}
		done += len(part) + 1
		if err != nil {
			err = s.notEntered(at, part, path[:done-1], err)
			unix.Close(at)
			return -1, err
		}
		unix.Close(at)
		at = next
	}
	return at, nil
}

// Delete removes a file, and the folders above it that are empty then. It
// returns when that is on the disk.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := blobstore.CheckKey(key); err != nil {
		return err
	}
	return s.remove(key)
}

func (s *Store) remove(key string) error {
	chain, err := s.chain(key)
	defer chain.close()
	if errors.Is(err, blobstore.ErrNotFound) {
		return s.alive()
	}
	if err != nil {
		return err
	}
	last := len(chain.folders) - 1
	err = unlink(chain.folders[last], chain.names[last])
	if err == nil {
		// Also where nothing was there: a delete that was killed may
		// have left its work in memory.
		err = syncFolder(chain.folders[last])
	}
	if err != nil {
		return s.wrap("delete", key, err)
	}
	return s.wrapNil("delete empty folder above", key, chain.prune())
}

// Uploads calls each for the temporary files that writers under way, or
// killed, have below the prefix; Key is the file's own name.
func (s *Store) Uploads(ctx context.Context, prefix string, each func(blobstore.Upload) error) error {
	return s.list(ctx, blobstore.Range{Prefix: prefix}, unfinished, func(o blobstore.Object) error {
		_, base := split(o.Key)
		return each(blobstore.Upload{Key: o.Key, ID: base, Started: o.ModTime, Size: o.Size})
	})
}

// Sweep removes a temporary file that Uploads named.
func (s *Store) Sweep(ctx context.Context, u blobstore.Upload) error {
	if _, base := split(u.Key); !strings.HasPrefix(base, blobstore.TempPrefix) {
		return fmt.Errorf("sweep %s: %w: it is no unfinished object", s.name(u.Key), blobstore.ErrKey)
	}
	return s.Delete(ctx, u.Key)
}

// wrapNil is wrap that lets success pass.
func (s *Store) wrapNil(step, key string, err error) error {
	if err == nil {
		return nil
	}
	return s.wrap(step, key, err)
}

// unlink removes a name that is no folder; one that is not there, or is a
// folder, is no object and no error.
func unlink(folder int, name string) error {
	err := unix.Unlinkat(folder, name, 0)
	switch err {
	case unix.ENOENT, unix.EISDIR:
		return nil
	case unix.EPERM: // what POSIX says instead of EISDIR; else a real refusal
		if st, serr := stat(folder, name); serr == nil && isFolder(&st) {
			return nil
		}
	}
	return err
}

// chain is the way from the root to a key: folders[i] holds names[i].
type chain struct {
	folders []int
	names   []string
}

// chain opens all folders on the way to key. It is to be closed, after an
// error too.
func (s *Store) chain(key string) (c chain, err error) {
	at, err := openFolder(s.root, ".")
	if err != nil {
		return c, s.wrap("open folder", "", err)
	}
	c.folders = append(c.folders, at)
	folder, base := split(key)
	done := 0
	for part := range components(folder) {
		next, err := openFolder(at, part)
		done += len(part) + 1
		if err != nil {
			return c, s.notEntered(at, part, folder[:done-1], err)
		}
		c.names = append(c.names, part)
		c.folders = append(c.folders, next)
		at = next
	}
	c.names = append(c.names, base)
	return c, nil
}

func (c chain) close() {
	for _, fd := range c.folders {
		unix.Close(fd)
	}
}

// prune removes the folders above the key that are empty, from the last to
// the first, durably. One that somebody has filled meanwhile stays, and one
// that is not ours to remove.
func (c chain) prune() error {
	for i := len(c.folders) - 2; i >= 0; i-- {
		err := unix.Unlinkat(c.folders[i], c.names[i], unix.AT_REMOVEDIR)
		switch err {
		case nil, unix.ENOENT:
			if err := syncFolder(c.folders[i]); err != nil {
				return err
			}
		case unix.ENOTEMPTY, unix.EEXIST, unix.EBUSY, unix.EACCES, unix.EPERM:
			return nil
		default:
			return err
		}
	}
	return nil
}

// Free returns how many bytes may still be written to the store.
func (s *Store) Free() (bytes int64, known bool) { return Free(s.path) }
