package main

import (
	"net/http"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/registry"
)

func openRegistryS3URL(s *session, rest string) (blobstore.Reader, error) {
	config, err := s.s3Config("--storage", rest)
	if err != nil {
		return nil, err
	}
	config.Prefix = registry.TrimRoot(config.Prefix)
	return openBucket(config)
}

func openBucket(c s3.Config) (blobstore.Reader, error) {
	store, err := s3.Open(c)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openRegistryS3 opens a bucket by the options of the registry's s3 driver.
// Like the driver it has the bucket in the path where there is an endpoint, and
// an endpoint's own scheme wins over "secure".
func openRegistryS3(s *session, c registry.StorageConfig, ca []string) (blobstore.Reader, error) {
	config := s3.Config{
		Bucket: c.Parameters["bucket"], Region: c.Parameters["region"],
		Prefix:   registry.TrimRoot(strings.Trim(c.Parameters["rootdirectory"], "/")),
		Settings: remote.Settings{CAFiles: append(nonEmpty(s.global.caFile), ca...), Proxy: http.ProxyFromEnvironment},
	}
	secure, err := c.Switch("secure", true)
	if err != nil {
		return nil, err
	}
	if config.SkipVerify, err = c.Switch("skipverify", false); err != nil {
		return nil, err
	}
	v4, err := c.Switch("v4auth", true)
	if err != nil {
		return nil, err
	}
	if !v4 {
		config.Signature = s3.V2
	}
	if c.Parameters["forcepathstyle"] != "" {
		inPath, err := c.Switch("forcepathstyle", true)
		if err != nil {
			return nil, err
		}
		config.Style = map[bool]s3.Style{true: s3.Path, false: s3.Host}[inPath]
	}
	config.Endpoint = withScheme(c.Parameters["regionendpoint"], secure)
	if id := c.Parameters["accesskey"]; id != "" {
		config.Credentials = s3Keys(id, c.Parameters["secretkey"], c.Parameters["sessiontoken"])
	} else if err := s.addS3Keys(&config, ""); err != nil {
		return nil, err
	}
	return openBucket(config)
}

// withScheme puts a scheme before an endpoint that has none.
func withScheme(endpoint string, secure bool) string {
	endpoint = strings.TrimSuffix(endpoint, "/")
	switch {
	case endpoint == "" || strings.Contains(endpoint, "://"):
		return endpoint
	case secure:
		return "https://" + endpoint
	}
	return "http://" + endpoint
}
