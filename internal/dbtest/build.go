package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// build makes the server's folder and data and starts it. On failure nothing
// is left.
func (s *Server) build() error {
	var err error
	if s.dir, err = newFolder(); err != nil {
		return err
	}
	if s.process, err = newProcess(s.dir); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.fill(); err != nil {
		return errors.Join(err, s.process.close())
	}
	return nil
}

// newFolder makes a folder with a short path that every account may enter.
func newFolder() (string, error) {
	dir, err := os.MkdirTemp("/tmp", "hdb.")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

func (s *Server) fill() error {
	o, err := s.owner()
	if err != nil {
		return err
	}
	if err := o.chown(s.dir); err != nil {
		return err
	}
	if err := s.product.create(s); err != nil {
		return err
	}
	return s.firstStart()
}

// firstStart finds a free port. Between the look and the server's bind another
// process may take it: then the next one is tried.
func (s *Server) firstStart() error {
	var err error
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.start(); err == nil {
			return nil
		}
		if !strings.Contains(strings.ToLower(err.Error()), "address already in use") {
			return err
		}
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start runs the server and waits until it answers.
func (s *Server) start() error {
	c, err := s.product.command(s)
	if err != nil {
		return err
	}
	o, err := s.owner()
	if err != nil {
		return err
	}
	if s.options.DiskMB > 0 {
		c, o = s.onSmallDisk(c, o), owner{}
	}
	if err := s.process.start(c, o, s.logFile()); err != nil {
		return err
	}
	err = poll(s.ping, s.process.exited())
	if err == nil {
		return nil
	}
	log, _ := os.ReadFile(s.logFile())
	return errors.Join(fmt.Errorf("%w; its log ends:\n%s", err, tail(log)), s.process.kill())
}

// smallDisk mounts a tmpfs of $1 MB over the data folder $2, where only this
// process and its children see it, copies the data there and becomes the
// command in the further arguments. PostgreSQL's log of changes stays outside:
// a server that cannot write it ends itself.
const smallDisk = `set -e
size=$1 data=$2; shift 2
if [ -d "$data/pg_wal" ] && [ ! -L "$data/pg_wal" ]; then
	mv "$data/pg_wal" "$data.wal"
	ln -s "$data.wal" "$data/pg_wal"
fi
mkdir -p "$data.disk"
mount -t tmpfs -o size="${size}m",mode=700 tmpfs "$data.disk"
cp -a "$data/." "$data.disk"
mount --bind "$data.disk" "$data"
exec "$@"`

// onSmallDisk wraps a server so that its data lives on a disk of DiskMB. It
// takes root, or an account that may have name spaces of its own.
func (s *Server) onSmallDisk(c command, o owner) command {
	become := []string{"unshare", "--user", fmt.Sprintf("--map-user=%d", o.uid), fmt.Sprintf("--map-group=%d", o.gid)}
	outer := []string{"unshare", "--user", "--map-root-user", "--mount"}
	if o.drop {
		become = []string{"setpriv", fmt.Sprintf("--reuid=%d", o.uid), fmt.Sprintf("--regid=%d", o.gid), "--clear-groups", "--"}
		outer = []string{"unshare", "--mount"}
	}
	args := slices.Concat(outer[1:],
		[]string{"/bin/sh", "-c", smallDisk, "sh", fmt.Sprint(s.options.DiskMB), filepath.Join(s.dir, "data")},
		become, []string{c.path}, c.args)
	return command{path: "/usr/bin/" + outer[0], args: args, env: c.env, quit: c.quit}
}

func (s *Server) ping() error {
	db, err := open(s.Settings(""))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(context.Background())
}

func tail(log []byte) string {
	const most = 3000
	return string(log[max(0, len(log)-most):])
}

// copyTree copies a folder with owners and modes, which os.CopyFS does not.
func copyTree(from, to string) error {
	out, err := exec.Command("cp", "-a", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, out)
	}
	return nil
}

// fromTemplate makes the folder to as a copy of a template, which build makes
// in an empty folder below s.dir when it is not in the cache yet. Templates
// are kept by key and by the account that owns them.
func (s *Server) fromTemplate(key, to string, build func(dir string) error) error {
	root, err := cacheDir()
	if err != nil {
		return err
	}
	o, err := s.owner()
	if err != nil {
		return err
	}
	templates := filepath.Join(root, "templates")
	if err := os.MkdirAll(templates, 0o755); err != nil {
		return build(to) // a read-only checkout has no cache
	}
	template := filepath.Join(templates, fmt.Sprintf("%s-%d", key, o.uid))
	unlock, err := lock(template + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(template); err == nil {
		return copyTree(template, to)
	}
	if err := build(to); err != nil {
		return err
	}
	// Whole or not at all: a copy that is cut short keeps its other name.
	os.RemoveAll(template + ".new")
	if err := copyTree(to, template+".new"); err != nil {
		return err
	}
	return os.Rename(template+".new", template)
}

// lock waits for the lock file name; test binaries run side by side.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}
