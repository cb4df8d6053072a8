// Package s3 keeps and reads objects in a bucket of S3: Amazon's own, Ceph
// RGW, MinIO, OpenStack Swift behind its S3 API, and others like them.
//
// Requests are signed by minio-go's signer and sent from here. Its client is
// not used, because its listing takes no context and hides where one page ends
// and the next begins, which is where gateways differ. A Store must never show
// an object before Commit, never take what a server does not say for an end,
// and never put a key, a secret or a token into an error.
package s3

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/internal/fault"
)

// Credentials are what requests are signed with. Without an access key they
// are not signed.
type Credentials struct {
	AccessKey    string
	SecretKey    remote.Secret
	SessionToken remote.Secret // of temporary credentials, else empty
}

// Signature is how requests are signed.
type Signature int

// The versions of the signature.
const (
	V4 Signature = iota
	V2           // for old gateways; the registry's v4auth: false
)

// Style is where the bucket's name stands in a request.
type Style int

// The styles of addressing. Auto is in the path where an endpoint is given or
// the name has a dot, which no certificate covers; else in the host's name.
const (
	Auto Style = iota
	Path
	Host
)

// Config says where a bucket is and how to speak with it.
type Config struct {
	Bucket string
	// Prefix is the folder of the bucket that is the root of the store;
	// empty for the whole bucket.
	Prefix string
	// Endpoint is scheme, host and port of the server, without a path;
	// empty for Amazon's own of the region.
	Endpoint  string
	Region    string // us-east-1 where it is empty
	Style     Style
	Signature Signature

	Credentials Credentials
	// Refresh returns new credentials when the server says that those in
	// use have expired. It may be nil, and is called by one goroutine at a
	// time.
	Refresh func(context.Context) (Credentials, error)

	// PageSize is how many keys a listing asks for at once; 0 means 1000,
	// more than which some servers refuse.
	PageSize int
	// PartSize is the size in bytes of the parts of large objects, and of
	// the memory that a writer needs; 0 means 8 MiB. Servers refuse less
	// than 5 MiB, and more than 10,000 parts.
	PartSize int

	remote.Settings
}

const (
	defaultRegion   = "us-east-1"
	defaultPageSize = 1000
	defaultPartSize = 8 << 20
	mostParts       = 10_000
)

// Store is a bucket, or a folder of one. Safe for concurrent use.
type Store struct {
	config Config
	base   url.URL // scheme, host, and the bucket where it is in the path
	client *remote.Client
	keys   keyring
	// What the server has turned out not to have.
	noV2Lists, noConditions atomic.Bool
}

var (
	_ blobstore.Store   = (*Store)(nil)
	_ blobstore.Sweeper = (*Store)(nil)
)

// Open checks the settings and returns the store. It sends nothing.
func Open(c Config) (*Store, error) {
	if c.Region == "" {
		c.Region = defaultRegion
	}
	if c.PageSize == 0 {
		c.PageSize = defaultPageSize
	}
	if c.PartSize == 0 {
		c.PartSize = defaultPartSize
	}
	if err := s3utils.CheckValidBucketName(c.Bucket); err != nil {
		return nil, fault.Usagef("bucket %q: %w", c.Bucket, err)
	}
	if c.Prefix = strings.Trim(c.Prefix, "/"); c.Prefix != "" {
		if err := blobstore.CheckKey(c.Prefix); err != nil {
			return nil, fault.Usagef("folder of bucket %s: %w", c.Bucket, err)
		}
		c.Prefix += "/"
	}
	base, err := c.address()
	if err != nil {
		return nil, err
	}
	client, err := remote.New(c.Settings)
	if err != nil {
		return nil, err
	}
	return &Store{config: c, base: base, client: client, keys: keyring{current: c.Credentials, refresh: c.Refresh}}, nil
}

// address is where requests go to, with the bucket in it.
func (c Config) address() (url.URL, error) {
	base := url.URL{Scheme: "https", Host: "s3." + c.Region + ".amazonaws.com", Path: "/"}
	if strings.HasPrefix(c.Region, "cn-") {
		base.Host += ".cn"
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return base, fault.Usagef("endpoint of bucket %s: it has to be like https://host or http://host:port", c.Bucket)
		}
		base.Scheme, base.Host = u.Scheme, u.Host
	}
	inHost := c.Style == Host || c.Style == Auto && c.Endpoint == "" && !strings.Contains(c.Bucket, ".")
	if inHost {
		base.Host = c.Bucket + "." + base.Host
	} else {
		base.Path += c.Bucket + "/"
	}
	return base, nil
}

// inHost reports whether the bucket is a part of the host's name.
func (s *Store) inHost() bool { return s.base.Path == "/" }

// String names the bucket, the folder and the server.
func (s *Store) String() string {
	host := strings.TrimPrefix(s.base.Host, s.config.Bucket+".")
	return fmt.Sprintf("s3://%s/%s at %s://%s", s.config.Bucket, s.config.Prefix, s.base.Scheme, host)
}

// Close gives idle connections back.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}
