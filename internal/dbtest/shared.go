package dbtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared are the servers of this test binary. It is the one global of the
// package: testing gives tests of one binary nothing else in common.
var shared servers

type servers struct {
	mu   sync.Mutex
	list map[string]*Server

	copying sync.Mutex
	copies  *process // the folder of copies and its watchdog; runs nothing
}

// Main runs the tests and then stops all shared servers and removes their
// folders; it returns the exit code. What it cannot do, because the process
// panics or is killed, the servers' watchdogs do.
func Main(m *testing.M) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		return max(code, 1)
	}
	return code
}

func (s *servers) get(t testing.TB, name string, start func() (*Server, error)) *Server {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if server, ok := s.list[name]; ok {
		return server
	}
	server, err := start()
	if err != nil {
		t.Fatal(err)
	}
	if s.list == nil {
		s.list = map[string]*Server{}
	}
	s.list[name] = server
	return server
}

func (s *servers) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for name, server := range s.list {
		if err := server.process.close(); err != nil && first == nil {
			first = fmt.Errorf("stop %s: %w", name, err)
		}
		delete(s.list, name)
	}
	if s.copies != nil {
		return errors.Join(first, s.copies.close())
	}
	return first
}

// copyOf copies a folder to where every account can reach it, once.
func (s *servers) copyOf(folder string) (string, error) {
	s.copying.Lock()
	defer s.copying.Unlock()
	if s.copies == nil {
		dir, err := newFolder()
		if err != nil {
			return "", err
		}
		if s.copies, err = newProcess(dir); err != nil {
			return "", err
		}
	}
	to := filepath.Join(s.copies.dir, filepath.Base(folder))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	return to, copyTree(folder, to)
}

// PostgreSQL returns the shared PostgreSQL server of DefaultMajor.
func PostgreSQL(t testing.TB) *Server {
	t.Helper()
	return PostgreSQLMajor(t, DefaultMajor)
}

// PostgreSQLMajor returns the shared PostgreSQL server of a major, 10 to 18.
func PostgreSQLMajor(t testing.TB, major int) *Server {
	t.Helper()
	return shared.get(t, fmt.Sprintf("postgresql-%d", major), func() (*Server, error) {
		return launchPostgreSQL(Options{Major: major})
	})
}

// MariaDB returns the shared MariaDB server.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	return shared.get(t, "mariadb", func() (*Server, error) { return launchMariaDB(Options{}) })
}

// MySQL56 returns the shared MySQL 5.6 server, the one that Harbor up to 1.2
// came with.
func MySQL56(t testing.TB) *Server {
	t.Helper()
	return shared.get(t, "mysql-5.6", func() (*Server, error) { return launchMySQL56(Options{}) })
}

// StartPostgreSQL starts a PostgreSQL server for this test alone.
func StartPostgreSQL(t testing.TB, o Options) *Server {
	t.Helper()
	return alone(t, o, launchPostgreSQL)
}

// StartMariaDB starts a MariaDB server for this test alone.
func StartMariaDB(t testing.TB, o Options) *Server {
	t.Helper()
	return alone(t, o, launchMariaDB)
}

// StartMySQL56 starts a MySQL 5.6 server for this test alone.
func StartMySQL56(t testing.TB, o Options) *Server {
	t.Helper()
	return alone(t, o, launchMySQL56)
}

func alone(t testing.TB, o Options, launch func(Options) (*Server, error)) *Server {
	t.Helper()
	s, err := launch(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.process.close(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}
