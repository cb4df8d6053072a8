package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
)

// Head returns what the server knows of an object.
func (s *Store) Head(ctx context.Context, key string) (blobstore.Object, error) {
	o, _, err := s.head(ctx, key)
	return o, err
}

func (s *Store) head(ctx context.Context, key string) (o blobstore.Object, header http.Header, err error) {
	if err := check(ctx, key); err != nil {
		return o, nil, err
	}
	err = s.do(ctx, request{verb: "look at", method: http.MethodHead, key: key, accept: func(resp *http.Response) error {
		header = resp.Header
		o, err = headObject(key, resp)
		return err
	}})
	return o, header, err
}

// check is what every call on a key begins with.
func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blobstore.CheckKey(key)
}

func headObject(key string, resp *http.Response) (blobstore.Object, error) {
	o := blobstore.Object{Key: key, Size: resp.ContentLength}
	var err error
	if o.ModTime, err = http.ParseTime(resp.Header.Get("Last-Modified")); err != nil {
		return o, fmt.Errorf("time of the last change: %w", err)
	}
	if o.Size < 0 {
		return o, errors.New("the server does not say the size")
	}
	h := resp.Header
	// Under keys of KMS or of the client an ETag of 32 digits is no MD5.
	kms := strings.HasPrefix(h.Get("X-Amz-Server-Side-Encryption"), "aws:kms")
	if !kms && h.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") == "" {
		o.MD5 = md5Of(h.Get("Etag"))
	}
	// Ceph shows the large objects of its Swift API in its S3 API, too.
	o.Manifest = h.Get("X-Object-Manifest") != "" || h.Get("X-Static-Large-Object") != ""
	if o.Manifest {
		o.MD5 = nil
	}
	return o, nil
}

// md5Of is the MD5 in an ETag, or nil: that of a multipart object is none.
func md5Of(etag string) []byte {
	etag = strings.Trim(etag, `"`)
	if len(etag) != 32 {
		return nil
	}
	sum, err := hex.DecodeString(etag)
	if err != nil {
		return nil
	}
	return sum
}

// Get opens an object. Where the connection is cut, the rest is asked for
// again, of the same version of the object.
func (s *Store) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fmt.Errorf("get %s from byte %d: the offset is below 0", key, offset)
	}
	first, err := s.open(ctx, key, offset)
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
		return s.atEnd(ctx, key, offset, err)
	}
	if err != nil {
		return nil, err
	}
	return &remote.Body{
		Current: first, Offset: offset, Cut: s.client.Broken,
		Open: func(at int64) (*remote.Part, error) { return s.open(ctx, key, at) },
		Fail: func(err error) error { return s.fail("read", key, err) },
	}, nil
}

// atEnd answers for a range that the server cannot satisfy: nothing, if it
// begins exactly where the object ends.
func (s *Store) atEnd(ctx context.Context, key string, offset int64, refused error) (io.ReadCloser, error) {
	o, err := s.Head(ctx, key)
	if err != nil {
		return nil, err
	}
	if o.Size != offset {
		return nil, refused
	}
	return http.NoBody, nil
}

// open sends one GET.
func (s *Store) open(ctx context.Context, key string, offset int64) (part *remote.Part, err error) {
	header := http.Header{}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	err = s.do(ctx, request{verb: "get", method: http.MethodGet, key: key, header: header, accept: func(resp *http.Response) error {
		part, err = s.client.Part(resp, offset)
		return err
	}})
	return part, err
}
