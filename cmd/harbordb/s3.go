package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/internal/fault"
)

func openS3URL(_ context.Context, s *session, rest string, _ storeMode) (blobstore.Store, error) {
	config, err := s.s3Config("--store", rest)
	if err != nil {
		return nil, err
	}
	store, err := s3.Open(config)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// s3Config reads what stands behind s3:// in the value of a flag:
// bucket/prefix?endpoint=…&region=…, where profile, style (path or host) and
// signature (v4 or v2) may stand too. Region, endpoint and keys come from the
// variables and files of Amazon's own tools where the URL does not say them;
// keys never stand in a URL.
func (s *session) s3Config(flag, rest string) (s3.Config, error) {
	path, query, _ := strings.Cut(rest, "?")
	bucket, prefix, _ := strings.Cut(path, "/")
	values, err := url.ParseQuery(query)
	if err != nil {
		return s3.Config{}, fault.Usagef("%s: the parameters behind the ? cannot be read", flag)
	}
	c := s3.Config{
		Bucket:   bucket,
		Endpoint: s.env.first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
		Region:   s.env.first("AWS_REGION", "AWS_DEFAULT_REGION"),
		Settings: remote.Settings{CAFiles: nonEmpty(s.global.caFile), Proxy: http.ProxyFromEnvironment},
	}
	if c.Prefix, err = url.PathUnescape(prefix); err != nil {
		return s3.Config{}, fault.Usagef("%s: a %% in the folder is not followed by two hex digits", flag)
	}
	profile := ""
	for name, list := range values {
		if err := setS3(&c, &profile, name, list[len(list)-1]); err != nil {
			return s3.Config{}, fault.Usagef("%s: %w", flag, err)
		}
	}
	c.Endpoint = strings.TrimSuffix(c.Endpoint, "/")
	return c, s.addS3Keys(&c, profile)
}

func setS3(c *s3.Config, profile *string, name, value string) error {
	styles := map[string]s3.Style{"path": s3.Path, "host": s3.Host}
	signatures := map[string]s3.Signature{"v4": s3.V4, "v2": s3.V2}
	known := true
	switch name {
	case "endpoint":
		c.Endpoint = value
	case "region":
		c.Region = value
	case "profile":
		*profile = value
	case "style":
		c.Style, known = styles[value]
	case "signature":
		c.Signature, known = signatures[value]
	default:
		return fmt.Errorf("parameter %q is not known; it is endpoint, region, profile, style or signature", name)
	}
	if !known {
		return fmt.Errorf("%s %q is not known", name, value)
	}
	return nil
}

// addS3Keys finds the keys where Amazon's own tools look for them: the
// variables, a profile, and, on Amazon's own machines, the role of the machine
// or the pod. Keys of a role end, and are then asked for again.
func (s *session) addS3Keys(c *s3.Config, profile string) error {
	if id, key := s.env.get("AWS_ACCESS_KEY_ID"), s.env.get("AWS_SECRET_ACCESS_KEY"); id != "" && key != "" && profile == "" {
		c.Credentials = s3Keys(id, key, s.env.get("AWS_SESSION_TOKEN"))
		return nil
	}
	keys := s.s3KeySources(c.Endpoint, profile)
	get := func() (s3.Credentials, error) {
		v, err := keys.GetWithContext(nil)
		return s3Keys(v.AccessKeyID, v.SecretAccessKey, v.SessionToken), err
	}
	var err error
	if c.Credentials, err = get(); err != nil {
		return fault.Failedf("keys for bucket %s: %w", c.Bucket, err)
	}
	if c.Credentials.AccessKey == "" {
		return fault.Failedf("no keys for bucket %s", c.Bucket).
			WithHint("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials")
	}
	c.Refresh = func(context.Context) (s3.Credentials, error) {
		keys.Expire()
		return get()
	}
	return nil
}

func s3Keys(id, key, token string) s3.Credentials {
	return s3.Credentials{AccessKey: id, SecretKey: remote.Secret(key), SessionToken: remote.Secret(token)}
}

// s3KeySources are the files, and the role where there can be one.
func (s *session) s3KeySources(endpoint, profile string) *credentials.Credentials {
	files := &credentials.FileAWSCredentials{Profile: profile}
	if profile != "" {
		return credentials.New(files)
	}
	sources := []credentials.Provider{files}
	role := s.env.first("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if endpoint == "" || role != "" {
		sources = append(sources, &credentials.IAM{})
	}
	return credentials.NewChainCredentials(sources)
}
