// Package registrytest starts real storage for tests: the docker registry with
// its drivers for folders, S3 and Swift, an OpenStack Swift that serves the
// same data through its own API and through S3 with checked signatures, and an
// S3 server in this process that checks none.
//
// Only tests import it. It must never touch a server that it did not start,
// never leave one behind (a launcher watches the test process for just that),
// and never let a test pass because a program is missing: what is not
// installed is a failure that names the command that installs it.
//
// A package whose tests use OpenStack or a registry on Swift has one TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(registrytest.Main(m.Run)) }
//
// or, together with databases,
//
//	os.Exit(registrytest.Main(func() int { return dbtest.Main(m) }))
//
// Filesystem, S3 and Swift start a registry for one test, in a quarter of a
// second. OpenStack, which takes ten, is started once for the test binary.
package registrytest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// startTimeout bounds the wait for a server to come up; a machine may be busy.
const startTimeout = 3 * time.Minute

// shared is the one global of the package: testing gives the tests of one
// binary nothing else in common.
var shared struct {
	sync.Mutex
	openstack *OpenStackServer
}

// Main calls run, stops what the tests share, and returns run's exit code.
func Main(run func() int) int {
	code := run()
	shared.Lock()
	defer shared.Unlock()
	if shared.openstack == nil {
		return code
	}
	if err := shared.openstack.launcher.close(); err != nil {
		fmt.Fprintln(os.Stderr, "registrytest:", err)
		return max(code, 1)
	}
	return code
}

// program finds a server program; Debian keeps some where an ordinary user's
// PATH does not go.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed; run: make deps", name)
}

// newFolder makes a folder that every account may enter, as servers may run as
// one of their own.
func newFolder() (string, error) {
	dir, err := os.MkdirTemp("", "harbordb-registrytest-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// freePorts returns ports of 127.0.0.1 on which nobody listens now.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, lerr := net.Listen("tcp", "127.0.0.1:0")
		if lerr != nil {
			return nil, lerr
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// listens reports as an error that nobody listens on a port.
func listens(port int) error {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}
