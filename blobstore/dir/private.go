//go:build unix

package dir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/internal/fault"
)

// maxLinks is how many symlinks on the way to a store are followed; the
// kernel follows as many.
const maxLinks = 40

// CheckPrivate says whether other users could put something else in the
// place of the store at path, or of what it holds: then the error is of kind
// Refused. It looks at the store and at every folder and symlink on the way to
// it; what does not exist yet would be made private. At the root of a mounted
// volume, which in containers is often open to all, the same is a warning
// only. Root is trusted, all other users are not.
func CheckPrivate(path string) (warnings []string, err error) {
	way, err := wayTo(path)
	if err != nil {
		return nil, fmt.Errorf("check store %s: %w", path, err)
	}
	return judge(path, way, os.Geteuid())
}

// step is one folder or symlink on the way to a store.
type step struct {
	path      string
	owner     int
	mode      uint32
	mountRoot bool
	last      bool // the store itself
}

// judge is the rule of CheckPrivate.
func judge(store string, way []step, euid int) (warnings []string, err error) {
	for _, s := range way {
		what, cure := s.weakness(euid)
		if what == "" {
			continue
		}
		if s.mountRoot {
			warnings = append(warnings, fmt.Sprintf("%s (the root of a mounted volume) %s: make sure that nobody else uses this volume", s.path, what))
			continue
		}
		return warnings, fault.Refusedf("store %s is not safe from other users: %s %s", store, s.path, what).
			WithHint("%s, or name another folder with --store", cure)
	}
	return warnings, nil
}

// weakness says what is wrong with one step, and what would cure it.
func (s step) weakness(euid int) (what, cure string) {
	if s.owner != euid && s.owner != 0 {
		return fmt.Sprintf("belongs to another user (uid %d)", s.owner), fmt.Sprintf("chown %d %s", euid, s.path)
	}
	if s.mode&unix.S_IFMT == unix.S_IFLNK {
		return "", "" // a symlink has no mode
	}
	open := s.mode & 0o022
	// Where the sticky bit is set, nobody can replace what is another's;
	// but in the store itself anybody could put things of his own.
	if open == 0 || s.mode&unix.S_ISVTX != 0 && !s.last {
		return "", ""
	}
	who := "its group"
	if open&0o002 != 0 {
		who = "everybody"
	}
	return "can be written by " + who, "chmod go-w " + s.path
}

// wayTo lists every folder and symlink that the kernel passes on the way to
// path, from "/" on, as far as they exist.
func wayTo(path string) (way []step, err error) {
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		path = here + "/" + path
	}
	if way, _, err = look(nil, "/"); err != nil {
		return nil, err
	}
	at, links := "/", 0 // at has no symlinks in it, so that ".." is simply the folder above
	for rest := path; rest != ""; {
		var name, target string
		name, rest, _ = strings.Cut(rest, "/")
		next := filepath.Join(at, name) // also for "", "." and ".."
		if next == at || name == ".." {
			at = next
			continue
		}
		way, target, err = look(way, next)
		switch {
		case errors.Is(err, unix.ENOENT):
			return way, nil
		case err != nil:
			return nil, err
		case target == "":
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, &os.PathError{Op: "follow", Path: next, Err: unix.ELOOP}
		}
		if rest = target + "/" + rest; filepath.IsAbs(target) {
			at = "/"
		}
	}
	for i := range way {
		way[i].last = way[i].path == at
	}
	return way, nil
}

// look appends one step, and returns its target if it is a symlink.
func look(way []step, path string) (_ []step, target string, err error) {
	var st, above unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return way, "", &os.PathError{Op: "look at", Path: path, Err: err}
	}
	s := step{path: path, owner: int(st.Uid), mode: uint32(st.Mode)}
	if isLink(&st) {
		target, err = os.Readlink(path)
		return append(way, s), target, err
	}
	if !isFolder(&st) {
		return way, "", fmt.Errorf("%s is no folder", path)
	}
	err = unix.Lstat(filepath.Dir(path), &above)
	s.mountRoot = isMountRoot(path) || err == nil && above.Dev != st.Dev
	return append(way, s), "", nil
}

// Free returns how many bytes may still be written by us at path, or at the
// nearest folder above it that exists. It is false where that is not known.
func Free(path string) (bytes int64, ok bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, false
	}
	for {
		var st unix.Statfs_t
		switch err := unix.Statfs(path, &st); {
		case err == nil:
			return int64(st.Bavail) * int64(st.Bsize), true
		case !errors.Is(err, unix.ENOENT) || path == "/":
			return 0, false
		}
		path = filepath.Dir(path)
	}
}
