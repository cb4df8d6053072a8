package deploy

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// image is the container image of this checkout, built once for the test
// binary.
type image struct {
	dir     string // all that was built; removeImage removes it
	binary  string
	archive string
	root    string // its file system
	config  v1.Config
}

var built struct {
	once sync.Once
	image
	err error
}

func theImage(t testing.TB) image {
	t.Helper()
	built.once.Do(func() { built.err = built.build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.image
}

func removeImage() { os.RemoveAll(built.dir) }

func (i *image) build() (err error) {
	if i.dir, err = os.MkdirTemp("", "hdbimg."); err != nil {
		return err
	}
	i.binary, i.archive, i.root = filepath.Join(i.dir, "harbordb"), filepath.Join(i.dir, "image.tar"), filepath.Join(i.dir, "root")
	compile := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", i.binary, "../cmd/harbordb")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := pack(i.binary, i.archive); err != nil {
		return err
	}
	img, err := tarball.ImageFromPath(i.archive, nil)
	if err != nil {
		return err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return err
	}
	i.config = file.Config
	return unpack(img, i.root)
}

// pack runs the program that writes the archive.
func pack(binary, archive string) error {
	out, err := exec.Command("go", "run", "../scripts/image", "-binary", binary, "-o", archive,
		"-version", "v0.0.0", "-revision", "abc", "-created", "1700000000").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func unpack(img v1.Image, root string) error {
	files := mutate.Extract(img)
	defer files.Close()
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = unpackEntry(root, h, r)
		}
		if err != nil {
			return err
		}
	}
}

func unpackEntry(root string, h *tar.Header, content io.Reader) error {
	path := filepath.Join(root, h.Name)
	if h.Typeflag == tar.TypeDir {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	} else {
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	var err error
	if os.Geteuid() == 0 {
		err = os.Chown(path, h.Uid, h.Gid)
	}
	return errors.Join(err, os.Chmod(path, h.FileInfo().Mode()))
}

func TestImage(t *testing.T) {
	i := theImage(t)
	info, err := os.Stat(i.archive)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= 40_000_000 {
		t.Errorf("the archive has %d bytes, at most 40 MB are promised", info.Size())
	}
	if i.config.User != "10000:10000" || !slices.Equal(i.config.Entrypoint, []string{"/usr/bin/harbordb"}) {
		t.Errorf("user %q, entrypoint %q", i.config.User, i.config.Entrypoint)
	}
	if _, ok := i.config.Volumes["/var/lib/harbordb"]; !ok || !slices.Contains(i.config.Env, "HARBORDB_STORE=/var/lib/harbordb") {
		t.Errorf("volumes %v, environment %q", i.config.Volumes, i.config.Env)
	}
	pem, err := os.ReadFile(filepath.Join(i.root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Errorf("no root certificates: %v", err)
	}
}

// Tools that know OCI archives and those that know docker's see one image.
func TestImageArchiveIsBothKinds(t *testing.T) {
	i := theImage(t)
	folder := t.TempDir()
	if out, err := exec.Command("tar", "-xf", i.archive, "-C", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path, err := layout.FromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%v: %v", manifest, err)
	}
	oci, err := path.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	docker, err := tarball.ImageFromPath(i.archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names [2]v1.Hash
	for n, img := range []v1.Image{oci, docker} {
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
		if names[n], err = img.ConfigName(); err != nil {
			t.Fatal(err)
		}
	}
	if names[0] != names[1] {
		t.Errorf("OCI: %s, docker: %s", names[0], names[1])
	}
}

func TestImageIsReproducible(t *testing.T) {
	i := theImage(t)
	again := filepath.Join(t.TempDir(), "again.tar")
	if err := pack(i.binary, again); err != nil {
		t.Fatal(err)
	}
	var content [2][]byte
	for n, path := range []string{i.archive, again} {
		var err error
		if content[n], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(content[0], content[1]) {
		t.Error("the same binary gave two archives")
	}
}

func TestImageRunsAsItsUser(t *testing.T) {
	got := theImage(t).container("version").run(t)
	if got.code != 0 || !strings.HasPrefix(got.stdout, "harbordb ") {
		t.Errorf("%+v", got)
	}
	got = theImage(t).container().run(t)
	if got.code != 0 || !strings.Contains(got.stdout, "Usage:") {
		t.Errorf("without arguments: %+v", got)
	}
}
