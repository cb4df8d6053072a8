package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// writeArchive writes an image layout as a tar file, with the manifest.json
// beside its index.json that `docker load` reads.
func writeArchive(path, ref string, img v1.Image) (err error) {
	folder, err := os.MkdirTemp("", "harbordb-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	to, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	// The tag alone is what tools take for the name of an image in a layout;
	// containerd wants the whole name.
	names := layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tag.TagStr(),
		"io.containerd.image.name":          tag.Name(),
	})
	if err := to.AppendImage(img, names); err != nil {
		return err
	}
	if err := writeDockerManifest(folder, tag, img); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return tarFolder(path, folder)
}

func writeDockerManifest(folder string, tag name.Tag, img v1.Image) error {
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	d := tarball.Descriptor{Config: blob(m.Config.Digest), RepoTags: []string{tag.Name()}}
	for _, l := range m.Layers {
		d.Layers = append(d.Layers, blob(l.Digest))
	}
	text, err := json.Marshal(tarball.Manifest{d})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "manifest.json"), text, 0o644)
}

// tarFolder writes the files of a folder in the order of their names, with
// nothing of this machine but their content.
func tarFolder(path, folder string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	err = filepath.WalkDir(folder, func(file string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return addFile(w, folder, file)
	})
	return errors.Join(err, w.Close())
}

func addFile(w *tar.Writer, folder, file string) error {
	inside, err := filepath.Rel(folder, file)
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: filepath.ToSlash(inside), Mode: 0o644, Size: info.Size(), Format: tar.FormatUSTAR}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return fmt.Errorf("add %s: %w", inside, err)
	}
	return nil
}
