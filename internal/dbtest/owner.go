package dbtest

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// owner is the account that runs a server: ours, or, because servers refuse to
// run as root, the one that its package made ("postgres", "mysql").
type owner struct {
	uid, gid int
	drop     bool // we are root
}

func findOwner(account string) (owner, error) {
	if os.Geteuid() != 0 {
		return owner{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	u, err := user.Lookup(account)
	if err != nil {
		return owner{}, missing("the account " + account)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return owner{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return owner{uid: uid, gid: gid, drop: true}, err
}

func (o owner) attributes() *syscall.SysProcAttr {
	if !o.drop {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}}
}

func (o owner) chown(path string) error {
	if !o.drop {
		return nil
	}
	return os.Chown(path, o.uid, o.gid)
}

func (o owner) chownTree(root string) error {
	return filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return o.chown(path)
	})
}

// run runs a program to its end as o in dir and returns its output, for an
// error.
func (o owner) run(dir, path string, args ...string) (string, error) {
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment(dir), o.attributes()
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// environment is all that a server sees of ours: a developer's PGDATA, LANG
// or MYSQL_HOME must not change a test.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC"}
}
