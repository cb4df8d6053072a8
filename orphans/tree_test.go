package orphans_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/registry"
)

const treeRoot = "docker/registry/v2/"

// digestOf names content.
func digestOf(content []byte) registry.Digest {
	return registry.Digest{Algorithm: registry.SHA256, Hex: fmt.Sprintf("%x", sha256.Sum256(content))}
}

// descriptor is an entry of a manifest.
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      int      `json:"size"`
	URLs      []string `json:"urls,omitempty"`
}

const (
	typeImage  = "application/vnd.oci.image.manifest.v1+json"
	typeIndex  = "application/vnd.oci.image.index.v1+json"
	typeConfig = "application/vnd.oci.image.config.v1+json"
	typeLayer  = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func describe(mediaType string, content []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digestOf(content).String(), Size: len(content)}
}

func imageManifest(config []byte, layers ...[]byte) []byte {
	m := struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}{2, typeImage, describe(typeConfig, config), nil}
	for _, l := range layers {
		m.Layers = append(m.Layers, describe(typeLayer, l))
	}
	out, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return out
}

// writeFile writes a file below top and the folders above it.
func writeFile(tb testing.TB, top, name string, content []byte) {
	tb.Helper()
	path := filepath.Join(top, filepath.FromSlash(name))
	err := os.WriteFile(path, content, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// eachImage calls f for each of so many images. An image has three layers of
// its own, shares three with its repository, and is the only one that its tag
// has ever meant: 12 files a tag.
func eachImage(tags int, f func(repository, tag string, config []byte, layers [][]byte, manifest []byte)) {
	for i := range tags {
		repository, tag := fmt.Sprintf("library/app-%d", i/perRepository), fmt.Sprintf("v1.%d", i%perRepository)
		layers := [][]byte{[]byte("base 1"), []byte("base 2"), []byte("base of " + repository)}
		for n := range 3 {
			layers = append(layers, fmt.Appendf(nil, "%-300s", fmt.Sprintf("layer %d of %s:%s", n, repository, tag)))
		}
		config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","config":{"Env":["I=%0200d"]}}`, i)
		f(repository, tag, config, layers, imageManifest(config, layers...))
	}
}

const perRepository = 500

// eachImageFile calls put for the files that a registry writes for so many
// tags, below the tree.
func eachImageFile(tags int, put func(name string, content []byte)) {
	blob := func(content []byte) registry.Digest {
		d := digestOf(content)
		put(registry.BlobPath(d), content)
		return d
	}
	link := func(name string, d registry.Digest) { put(name, []byte(d.String())) }
	i := 0
	eachImage(tags, func(repository, tag string, config []byte, layers [][]byte, manifest []byte) {
		for n, content := range append(layers, config) {
			if n >= 3 || i%perRepository == 0 {
				link(registry.LayerPath(repository, blob(content)), digestOf(content))
			}
		}
		d := blob(manifest)
		link(registry.RevisionPath(repository, d), d)
		link(registry.TagIndexPath(repository, tag, d), d)
		link(registry.TagCurrentPath(repository, tag), d)
		i++
	})
}

// openFolder opens the registry in a folder as a scan does.
func openFolder(tb testing.TB, top string) *registry.Tree {
	tb.Helper()
	r, err := dir.OpenReader(top)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	r.HashUpTo(registry.LongestLink)
	r.Expect(registry.Expect)
	tree, err := registry.Open(tb.Context(), r)
	if err != nil {
		tb.Fatal(err)
	}
	return tree
}

func sha512Of(content []byte) registry.Digest {
	return registry.Digest{Algorithm: "sha512", Hex: fmt.Sprintf("%x", sha512.Sum512(content))}
}
