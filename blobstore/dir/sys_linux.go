package dir

import "golang.org/x/sys/unix"

func renameNoReplace(folder int, from, to string) error {
	return unix.Renameat2(folder, from, folder, to, unix.RENAME_NOREPLACE)
}

// isMountRoot asks the kernel (5.8 and later) whether a folder is the root of
// a mount, bind mounts of the same filesystem too.
func isMountRoot(path string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &st)
	return err == nil && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// openBelow opens a path of several names below a folder for reading, and
// fails where one of them is a symlink (Linux 5.6 and later).
func openBelow(folder int, path string, flags int) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | flags),
		Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
	}
	return retry(func() (int, error) { return unix.Openat2(folder, path, &how) })
}

// lookOnly opens a file without the right to read it.
const lookOnly = unix.O_PATH
