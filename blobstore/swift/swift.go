// Package swift reads a container of OpenStack Swift, or of Ceph RGW through
// its Swift API.
//
// ncw/swift speaks with the authentication services and renews tokens; the
// requests for objects are made here, because a listing that ends early must
// be an error. This package must never write, never wait for the segments of a
// large object to show up, and never put a key or a token into an error.
//
// Large objects ("dynamic" and "static" ones) are listed as the server lists
// them, a dynamic one with 0 bytes and the MD5 of nothing; Head tells the size
// of the whole, and sets Manifest. Listings of OpenStack may lag behind, so
// that what a listing does not show may still be there.
package swift

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ncw/swift/v2"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/internal/fault"
)

// Config says where a container is and who we are. The names are those of the
// registry's storage settings.
type Config struct {
	Container string
	Prefix    string // the folder of the container that is the root of the store

	AuthURL string
	// AuthVersion is 1, 2 or 3; 0 takes it from the URL.
	AuthVersion int
	User        string
	UserID      string
	Key         remote.Secret // or password

	// Tenant is called project in version 3.
	Tenant, TenantID             string
	Domain, DomainID             string
	TenantDomain, TenantDomainID string
	TrustID                      string
	Region                       string
	EndpointType                 string // public, internal or admin; empty is public

	// An application credential of version 3 stands for user and key.
	ApplicationID, ApplicationName string
	ApplicationSecret              remote.Secret

	// PageSize is how many names a listing asks for at once; 0 leaves it
	// to the server, which sends as many as it may.
	PageSize int

	remote.Settings
}

// Reader reads a container, or a folder of one. Safe for concurrent use.
type Reader struct {
	config Config
	client *remote.Client
	conn   *swift.Connection
}

var _ blobstore.Reader = (*Reader)(nil)

// Open checks the settings and returns the reader. It sends nothing.
func Open(c Config) (*Reader, error) {
	if c.Container == "" || strings.Contains(c.Container, "/") {
		return nil, fault.Usagef("container %q: that is no name of a container", c.Container)
	}
	if c.Prefix = strings.Trim(c.Prefix, "/"); c.Prefix != "" {
		if err := blobstore.CheckKey(c.Prefix); err != nil {
			return nil, fault.Usagef("folder of container %s: %w", c.Container, err)
		}
		c.Prefix += "/"
	}
	var err error
	if c.AuthVersion, err = c.version(); err != nil {
		return nil, err
	}
	switch c.EndpointType {
	case "", string(swift.EndpointTypePublic), string(swift.EndpointTypeInternal), string(swift.EndpointTypeAdmin):
	default:
		return nil, fault.Usagef("endpoint type %q of Swift: it is public, internal or admin", c.EndpointType)
	}
	client, err := remote.New(c.Settings)
	if err != nil {
		return nil, err
	}
	return &Reader{config: c, client: client, conn: c.connection(client)}, nil
}

// version is how to log in. RGW and TempAuth have no number, or 1.0, in the
// URL of the first version.
func (c Config) version() (int, error) {
	u, err := url.Parse(c.AuthURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return 0, fault.Usagef("authentication URL of Swift: it has to be like https://host:5000/v3")
	}
	switch {
	case c.AuthVersion < 0 || c.AuthVersion > 3:
		return 0, fault.Usagef("authentication version %d of Swift: it is 1, 2 or 3", c.AuthVersion)
	case c.AuthVersion > 0:
		return c.AuthVersion, nil
	case strings.Contains(u.Path, "/v3"):
		return 3, nil
	case strings.Contains(u.Path, "/v2"):
		return 2, nil
	case strings.Contains(u.Path, "/v1"), strings.Contains(u.Path, "/1.0"), strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/auth"):
		return 1, nil
	}
	return 0, fault.Usagef("authentication URL %s of Swift: it does not show the version", u.Redacted()).
		WithHint("say authversion=1, 2 or 3")
}

func (c Config) connection(client *remote.Client) *swift.Connection {
	silence := client.Silence()
	return &swift.Connection{
		UserName: c.User, UserId: c.UserID, ApiKey: string(c.Key),
		ApplicationCredentialId: c.ApplicationID, ApplicationCredentialName: c.ApplicationName,
		ApplicationCredentialSecret: string(c.ApplicationSecret),
		Tenant:                      c.Tenant, TenantId: c.TenantID, Domain: c.Domain, DomainId: c.DomainID,
		TenantDomain: c.TenantDomain, TenantDomainId: c.TenantDomainID, TrustId: c.TrustID,
		Region: c.Region, AuthUrl: c.AuthURL, AuthVersion: c.AuthVersion, EndpointType: swift.EndpointType(c.EndpointType),
		UserAgent: "harbordb", Transport: straight{client.Transport()},
		Retries: 1, // of a token that has expired; all else is retried here
		// From the request to its answer, and between two reads of a body.
		ConnectTimeout: silence, Timeout: silence,
	}
}

// straight follows no redirect: the token is for one host.
type straight struct{ http.RoundTripper }

func (s straight) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Response != nil {
		return nil, fmt.Errorf("the server redirects to %s", req.URL.Host)
	}
	return s.RoundTripper.RoundTrip(req)
}

// String names the container, the folder and the server.
func (r *Reader) String() string {
	return fmt.Sprintf("swift://%s/%s at %s", r.config.Container, r.config.Prefix, r.config.AuthURL)
}

// Close gives idle connections back.
func (r *Reader) Close() error {
	r.client.Close()
	return nil
}

// Uploads calls each never. What an interrupted upload leaves are segments,
// which are objects as all others.
func (r *Reader) Uploads(ctx context.Context, _ string, _ func(blobstore.Upload) error) error {
	return ctx.Err()
}

// List calls each for every object in the range. It ends when the server has
// no more names behind the last one, however few a page held.
func (r *Reader) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	query := url.Values{"format": {"json"}, "prefix": {r.config.Prefix + in.Prefix}}
	if in.Before != "" {
		query.Set("end_marker", r.config.Prefix+in.Before)
	}
	if r.config.PageSize > 0 {
		query.Set("limit", strconv.Itoa(r.config.PageSize))
	}
	last := ""
	if in.After != "" {
		last = r.config.Prefix + in.After
	}
	for {
		query.Set("marker", last)
		names, err := r.page(ctx, query)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, n := range names {
			if n.Name <= last || !strings.HasPrefix(n.Name, r.config.Prefix+in.Prefix) {
				return r.fail("list", "", fmt.Errorf("the list does not get on in order: %q follows %q", n.Name, last))
			}
			last = n.Name
			o, err := n.object(r.config.Prefix)
			if err != nil {
				return r.fail("list", "", err)
			}
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
	}
}

func (r *Reader) page(ctx context.Context, query url.Values) (names []listed, err error) {
	err = r.do(ctx, request{verb: "list", method: http.MethodGet, query: query, accept: func(resp *http.Response) error {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return r.client.Broken(err)
		}
		names = nil
		if resp.StatusCode == http.StatusNoContent {
			return nil
		}
		if err := json.Unmarshal(body, &names); err != nil {
			return fmt.Errorf("read the server's list: %w", err)
		}
		return nil
	}})
	return names, err
}

// listed is an object as the server lists it.
type listed struct {
	Name         string `json:"name"`
	Bytes        int64  `json:"bytes"`
	LastModified string `json:"last_modified"`
	Hash         string `json:"hash"`
	SLOETag      string `json:"slo_etag"` // of static large objects only
}

func (l listed) object(prefix string) (blobstore.Object, error) {
	o := blobstore.Object{Key: strings.TrimPrefix(l.Name, prefix), Size: l.Bytes}
	// In UTC, with or without saying so.
	at, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(l.LastModified, "Z"))
	if err != nil {
		return o, fmt.Errorf("time of %q: %w", l.Name, err)
	}
	o.ModTime = at
	if l.SLOETag == "" {
		o.MD5 = md5Of(l.Hash)
	}
	return o, nil
}

func md5Of(text string) []byte {
	sum, err := hex.DecodeString(strings.Trim(text, `"`))
	if err != nil || len(sum) != 16 {
		return nil
	}
	return sum
}

// Head returns what the server knows of an object: of a large one the size of
// all its segments.
func (r *Reader) Head(ctx context.Context, key string) (o blobstore.Object, err error) {
	if err := check(ctx, key); err != nil {
		return o, err
	}
	err = r.do(ctx, request{verb: "look at", method: http.MethodHead, key: key, accept: func(resp *http.Response) error {
		o = blobstore.Object{Key: key, Size: resp.ContentLength}
		if o.Size < 0 {
			return errors.New("the server does not say the size")
		}
		h := resp.Header
		// Ceph says no time for a large object whose segments are gone.
		if at := h.Get("Last-Modified"); at != "" {
			if o.ModTime, err = http.ParseTime(at); err != nil {
				return fmt.Errorf("time of the last change: %w", err)
			}
		}
		o.Manifest = h.Get("X-Object-Manifest") != "" || h.Get("X-Static-Large-Object") != ""
		if !o.Manifest {
			o.MD5 = md5Of(h.Get("Etag"))
		}
		o.Segments = r.segments(h.Get("X-Object-Manifest"))
		return nil
	}})
	return o, err
}

// segments turns the container and prefix that a dynamic large object names
// into a prefix of our keys; it is empty where they are not among them.
func (r *Reader) segments(manifest string) string {
	name, err := url.PathUnescape(manifest)
	if err != nil {
		return ""
	}
	below, ok := strings.CutPrefix(name, r.config.Container+"/"+r.config.Prefix)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(below, "/")
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blobstore.CheckKey(key)
}

// Get opens an object, of a large one the bytes of all its segments. Where
// the connection is cut, the rest is asked for again, of the same object.
func (r *Reader) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fmt.Errorf("get %s from byte %d: the offset is below 0", key, offset)
	}
	first, err := r.open(ctx, key, offset)
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
		o, herr := r.Head(ctx, key)
		if herr != nil || o.Size != offset {
			return nil, errors.Join(err, herr)
		}
		return http.NoBody, nil // exactly where the object ends
	}
	if err != nil {
		return nil, err
	}
	return &remote.Body{
		Current: first, Offset: offset, Cut: r.client.Broken,
		Open: func(at int64) (*remote.Part, error) { return r.open(ctx, key, at) },
		Fail: func(err error) error { return r.fail("read", key, err) },
	}, nil
}

func (r *Reader) open(ctx context.Context, key string, offset int64) (part *remote.Part, err error) {
	header := swift.Headers{}
	if offset > 0 {
		header["Range"] = fmt.Sprintf("bytes=%d-", offset)
	}
	err = r.do(ctx, request{verb: "get", method: http.MethodGet, key: key, header: header, accept: func(resp *http.Response) error {
		part, err = r.client.Part(resp, offset)
		return err
	}})
	return part, err
}
