//go:build unix

package dir

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/blobstore"
)

// selection says which names a list shows.
type selection int

const (
	everything selection = iota // a registry's folder: all there is
	objects                     // a store of ours: what is complete
	unfinished                  // a store of ours: what is not
)

// hides reports whether a name that is no folder is left out.
func (s selection) hides(base string) bool {
	if s == everything {
		return false
	}
	return strings.HasPrefix(base, blobstore.TempPrefix) != (s == unfinished)
}

// List calls each for every file in the range, in the bytewise order of
// keys. What vanishes while the list runs is left out; a folder that cannot
// be read is an error that names it.
func (r *Reader) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	return r.list(ctx, in, r.names, each)
}

func (r *Reader) list(ctx context.Context, in blobstore.Range, names selection, each func(blobstore.Object) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := in.Prefix[:strings.LastIndexByte(in.Prefix, '/')+1]
	if start != "" {
		if err := blobstore.CheckKey(start[:len(start)-1]); err != nil {
			return err
		}
	}
	fd, err := r.descend(strings.TrimSuffix(start, "/"))
	if errors.Is(err, blobstore.ErrNotFound) {
		return r.alive()
	}
	if err != nil {
		return err
	}
	l := listing{ctx: ctx, reader: r, in: in, names: names, each: each, buf: make([]byte, 32<<10)}
	if err := l.folder(fd, start, 0); err != nil {
		return err
	}
	return r.alive()
}

// alive returns ErrNotFound where the root itself was removed, so that a
// store that is gone is no empty store.
func (r *Reader) alive() error {
	var st unix.Stat_t
	if err := unix.Fstat(r.root, &st); err != nil {
		return r.wrap("list folder", "", err)
	}
	if st.Nlink == 0 {
		return r.wrap("list folder", "", unix.ENOENT)
	}
	return nil
}

// listing is one List call under way.
type listing struct {
	ctx     context.Context
	reader  *Reader
	in      blobstore.Range
	names   selection
	each    func(blobstore.Object) error
	buf     []byte    // what the kernel writes names into
	content []byte    // a small file, see HashUpTo
	levels  [][]entry // one slice for each depth, used again for each folder there
}

// entry is one name of a folder. The key of a folder ends in "/": compared
// like that, the names of one folder sort as all keys below them do ("a-b"
// before "a/x").
type entry struct {
	key    string
	folder bool
}

// folder lists one folder and closes fd. path is its key with the "/", or ""
// for the root.
func (l *listing) folder(fd int, path string, depth int) error {
	defer unix.Close(fd)
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if depth == len(l.levels) {
		l.levels = append(l.levels, nil)
	}
	entries, total, err := l.read(fd, path, l.levels[depth][:0])
	if err != nil {
		return l.unreadable("list folder", path, err)
	}
	l.levels[depth] = entries
	if total == 0 && path != "" && l.names == everything && l.in.Contains(path) {
		return l.empty(fd, path)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range entries {
		if e.folder {
			err = l.enter(fd, e.key, len(path), depth)
		} else {
			err = l.file(fd, e.key, len(path))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter lists a folder below fd; one that has vanished or become something
// else meanwhile has nothing to list.
func (l *listing) enter(fd int, key string, parent, depth int) error {
	if l.reader.expect != nil {
		if done, err := l.expected(fd, key, parent, depth); done {
			return err
		}
	}
	sub, err := openFolder(fd, key[parent:len(key)-1])
	switch err {
	case nil:
		return l.folder(sub, key, depth+1)
	case unix.ENOENT, unix.ENOTDIR, unix.ELOOP:
		return nil
	}
	return l.unreadable("list folder", key, err)
}

// unreadable is the error for a part of the range, unless that is all of it.
func (l *listing) unreadable(step, key string, err error) error {
	err = l.reader.wrap(step, key, err)
	if key == "" {
		return err
	}
	return &blobstore.Unreadable{Prefix: key, Err: err}
}

func (l *listing) file(fd int, key string, parent int) error {
	st, err := stat(fd, key[parent:])
	if err == unix.ENOENT || err == nil && isFolder(&st) {
		return nil
	}
	if err != nil {
		return l.unreadable("look at", key, err)
	}
	o := object(key, &st)
	if isFile(&st) && st.Size < l.reader.hashBelow {
		if o.MD5, err = l.md5(fd, key[parent:], st.Size); err != nil {
			return l.unreadable("read", key, err)
		}
	}
	return l.each(o)
}

// empty reports a folder without a name in it, unless it is gone.
func (l *listing) empty(fd int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return l.unreadable("list folder", path, err)
	}
	if st.Nlink == 0 {
		return nil
	}
	o := object(path, &st)
	o.Irregular = false // a folder is what its key says that it is
	return l.each(o)
}

// read appends the names of a folder that may hold keys of the range, and
// counts all that there are.
func (l *listing) read(fd int, path string, entries []entry) ([]entry, int, error) {
	total := 0
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(fd, l.buf) })
		if err == unix.ENOENT {
			return entries, total, nil // the folder was removed after it was opened
		}
		if err != nil || n <= 0 {
			return entries, total, err
		}
		for buf := l.buf[:n]; len(buf) > 0; {
			var kind byte
			var name []byte
			kind, name, buf = nextName(buf)
			if len(name) == 0 || string(name) == "." || string(name) == ".." {
				continue
			}
			total++
			if entries, err = l.add(entries, fd, path, kind, name); err != nil {
				return entries, total, err
			}
		}
	}
}

// add appends one name if it may hold keys of the range.
func (l *listing) add(entries []entry, fd int, path string, kind byte, name []byte) ([]entry, error) {
	if kind == unix.DT_UNKNOWN { // some filesystems do not say it in the folder
		st, err := stat(fd, string(name))
		if err == unix.ENOENT {
			return entries, nil
		}
		if err != nil {
			return entries, err
		}
		if isFolder(&st) {
			kind = unix.DT_DIR
		}
	}
	e := entry{folder: kind == unix.DT_DIR}
	if e.folder {
		if e.key = path + string(name) + "/"; !l.in.Overlaps(e.key) {
			return entries, nil
		}
	} else if e.key = path + string(name); l.names.hides(e.key[len(path):]) || !l.in.Contains(e.key) {
		return entries, nil
	}
	return append(entries, e), nil
}

// nextName takes the first record off what the kernel wrote.
func nextName(buf []byte) (kind byte, name, rest []byte) {
	const (
		lengthAt = unsafe.Offsetof(unix.Dirent{}.Reclen)
		kindAt   = unsafe.Offsetof(unix.Dirent{}.Type)
		nameAt   = unsafe.Offsetof(unix.Dirent{}.Name)
	)
	length := binary.NativeEndian.Uint16(buf[lengthAt:])
	name = buf[nameAt:length]
	for i, c := range name {
		if c == 0 {
			name = name[:i]
			break
		}
	}
	return buf[kindAt], name, buf[length:]
}
