//go:build unix

package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
)

// Create starts a file: a temporary one beside its place, which Commit syncs
// and then names.
func (s *Store) Create(ctx context.Context, key string, mode blobstore.PutMode) (blobstore.ObjectWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := blobstore.CheckNewKey(key); err != nil {
		return nil, err
	}
	folder, base := split(key)
	fd, temp, err := s.createTemp(folder)
	if err != nil {
		return nil, err
	}
	w := &writer{
		ctx: ctx, store: s, key: key, base: base, mode: mode,
		folder: fd, file: temp.file, temp: temp.name,
	}
	if mode == blobstore.New {
		if _, err := stat(fd, base); err == nil {
			return nil, errors.Join(w.exists(), w.Abort())
		}
	}
	return w, nil
}

type tempFile struct {
	name string
	file *os.File
}

// createTemp opens a folder and a new temporary file in it. A Delete that
// runs elsewhere may remove the folder, empty as it is, in between: then once
// more, but not for ever.
func (s *Store) createTemp(folder string) (fd int, temp tempFile, err error) {
	name := blobstore.TempPrefix + rand.Text()
	for range 100 {
		if fd, err = s.enter(folder); err != nil {
			if errors.Is(err, unix.ENOENT) {
				continue
			}
			return -1, temp, err
		}
		if temp, err = s.tempIn(fd, folder, name); err == nil {
			return fd, temp, nil
		}
		unix.Close(fd)
		if !errors.Is(err, unix.ENOENT) {
			break
		}
	}
	return -1, temp, err
}

func (s *Store) tempIn(fd int, folder, name string) (temp tempFile, err error) {
	file, err := openAt(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, fileMode)
	if err != nil {
		return temp, s.wrap("create a file in", folder, err)
	}
	temp = tempFile{name, os.NewFile(uintptr(file), s.name(folder+"/"+name))}
	if err := setMode(file, fileMode); err != nil {
		return temp, errors.Join(s.wrap("protect a file in", folder, err), temp.file.Close(), unlink(fd, name))
	}
	return temp, nil
}

// writer is one file under way.
type writer struct {
	ctx    context.Context
	store  *Store
	key    string
	base   string
	mode   blobstore.PutMode
	folder int
	file   *os.File
	temp   string // "" once the writer has ended
	failed error  // of the first write that failed
}

var errEnded = errors.New("the writer has been committed or aborted already")

func (w *writer) Write(p []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	if err != nil {
		w.failed = w.store.wrap("write", w.key, err)
	}
	return n, w.failed
}

func (w *writer) usable() error {
	if w.temp == "" {
		return fmt.Errorf("write %s: %w", w.store.name(w.key), errEnded)
	}
	if w.failed != nil {
		return w.failed
	}
	return w.ctx.Err()
}

// Commit syncs the file, gives it its name and syncs the folder. After an
// error nothing of this writer is left, with one exception: a Replace whose
// folder could not be synced may or may not have replaced the old object.
func (w *writer) Commit() error {
	err := w.usable()
	if err == nil {
		err = w.store.wrapNil("sync", w.key, w.file.Sync())
	}
	if err == nil {
		err = w.place()
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	w.temp = ""
	err = w.store.wrapNil("sync folder of", w.key, syncFolder(w.folder))
	if err != nil && w.mode == blobstore.New {
		err = errors.Join(err, w.store.wrapNil("remove", w.key, unlink(w.folder, w.base)))
	}
	unix.Close(w.folder)
	return err
}

// place closes the file and moves it from its temporary name to its own.
func (w *writer) place() error {
	if err := w.file.Close(); err != nil {
		return w.store.wrap("close", w.key, err)
	}
	var err error
	switch w.mode {
	case blobstore.New:
		err = renameNew(w.folder, w.temp, w.base)
	default:
		_, err = retry(func() (struct{}, error) {
			return struct{}{}, unix.Renameat(w.folder, w.temp, w.folder, w.base)
		})
	}
	switch {
	case err == unix.EEXIST && w.mode == blobstore.New:
		return w.exists()
	case err == errNoAtomicNew:
		return fault.Refusedf("create %s: %w", w.store.name(w.key), err).
			WithHint("keep the store on another filesystem")
	}
	return w.store.wrapNil("rename to", w.key, err)
}

func (w *writer) exists() error {
	return fmt.Errorf("create %s: %w", w.store.name(w.key), blobstore.ErrExists)
}

// Abort removes the temporary file, and the folders above it if they are
// empty then. After a Commit or an Abort it does nothing.
func (w *writer) Abort() error {
	if w.temp == "" {
		return nil
	}
	parent, _ := split(w.key)
	temp := w.temp
	if parent != "" {
		temp = parent + "/" + temp
	}
	w.temp = ""
	_ = w.file.Close() // its bytes are not wanted; place may have closed it
	unix.Close(w.folder)
	return w.store.remove(temp)
}

// errNoAtomicNew: the filesystem has neither of the two calls that give a
// file a name only if the name is free.
var errNoAtomicNew = errors.New("the filesystem can neither link files nor rename them without replacing")

// renameNew gives a file its name if the name is free, else EEXIST.
func renameNew(folder int, temp, base string) error {
	_, err := retry(func() (struct{}, error) {
		return struct{}{}, renameNoReplace(folder, temp, base)
	})
	switch err {
	case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP, unix.EPERM:
	default:
		return err
	}
	// Not everywhere, or not through every sandbox: link does the same in
	// two steps, and a crash in between leaves a temporary name.
	switch err := unix.Linkat(folder, temp, folder, base, 0); err {
	case nil:
		return unlink(folder, temp)
	case unix.ENOSYS, unix.ENOTSUP, unix.EPERM, unix.EMLINK:
		return errNoAtomicNew
	default:
		return err
	}
}
