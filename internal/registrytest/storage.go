package registrytest

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/blobstore/swift"
	"github.com/harbordb/harbordb/internal/canary"
)

// Filesystem starts a registry that keeps its data in a folder.
func Filesystem(t testing.TB) *Registry {
	t.Helper()
	root := t.TempDir()
	r := newRegistry(t, folder{root})
	r.Root = root
	return r
}

type folder struct{ root string }

func (f folder) settings() string {
	return fmt.Sprintf("  filesystem: {rootdirectory: %q}", f.root)
}

func (f folder) reader() (blobstore.Reader, error) { return dir.OpenReader(f.root) }

func (f folder) folder() string { return "" }

func (f folder) put(t testing.TB, key string, content []byte) {
	path := filepath.Join(f.root, key)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, content, 0o666)); err != nil {
		t.Fatal(err)
	}
}

func (f folder) remove(t testing.TB, key string) {
	if err := os.Remove(filepath.Join(f.root, key)); err != nil {
		t.Fatal(err)
	}
}

// The rootdirectory that registries on S3 and on Swift are given.
const bucketFolder = "harbor/storage"

// S3 starts a registry that keeps its data in a bucket of an S3 server in this
// process, below a folder of the bucket.
func S3(t testing.TB) *Registry {
	t.Helper()
	const name = "registry"
	backend := s3mem.New()
	if err := backend.CreateBucket(name); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return newRegistry(t, &bucket{s3.Config{
		Bucket: name, Prefix: bucketFolder, Endpoint: server.URL, Region: "us-east-1",
		Credentials: s3.Credentials{AccessKey: "an-access-key", SecretKey: remote.Secret(canary.New())},
	}})
}

type bucket struct{ config s3.Config }

func (b *bucket) settings() string {
	c := b.config
	return fmt.Sprintf(`  s3: {accesskey: %q, secretkey: %q, region: %q, regionendpoint: %q, bucket: %q, secure: false, v4auth: true, chunksize: 5242880, rootdirectory: %q}`,
		c.Credentials.AccessKey, string(c.Credentials.SecretKey), c.Region, c.Endpoint, c.Bucket, "/"+c.Prefix)
}

func (b *bucket) reader() (blobstore.Reader, error) { return s3.Open(b.config) }

func (b *bucket) folder() string { return "" }

func (b *bucket) open(t testing.TB) *s3.Store {
	store, err := s3.Open(b.config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func (b *bucket) put(t testing.TB, key string, content []byte) {
	store := b.open(t)
	defer store.Close()
	w, err := store.Create(t.Context(), key, blobstore.Replace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (b *bucket) remove(t testing.TB, key string) {
	store := b.open(t)
	defer store.Close()
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// Swift starts a registry that keeps its data in a container of OpenStack
// Swift, below a folder of the container.
func Swift(t testing.TB) *Registry {
	t.Helper()
	server := OpenStack(t)
	return newRegistry(t, &container{server, server.NewContainer(t)})
}

type container struct {
	server *OpenStackServer
	name   string
}

func (c *container) settings() string {
	return fmt.Sprintf(`  swift: {authurl: %q, username: %q, password: %q, container: %q, prefix: %q, authversion: 1, chunksize: 1048576}`,
		c.server.AuthURL, c.server.User, c.server.Key, c.name, bucketFolder)
}

func (c *container) reader() (blobstore.Reader, error) {
	return swift.Open(swift.Config{
		AuthURL: c.server.AuthURL, User: c.server.User, Key: remote.Secret(c.server.Key),
		Container: c.name, Prefix: bucketFolder,
	})
}

// folder: segments of large objects lie in another one.
func (c *container) folder() string { return "files/" }

func (c *container) put(t testing.TB, key string, content []byte) {
	c.server.Put(t, c.name, bucketFolder+"/"+key, content, nil)
}

func (c *container) remove(t testing.TB, key string) {
	c.server.Remove(t, c.name, bucketFolder+"/"+key)
}
