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

// tries is how often a body is opened again without a byte in between.
const tries = 3

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
	got, err := s.open(ctx, key, offset, "")
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
		return s.atEnd(ctx, key, offset, err)
	}
	if err != nil {
		return nil, err
	}
	body := &remote.Body{Current: got.body, Offset: offset, End: -1, Tries: tries, Cut: s.client.Broken}
	if got.length >= 0 {
		body.End = offset + got.length
	}
	body.Open = func(at int64) (io.ReadCloser, error) {
		if got.etag == "" {
			return nil, s.fail("read", key, io.ErrUnexpectedEOF)
		}
		rest, err := s.open(ctx, key, at, got.etag)
		return rest.body, err
	}
	return named{body, s, key}, nil
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

// opened is the open answer to a GET.
type opened struct {
	body   io.ReadCloser
	length int64 // -1 where it is not known
	etag   string
}

// open sends one GET. With an etag it wants that version and no other.
func (s *Store) open(ctx context.Context, key string, offset int64, etag string) (got opened, err error) {
	header := http.Header{}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	err = s.do(ctx, request{verb: "get", method: http.MethodGet, key: key, header: header, accept: func(resp *http.Response) error {
		got = opened{body: resp.Body, length: resp.ContentLength, etag: resp.Header.Get("Etag")}
		if offset > 0 && resp.StatusCode != http.StatusPartialContent {
			// A server without ranges sends all of it.
			if _, err := io.CopyN(io.Discard, resp.Body, offset); err != nil {
				return s.client.Broken(err)
			}
			if got.length >= 0 {
				got.length -= offset
			}
		}
		resp.Body = nil // it belongs to the caller now
		return nil
	}})
	return got, err
}

// named puts the object's name to errors of reading.
type named struct {
	*remote.Body
	store *Store
	key   string
}

func (n named) Read(p []byte) (int, error) {
	got, err := n.Body.Read(p)
	if err != nil && err != io.EOF {
		err = n.store.fail("read", n.key, err)
	}
	return got, err
}
