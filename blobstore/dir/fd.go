//go:build unix

package dir

import (
	"iter"
	"strings"

	"golang.org/x/sys/unix"
)

// The calls on descriptors that everything here is made of. A signal may cut
// any of them short on network filesystems; they are repeated then.

func retry[T any](call func() (T, error)) (T, error) {
	for {
		v, err := call()
		if err != unix.EINTR {
			return v, err
		}
	}
}

// openAt opens a name in a folder and never through a symlink.
func openAt(folder int, name string, flags int, mode uint32) (int, error) {
	return retry(func() (int, error) {
		return unix.Openat(folder, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	})
}

func openFolder(parent int, name string) (int, error) {
	return openAt(parent, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

// stat looks at a name in a folder; at a symlink itself, not at its target.
func stat(folder int, name string) (st unix.Stat_t, err error) {
	_, err = retry(func() (struct{}, error) {
		return struct{}{}, unix.Fstatat(folder, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	return st, err
}

// syncFolder makes the names in a folder durable. Some filesystems have no
// such call for folders and need none (EINVAL, ENOTSUP).
func syncFolder(fd int) error {
	_, err := retry(func() (struct{}, error) { return struct{}{}, unix.Fsync(fd) })
	if err == unix.EINVAL || err == unix.ENOTSUP {
		return nil
	}
	return err
}

func isFolder(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }
func isFile(st *unix.Stat_t) bool   { return st.Mode&unix.S_IFMT == unix.S_IFREG }
func isLink(st *unix.Stat_t) bool   { return st.Mode&unix.S_IFMT == unix.S_IFLNK }

// components are the names of a relative path; "" has none.
func components(path string) iter.Seq[string] {
	if path == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(path, "/")
}
