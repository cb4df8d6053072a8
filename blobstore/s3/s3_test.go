package s3_test

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/blobstore/storetest"
)

const bucket = "harbor"

// fake starts an S3 server in this process; it checks no signatures.
func fake(t *testing.T) *httptest.Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return server
}

var secrets = []string{"the-secret-key", "the-access-key", "the-session-token"}

// config is for a server; tries come fast after another.
func config(server string) s3.Config {
	return s3.Config{
		Bucket: bucket, Endpoint: server, PartSize: 5 << 20,
		Credentials: s3.Credentials{AccessKey: secrets[1], SecretKey: remote.Secret(secrets[0]), SessionToken: remote.Secret(secrets[2])},
		Settings:    remote.Settings{Pause: time.Millisecond},
	}
}

func open(t *testing.T, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStoreContractOnAFakeServer(t *testing.T) {
	server := fake(t)
	var folders atomic.Int32
	storetest.Store(t, func(t *testing.T) storetest.Target {
		c := config(server.URL)
		c.Prefix = fmt.Sprintf("/some/folder %d", folders.Add(1))
		return storetest.Target{Store: open(t, c), Secrets: secrets, Many: 2500, Large: c.PartSize}
	})
}
