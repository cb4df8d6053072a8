package s3_test

import (
	"testing"

	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/blobstore/storetest"
	"github.com/harbordb/harbordb/internal/registrytest"
)

func openstack(t *testing.T, c s3.Config) s3.Config {
	t.Helper()
	server := registrytest.OpenStack(t)
	c.Bucket, c.Endpoint = server.NewContainer(t), server.S3
	c.Credentials = s3.Credentials{AccessKey: server.AccessKey, SecretKey: remote.Secret(server.SecretKey)}
	return c
}

// Swift's S3 API checks signatures, escapes names in its own way and makes
// ETags of parts as Amazon does.
func TestStoreContractOnOpenStack(t *testing.T) {
	secret := registrytest.OpenStack(t).SecretKey
	storetest.Store(t, func(t *testing.T) storetest.Target {
		c := openstack(t, s3.Config{PartSize: 5 << 20})
		return storetest.Target{Store: open(t, c), Secrets: []string{secret}, Many: registrytest.ListingLimit + 30, Large: c.PartSize, Racy: true}
	})
}
