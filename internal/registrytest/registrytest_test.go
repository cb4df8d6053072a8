package registrytest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
)

// abandon turns the test binary into a process that starts servers and is
// killed with them running.
const abandon = "REGISTRYTEST_ABANDON"

func TestMain(m *testing.M) {
	// net/http reports there that OpenStack sends a few bytes too many
	// after answers without a body.
	log.SetOutput(io.Discard)
	if os.Getenv(abandon) != "" {
		fmt.Fprintln(os.Stderr, startAndDie())
		os.Exit(1)
	}
	os.Exit(Main(m.Run))
}

// startAndDie starts two programs, prints their folder and process IDs, and
// does not return.
func startAndDie() error {
	dir, err := newFolder()
	if err != nil {
		return err
	}
	l, err := start(dir, []command{{"one", "/bin/sleep", []string{"600"}}, {"two", "/bin/sleep", []string{"600"}}})
	if err != nil {
		return err
	}
	var pids []string
	err = l.ready(func() error {
		one, err := os.ReadFile(dir + "/run/one.pid")
		two, err2 := os.ReadFile(dir + "/run/two.pid")
		if pids = strings.Fields(string(one) + string(two)); len(pids) < 2 {
			err = errors.New("not yet written")
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		return errors.Join(err, l.close())
	}
	fmt.Println(dir, strings.Join(pids, " "))
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

var storages = map[string]func(testing.TB) *Registry{"filesystem": Filesystem, "s3": S3, "swift": Swift}

func TestWhatIsPushedIsInTheStorage(t *testing.T) {
	for name, start := range storages {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			pushed := []Pushed{
				r.Push(t, "library/oci", Image{Tags: []string{"v1", "v2"}, Layers: []string{"one", "two"}}),
				r.Push(t, "library/docker", Image{MediaType: DockerManifest, Layers: []string{"one"}, Foreign: []string{"https://elsewhere.example/layer"}}),
			}
			arm := r.Push(t, "library/multi", Image{Layers: []string{"arm"}, Platform: &Platform{"arm64", "linux"}})
			amd := r.Push(t, "library/multi", Image{Layers: []string{"amd"}, Platform: &Platform{"amd64", "linux"}})
			index := r.PushIndex(t, "library/multi", []string{"latest"}, arm, amd)
			signature := r.Push(t, "library/multi", Image{ArtifactType: "application/x-signature", Layers: []string{"sig"}, Subject: &index.Descriptor})
			pushed = append(pushed, arm, amd, index, signature)
			found := map[string]blobstore.Object{}
			reader := r.Reader(t)
			err := reader.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
				found[o.Key] = o
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pushed {
				for _, d := range append(p.Layers, p.Config, p.Descriptor) {
					if d.Digest == "" {
						continue // an index has no configuration
					}
					if _, ok := found[r.BlobKey(d.Digest)]; !ok {
						t.Errorf("%s of %s: the blob %s is not listed", p.MediaType, p.Repository, d.Digest)
					}
					if o, err := reader.Head(t.Context(), r.BlobKey(d.Digest)); err != nil || o.Size != d.Size {
						t.Errorf("head of %s: %+v, %v", d.Digest, o, err)
					}
				}
				if status := r.Status(t, http.MethodGet, "/v2/"+p.Repository+"/manifests/"+p.Digest); status != http.StatusOK {
					t.Errorf("pull of %s by digest: %d", p.Repository, status)
				}
			}
			for _, tag := range []string{"v1", "v2"} {
				if _, ok := found[r.Key("repositories/library/oci/_manifests/tags/"+tag+"/current/link")]; !ok {
					t.Errorf("tag %s is not listed", tag)
				}
			}
		})
	}
}

func TestARegistryIsDamagedDeletedFromAndStartedAgain(t *testing.T) {
	for name, start := range storages {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			broken := r.Push(t, "library/a", Image{Tags: []string{"broken"}, Layers: []string{"x"}})
			deleted := r.Push(t, "library/a", Image{Tags: []string{"deleted"}, Layers: []string{"y"}})
			id := r.LeaveUpload(t, "library/a", strings.Repeat("z", 100))
			r.Remove(t, r.BlobKey(broken.Digest))
			r.Put(t, r.Key("foreign"), []byte("x"))
			r.Delete(t, deleted)
			r.Stop(t)
			dry := r.GarbageCollect(t, "--dry-run")
			if !strings.Contains(dry, deleted.Digest) {
				t.Errorf("garbage: %s", dry)
			}
			if _, err := r.Reader(t).Head(t.Context(), r.BlobKey(deleted.Digest)); err != nil {
				t.Errorf("after a dry run: %v", err)
			}
			r.GarbageCollect(t)
			r.Start(t)
			for _, p := range []Pushed{broken, deleted} {
				if status := r.Status(t, http.MethodGet, "/v2/library/a/manifests/"+p.Digest); status != http.StatusNotFound {
					t.Errorf("%s is still there: %d", p.Digest, status)
				}
			}
			for _, key := range []string{"foreign", "repositories/library/a/_uploads/" + id + "/startedat"} {
				if _, err := r.Reader(t).Head(t.Context(), r.Key(key)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestProgramsEndWithAKilledTest(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), abandon+"=1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no server: %v", err)
	}
	if cmd.Wait() == nil {
		t.Fatal("the process was not killed")
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		t.Fatalf("a folder and two processes: %q", line)
	}
	eventually(t, "the folder is still there", func() bool {
		_, err := os.Stat(fields[0])
		return err != nil
	})
	for _, field := range fields[1:] {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "process "+field+" is still there", func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// eventually waits until done reports true, for a bounded time.
func eventually(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	deadline := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatal(complaint)
		case <-tick.C:
		}
	}
}

func TestAServerThatCannotStartShowsItsLog(t *testing.T) {
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	l, err := start(dir, []command{{"broken", "/bin/sh", []string{"-c", "echo it is 'broken'; exit 3"}}})
	if err != nil {
		t.Fatal(err)
	}
	err = l.ready(func() error { return fmt.Errorf("nobody listens") })
	if err == nil || !strings.Contains(err.Error(), "it is broken") || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("error: %v", err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
}

func TestAMissingProgramNamesTheCommandThatInstallsIt(t *testing.T) {
	_, err := program("no-such-program-anywhere")
	if err == nil || err.Error() != "no-such-program-anywhere is not installed; run: make deps" {
		t.Errorf("error: %v", err)
	}
}
