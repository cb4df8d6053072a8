package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
)

// List calls each for every object in the range. Each page is asked for by the
// last key of the one before it, not by the server's token, because tokens of
// some gateways lose keys. MD5 is the ETag where it looks like one; under keys
// of KMS it is none, which only a HEAD tells.
func (s *Store) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at := cursor{prefix: s.config.Prefix + in.Prefix}
	if in.After != "" {
		at.last = s.config.Prefix + in.After
	}
	for {
		p, err := s.next(ctx, &at)
		if err != nil {
			return err
		}
		for _, o := range p.objects {
			if err := at.pass(o.Key); err != nil {
				return s.fail("list", "", err)
			}
			o.Key = strings.TrimPrefix(o.Key, s.config.Prefix)
			if in.Before != "" && o.Key >= in.Before {
				return nil
			}
			if o.Key == "" {
				continue // the marker of the folder that is our root
			}
			if err := each(o); err != nil {
				return err
			}
		}
		if !p.truncated {
			return nil
		}
		at.token = ""
		if len(p.objects) == 0 {
			at.token = p.token
		}
	}
}

// cursor is how far a listing has come.
type cursor struct {
	prefix string
	last   string // the key passed last, or where to begin
	token  string // the server's, for a page that had no key to go on from
}

// pass moves the cursor over a key.
func (c *cursor) pass(key string) error {
	if !strings.HasPrefix(key, c.prefix) {
		return fmt.Errorf("the server lists %q, which does not begin with %q", key, c.prefix)
	}
	if key <= c.last {
		return fmt.Errorf("the server does not list in the order of keys: %q after %q", key, c.last)
	}
	c.last = key
	return nil
}

// moved reports whether a page gets the listing on.
func (c *cursor) moved(p page) bool {
	if len(p.objects) > 0 {
		return p.objects[0].Key > c.last
	}
	return !p.truncated || p.token != "" && p.token != c.token
}

// next asks for the next page; in the old way where the new one is not there,
// or does not get on.
func (s *Store) next(ctx context.Context, at *cursor) (page, error) {
	if !s.noV2Lists.Load() {
		p, err := s.page(ctx, *at, "2")
		switch {
		case err == nil && at.moved(p):
			return p, nil
		case err != nil && !unknownToServer(err):
			return p, err
		}
	}
	p, err := s.page(ctx, *at, "")
	if err != nil {
		return p, err
	}
	if !at.moved(p) {
		return p, s.fail("list", "", fmt.Errorf("the list does not get on behind %q", at.last))
	}
	s.noV2Lists.Store(true)
	return p, nil
}

// unknownToServer reports whether an answer means that the server does not
// know this kind of request.
func unknownToServer(err error) bool {
	switch statusOf(err) {
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return true
	case http.StatusBadRequest:
		code := codeOf(err)
		return code == "InvalidArgument" || code == "InvalidRequest" || code == "NotImplemented"
	}
	return false
}

// page asks for one page, by version 2 of the request or by the old one.
func (s *Store) page(ctx context.Context, at cursor, version string) (p page, err error) {
	query := url.Values{
		"prefix":        {at.prefix},
		"max-keys":      {strconv.Itoa(s.config.PageSize)},
		"encoding-type": {"url"},
	}
	start := "marker"
	if version != "" {
		query.Set("list-type", version)
		start = "start-after"
	}
	switch {
	case at.token != "" && version != "":
		query.Set("continuation-token", at.token)
	case at.token != "":
		query.Set(start, at.token)
	case at.last != "":
		query.Set(start, at.last)
	}
	var body []byte
	err = s.do(ctx, request{verb: "list", method: http.MethodGet, query: query, accept: s.whole(&body)})
	if err != nil {
		return p, err
	}
	if p, err = parsePage(body); err != nil {
		return p, s.fail("list", "", err)
	}
	return p, nil
}

// Uploads calls each for the multipart uploads that nobody has completed or
// aborted. The server does not say their sizes. Names are asked for as they
// are: Ceph escapes them on demand without saying so.
func (s *Store) Uploads(ctx context.Context, prefix string, each func(blobstore.Upload) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	query := url.Values{
		"uploads":     {""},
		"prefix":      {s.config.Prefix + prefix},
		"max-uploads": {strconv.Itoa(s.config.PageSize)},
	}
	for {
		var body []byte
		err := s.do(ctx, request{verb: "list uploads of", method: http.MethodGet, query: query, accept: s.whole(&body)})
		if unknownToServer(err) || codeOf(err) == "NoSuchUpload" {
			return nil // a server that has no such thing, or no such thing now
		}
		if err != nil {
			return err
		}
		p, err := parseUploads(body)
		if err != nil {
			return s.fail("list uploads of", "", err)
		}
		for _, u := range p.uploads {
			if !strings.HasPrefix(u.Key, s.config.Prefix+prefix) {
				continue
			}
			u.Key = strings.TrimPrefix(u.Key, s.config.Prefix)
			if err := each(u); err != nil {
				return err
			}
		}
		if !p.truncated {
			return nil
		}
		if p.nextKey == "" || p.nextKey == query.Get("key-marker") && p.nextID == query.Get("upload-id-marker") {
			return s.fail("list uploads of", "", errors.New("the list does not get on"))
		}
		query.Set("key-marker", p.nextKey)
		query.Set("upload-id-marker", p.nextID)
	}
}
