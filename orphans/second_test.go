package orphans_test

import (
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// TestTheSameBucketOnAServerThatChecksSignatures copies a damaged registry's
// bucket to OpenStack, whose S3 API checks signatures, has short pages and
// writes ETags of its own.
func TestTheSameBucketOnAServerThatChecksSignatures(t *testing.T) {
	w := newWorld(t, registrytest.S3, nil)
	var want []string
	for _, m := range mutations {
		switch m.name {
		case "nothing", "t2-newline", "t3-dangling", "m1-missing", "m2-empty", "b2-layer", "b7-empty":
			s := m.begin(t, w)
			if m.damage != nil {
				m.damage(t, w, s)
			}
			want = append(want, m.wants(m.plain)...)
		}
	}
	server := registrytest.OpenStack(t)
	bucket := server.NewContainer(t)
	err := w.reader.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		content, err := w.read(t, o.Key)
		if err == nil {
			server.Put(t, bucket, o.Key, content, nil)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	open := func(secret string, signature s3.Signature) *registry.Tree {
		store, err := s3.Open(s3.Config{
			Bucket: bucket, Endpoint: server.S3, Region: "us-east-1", Signature: signature,
			Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: remote.Secret(secret)},
		})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := registry.Open(t.Context(), store)
		if err != nil {
			if secret == server.SecretKey {
				t.Fatal(err)
			}
			return nil
		}
		return tree
	}
	data := func(o *orphans.Options) { o.Depth = orphans.Data }
	for _, signature := range []s3.Signature{s3.V4, s3.V2} {
		expect(t, scanTree(t, open(server.SecretKey, signature), nil), want...)
	}
	expect(t, scanTree(t, open(server.SecretKey, s3.V4), nil, data), want...)
	if open("wrong", s3.V4) != nil {
		t.Error("a registry was found with wrong keys")
	}
}
