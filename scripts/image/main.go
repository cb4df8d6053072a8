// Command image writes harbordb's container image as one file, without an
// engine: an OCI archive that is a docker archive as well, so that podman,
// skopeo and containerd read it as the one and `docker load` as the other.
//
//	go run ./scripts/image -binary harbordb -version v1.2.3 -revision COMMIT -created 1700000000 -o dist/harbordb-image.tar
//
// The same binary and flags give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// build is what an image is made of.
type build struct {
	binary, output    string
	name, arch        string
	version, revision string
	created           time.Time
}

func main() {
	b := build{}
	flag.StringVar(&b.binary, "binary", "harbordb", "the static binary")
	flag.StringVar(&b.output, "o", "harbordb-image.tar", "the archive to write")
	flag.StringVar(&b.name, "name", "ghcr.io/harbordb/harbordb:latest", "the image's name")
	flag.StringVar(&b.arch, "arch", runtime.GOARCH, "the binary's architecture, in Go's word")
	flag.StringVar(&b.version, "version", "unknown", "the version, for a label")
	flag.StringVar(&b.revision, "revision", "unknown", "the commit, for a label")
	created := flag.Int64("created", 0, "the time of the build, in seconds since 1970")
	flag.Parse()
	b.created = time.Unix(*created, 0).UTC()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func (b build) run() error {
	img, err := b.image()
	if err != nil {
		return err
	}
	return writeArchive(b.output, b.name, img)
}

// The image's user is the one of Harbor's own containers, who owns the
// registry's files. Nothing else in the image belongs to it but the store.
const (
	userID = 10000
	store  = "/var/lib/harbordb"
)

func (b build) image() (v1.Image, error) {
	layer, err := b.layer()
	if err != nil {
		return nil, err
	}
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{
		Layer:   layer,
		History: v1.History{CreatedBy: "scripts/image", Created: v1.Time{Time: b.created}},
	})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", b.arch
	config.Created = v1.Time{Time: b.created}
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", userID, userID),
		Entrypoint: []string{"/usr/bin/harbordb"},
		Cmd:        []string{"--help"},
		Env: []string{
			"PATH=/usr/bin",
			"HARBORDB_STORE=" + store,
		},
		Volumes: map[string]struct{}{store: {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "harbordb",
			"org.opencontainers.image.description": "the maintenance toolkit for the database of Harbor",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.source":      "https://github.com/harbordb/harbordb",
			"org.opencontainers.image.version":     b.version,
			"org.opencontainers.image.revision":    b.revision,
			"org.opencontainers.image.created":     b.created.Format(time.RFC3339),
		},
	}
	return mutate.ConfigFile(img, config)
}
