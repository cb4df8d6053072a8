package dbtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
)

// serversVariable names another folder for the servers that npm brings.
const serversVariable = "HARBORDB_TEST_SERVERS"

// missing is the error for what is not installed.
func missing(what string) error {
	return fmt.Errorf("%s is not installed; run: make deps", what)
}

// cacheDir is where `make deps` puts servers and this package puts templates:
// .cache/servers at the module's root, or $HARBORDB_TEST_SERVERS.
func cacheDir() (string, error) {
	if dir := os.Getenv(serversVariable); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache", "servers"), nil
		}
	}
	return "", errors.New("no go.mod above the working directory")
}

// npmFolder is where the npm package with the given alias is installed, or a
// copy that the servers' accounts can reach.
func npmFolder(alias string) (string, error) {
	root, err := cacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "node_modules", alias)
	if _, err := os.Stat(folder); err != nil || os.Geteuid() != 0 || reachable(folder) {
		return folder, nil // if it is not there, the caller says so
	}
	return shared.copyOf(folder)
}

// reachable says whether every account may enter a folder. A checkout below
// /root is one that only root may.
func reachable(folder string) bool {
	for ; folder != "/"; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
	}
	return true
}

// postgresBin is the folder with initdb and postgres of a major: the
// distribution's, else npm's.
func postgresBin(major int) (string, error) {
	npm, err := npmFolder(fmt.Sprintf("pg%d", major))
	if err != nil {
		return "", err
	}
	for _, dir := range []string{
		fmt.Sprintf("/usr/lib/postgresql/%d/bin", major),
		filepath.Join(npm, "native", "bin"),
	} {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", missing(fmt.Sprintf("PostgreSQL %d", major))
}

// postgresClient is the newest client program of that name, such as pg_dump.
func postgresClient(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	sort.Slice(found, func(i, j int) bool {
		return len(found[i]) > len(found[j]) || len(found[i]) == len(found[j]) && found[i] > found[j]
	})
	if len(found) > 0 {
		return found[0], nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", missing(name)
}

// program finds a server program, in the folders too that are not on an
// ordinary user's PATH.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/bin"} {
		if path := filepath.Join(dir, name); executable(path) {
			return path, nil
		}
	}
	return "", missing(name)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
