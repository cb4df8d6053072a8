package s3

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/harbordb/harbordb/blobstore/remote"
)

// request is one request of the API. It is sent as often as needed, each time
// with its whole body and a signature of its own.
type request struct {
	verb   string // what is being done, for errors
	method string
	key    string // as the caller knows it; "" for the bucket
	query  url.Values
	header http.Header
	body   []byte
	// accept takes an answer of success. Its error, if it is one of
	// reading the body, leads to another try.
	accept func(*http.Response) error
}

// do sends a request until it has an answer. The body of the answer is closed
// unless accept has replaced it by nil.
func (s *Store) do(ctx context.Context, r request) error {
	refreshed := false
	err := s.client.Retry(ctx, func() error {
		used, err := s.once(ctx, r)
		if (isExpired(err) || r.method == http.MethodHead && statusOf(err) == http.StatusBadRequest) && !refreshed {
			// The answer to a HEAD has no body that could say it.
			refreshed = true
			changed, rerr := s.keys.renew(ctx, used)
			if rerr != nil {
				return errors.Join(err, rerr)
			}
			if changed {
				return remote.Temporary(err)
			}
		}
		return err
	})
	if err != nil {
		return s.fail(r.verb, r.key, err)
	}
	return nil
}

// once sends a request once, and returns what it was signed with.
func (s *Store) once(ctx context.Context, r request) (Credentials, error) {
	body := &payload{content: r.body}
	defer body.Close()
	req, err := s.build(ctx, r, body)
	if err != nil {
		return Credentials{}, err
	}
	used := s.keys.get()
	resp, err := s.client.HTTP().Do(s.sign(req, r.body, used))
	if err != nil {
		return used, s.client.Broken(err)
	}
	defer func() {
		if resp.Body != nil {
			resp.Body.Close()
		}
	}()
	if resp.StatusCode >= 300 {
		return used, s.refusal(resp)
	}
	if r.accept == nil {
		return used, nil
	}
	return used, r.accept(resp)
}

func (s *Store) build(ctx context.Context, r request, body io.ReadCloser) (*http.Request, error) {
	u := s.base
	if r.key != "" {
		u.Path += s.config.Prefix + r.key
	}
	u.RawPath = s3utils.EncodePath(u.Path)
	u.RawQuery = s3utils.QueryEncode(r.query)
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("User-Agent", "harbordb")
	if len(r.body) > 0 {
		req.Body, req.ContentLength = body, int64(len(r.body))
		sum := md5.Sum(r.body)
		req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	return req, nil
}

// sign returns the request with its signature.
func (s *Store) sign(req *http.Request, body []byte, c Credentials) *http.Request {
	if c.AccessKey == "" {
		return req
	}
	secret, token := string(c.SecretKey), string(c.SessionToken)
	if s.config.Signature == V2 {
		if token != "" {
			req.Header.Set("X-Amz-Security-Token", token)
		}
		return signer.SignV2(*req, c.AccessKey, secret, s.inHost())
	}
	sum := sha256.Sum256(body)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	return signer.SignV4(*req, c.AccessKey, secret, token, s.config.Region)
}

// payload is the body of one try. The connection may go on sending it after
// the answer has come, but not after Close: its memory is used again.
type payload struct {
	mu      sync.Mutex
	content []byte
	sent    int
	closed  bool
}

func (p *payload) Read(into []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	n := copy(into, p.content[p.sent:])
	p.sent += n
	if p.sent == len(p.content) {
		return n, io.EOF
	}
	return n, nil
}

func (p *payload) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// whole is an accept that reads the whole answer.
func (s *Store) whole(into *[]byte) func(*http.Response) error {
	return func(resp *http.Response) (err error) {
		if *into, err = io.ReadAll(resp.Body); err != nil {
			return s.client.Broken(err)
		}
		return nil
	}
}

// keyring holds the credentials in use.
type keyring struct {
	mu      sync.Mutex
	current Credentials
	refresh func(context.Context) (Credentials, error)
}

func (k *keyring) get() Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// renew replaces credentials that have expired, unless somebody else has, and
// reports whether there are others now.
func (k *keyring) renew(ctx context.Context, expired Credentials) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != expired {
		return true, nil
	}
	if k.refresh == nil {
		return false, nil
	}
	fresh, err := k.refresh(ctx)
	if err != nil {
		return false, fmt.Errorf("renew the credentials: %w", err)
	}
	k.current = fresh
	return fresh != expired, nil
}
