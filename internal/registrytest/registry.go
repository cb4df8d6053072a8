package registrytest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
)

// Registry is a docker registry of version 2.8, as Harbor has one.
type Registry struct {
	URL    string // http://127.0.0.1:port
	Config string // path of its config.yml
	// Root is the folder that is its rootdirectory; empty where it does
	// not keep its data in one.
	Root string

	storage  storage
	dir      string
	port     int
	launcher *launcher // nil while it is stopped
}

// storage is where a registry keeps its data.
type storage interface {
	// settings are the entry below "storage" of the registry's config.
	settings() string
	reader() (blobstore.Reader, error)
	// folder is what the driver puts before its paths, "" or with a "/".
	folder() string
	// put and remove change objects behind the registry's back.
	put(t testing.TB, key string, content []byte)
	remove(t testing.TB, key string)
}

// newRegistry starts a registry for one test.
func newRegistry(t testing.TB, s storage) *Registry {
	t.Helper()
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{storage: s, dir: dir, Config: filepath.Join(dir, "config.yml")}
	t.Cleanup(func() {
		if err := errors.Join(r.stop(), os.RemoveAll(dir)); err != nil {
			t.Errorf("end the registry: %v", err)
		}
	})
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	r.port, r.URL = ports[0], fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	config := fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
%s
  delete: {enabled: true}
  redirect: {disable: true}
  maintenance: {uploadpurging: {enabled: false}}
validation: {manifests: {urls: {allow: ["^https?://"]}}}
http: {addr: "127.0.0.1:%d"}
`, s.settings(), r.port)
	if err := os.WriteFile(r.Config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Start(t)
	return r
}

// Start starts a registry that was stopped, at the same URL and on the same
// data.
func (r *Registry) Start(t testing.TB) {
	t.Helper()
	path, err := program("docker-registry")
	if err != nil {
		t.Fatal(err)
	}
	if r.launcher, err = start(r.dir, []command{{"registry", path, []string{"serve", r.Config}}}); err != nil {
		t.Fatal(err)
	}
	if err := r.launcher.ready(healthy(r.URL + "/v2/")); err != nil {
		t.Fatal(errors.Join(err, r.stop()))
	}
}

// Stop ends the registry and keeps its data.
func (r *Registry) Stop(t testing.TB) {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

func (r *Registry) stop() error {
	if r.launcher == nil {
		return nil
	}
	err := r.launcher.stop()
	r.launcher = nil
	return err
}

// Reader opens the storage as a scan does: from the rootdirectory, or the
// folder of the bucket or container.
func (r *Registry) Reader(t testing.TB) blobstore.Reader {
	t.Helper()
	reader, err := r.storage.reader()
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// Key is the key, for Reader, of a name below docker/registry/v2.
func (r *Registry) Key(name string) string {
	return r.storage.folder() + "docker/registry/v2/" + name
}

// BlobKey is the key of a blob.
func (r *Registry) BlobKey(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return r.Key("blobs/" + algorithm + "/" + hex[:2] + "/" + hex + "/data")
}

// Put and Remove change the storage behind the registry's back. Keys are those
// of Reader.
func (r *Registry) Put(t testing.TB, key string, content []byte) {
	t.Helper()
	r.storage.put(t, key, content)
}

// Remove removes an object that is there.
func (r *Registry) Remove(t testing.TB, key string) {
	t.Helper()
	r.storage.remove(t, key)
}

// GarbageCollect runs the registry's own garbage collection, with flags such
// as --dry-run and --delete-untagged, and returns its output. The registry
// must be stopped, or nobody pushing.
func (r *Registry) GarbageCollect(t testing.TB, flags ...string) string {
	t.Helper()
	path, err := program("docker-registry")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append(append([]string{"garbage-collect"}, flags...), r.Config)...)
	cmd.Env = environment(r.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("garbage-collect %s: %v\n%s", strings.Join(flags, " "), err, out)
	}
	return string(out)
}

// Status sends a request without a body to the registry's API and returns the
// status of the answer: registry.Status(t, "DELETE", "/v2/a/manifests/sha256:…").
func (r *Registry) Status(t testing.TB, method, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Accept"] = acceptAll
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
