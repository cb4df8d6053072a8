package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/harbordb/harbordb/internal/registrytest"
)

// scriptRegistry pushes an image for each reference to a registry with its
// data in a folder:
//
//	registry NAME REPOSITORY:TAG ...
//
// It sets NAME to the root directory, and for each tag NAME_TAG to the digits
// of the manifest's digest and NAME_TAG_BLOB and NAME_TAG_LAYER to the files
// of the manifest and of its layer.
func scriptRegistry(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	t := testOf(ts)
	r := registrytest.Filesystem(t)
	ts.Setenv(args[0], r.Root)
	for _, reference := range args[1:] {
		repository, tag, _ := strings.Cut(reference, ":")
		p := r.Push(t, repository, registrytest.Image{Tags: []string{tag}, Layers: []string{"layer of " + reference}})
		name := args[0] + "_" + tag
		ts.Setenv(name, strings.TrimPrefix(p.Digest, "sha256:"))
		ts.Setenv(name+"_BLOB", r.Root+"/"+r.BlobKey(p.Digest))
		ts.Setenv(name+"_LAYER", r.Root+"/"+r.BlobKey(p.Layers[0].Digest))
	}
}
