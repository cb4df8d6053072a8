package deploy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// container is one run of the image, in a mount name space of its own and in
// the network of this machine.
type container struct {
	root   string
	args   []string // behind the entrypoint, which is the first
	env    map[string]string
	mounts []mount
	// readOnly says that the root file system cannot be written.
	readOnly bool
}

type mount struct {
	source, target string
	readOnly       bool
}

// container is the image as it is, with arguments or its own.
func (i image) container(args ...string) container {
	if len(args) == 0 {
		args = i.config.Cmd
	}
	c := container{root: i.root, args: slices.Concat(i.config.Entrypoint, args), env: map[string]string{}}
	c.setenv(i.config.Env...)
	return c
}

// setenv sets variables that are written NAME=value.
func (c *container) setenv(pairs ...string) {
	for _, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok {
			c.env[name] = value
		}
	}
}

type result struct {
	stdout, stderr string
	code           int
}

// enter mounts what stands behind the image's root: "source target ro|rw" up
// to a "--", and then becomes the command behind it.
const enter = `set -e
root=$1 mode=$2; shift 2
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
	mount --bind "$1" "$root$2"
	[ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
	shift 3
done
[ "$mode" = rw ] || mount -o remount,bind,ro "$root"
shift
exec "$@"`

// The user of the image.
const userID = 10000

// run takes root, or an account that may have name spaces of its own.
func (c container) run(t testing.TB) result {
	t.Helper()
	outer, become := []string{"--mount"}, []string{fmt.Sprintf("--setuid=%d", userID), fmt.Sprintf("--setgid=%d", userID)}
	if os.Geteuid() != 0 {
		outer = []string{"--user", "--map-root-user", "--mount"}
		become = []string{"--user", fmt.Sprintf("--map-user=%d", userID), fmt.Sprintf("--map-group=%d", userID)}
	}
	mode := map[bool]string{true: "ro", false: "rw"}
	args := append(outer, "/bin/sh", "-c", enter, "sh", c.root, mode[c.readOnly])
	for _, m := range c.mounts {
		if err := m.makeTarget(c.root); err != nil {
			t.Fatal(err)
		}
		args = append(args, m.source, m.target, mode[m.readOnly])
	}
	args = slices.Concat(args, []string{"--", "unshare"}, become, []string{"--root=" + c.root}, c.args)
	cmd := exec.Command("unshare", args...)
	cmd.Env = []string{}
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		cmd.Env = append(cmd.Env, name+"="+c.env[name])
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	exit := &exec.ExitError{}
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// makeTarget makes what is mounted over, as a container engine does.
func (m mount) makeTarget(root string) error {
	info, err := os.Stat(m.source)
	if err != nil {
		return err
	}
	target := filepath.Join(root, m.target)
	if info.IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE, 0o644)
	return errors.Join(err, file.Close())
}

// hosts is a mount that makes names known, as a cluster's or an engine's name
// service does: all of them are this machine.
func hosts(t testing.TB, names ...string) mount {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("127.0.0.1 localhost "+strings.Join(names, " ")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return mount{source: file, target: "/etc/hosts", readOnly: true}
}
