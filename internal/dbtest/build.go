package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// build makes the server's folder and data and starts it. On failure nothing
// is left.
func (s *Server) build() error {
	dir, err := os.MkdirTemp("/tmp", "hdb.")
	if err != nil {
		return err
	}
	s.dir = dir
	s.process, err = newProcess(dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.fill(); err != nil {
		return errors.Join(err, s.process.close())
	}
	return nil
}

func (s *Server) fill() error {
	// The server's account has to get in; its data folder is its own.
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
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
