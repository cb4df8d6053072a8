package swift

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ncw/swift/v2"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/internal/fault"
)

// request is one request for an object, or for the container where key is
// empty.
type request struct {
	verb   string // what is being done, for errors
	method string
	key    string
	query  url.Values
	header swift.Headers
	accept func(*http.Response) error
}

// do sends a request until it has an answer, with a new token when the one in
// use has expired.
func (r *Reader) do(ctx context.Context, req request) error {
	if err := r.client.Retry(ctx, func() error { return r.once(ctx, req) }); err != nil {
		return r.fail(req.verb, req.key, err)
	}
	return nil
}

func (r *Reader) once(ctx context.Context, req request) error {
	storage, err := r.conn.GetStorageUrl(ctx)
	if err != nil {
		return r.refusal(nil, fmt.Errorf("log in: %w", err))
	}
	opts := swift.RequestOpts{
		Container: r.config.Container, Operation: req.method, Parameters: req.query, Headers: req.header,
		OnReAuth: func() (string, error) { return r.conn.StorageUrl, nil },
	}
	if req.key != "" {
		opts.ObjectName = r.config.Prefix + req.key
	}
	resp, _, err := r.conn.Call(ctx, storage, opts)
	if err != nil {
		return r.refusal(resp, err)
	}
	defer func() { resp.Body.Close() }() // of the answer as accept leaves it
	return req.accept(resp)
}

// refusal marks an error if another try makes sense. resp is nil where the
// store itself has not answered.
func (r *Reader) refusal(resp *http.Response, err error) error {
	var e *swift.Error
	if !errors.As(err, &e) {
		return r.client.Broken(err)
	}
	header := http.Header{}
	if resp != nil {
		header = resp.Header
	}
	switch status := e.StatusCode; {
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests, status == swift.RateLimit.StatusCode:
		return remote.SlowDown(err, header)
	case remote.TemporaryStatus(status):
		return remote.Temporary(err)
	case status == http.StatusUnauthorized && resp != nil:
		// The login was good a moment ago, the token is not: Ceph may
		// hand out one from its cache that has expired.
		r.conn.UnAuthenticate()
		return remote.Temporary(err)
	}
	return err
}

func statusOf(err error) int {
	var e *swift.Error
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// sentinels are what the statuses of answers mean.
var sentinels = map[int]error{
	http.StatusNotFound:     blobstore.ErrNotFound,
	http.StatusUnauthorized: blobstore.ErrDenied,
	http.StatusForbidden:    blobstore.ErrDenied,
}

// fail says which step failed, on which object of which container of which
// server, and what to do about it where that is known.
func (r *Reader) fail(verb, key string, err error) error {
	status := statusOf(err)
	if status != 0 {
		// The text may be a page of HTML that a server wrote.
		err = &answer{remote.Redact(err.Error(), r.config.Key, r.config.ApplicationSecret), err}
	}
	if sentinel := sentinels[status]; sentinel != nil {
		err = fmt.Errorf("%w: %w", sentinel, err)
	}
	where := r.String()
	if key != "" {
		where = key + " in " + where
	}
	err = fmt.Errorf("%s %s: %w", verb, where, err)
	switch {
	case status == http.StatusNotFound && key == "":
		return fault.Hint(err, "check the names of the container, the tenant and the region")
	case status == http.StatusUnauthorized:
		return fault.Hint(err, "check user, key, tenant and domains")
	}
	return err
}

// answer is a server's answer without what must not be printed.
type answer struct {
	text string
	err  error
}

func (a *answer) Error() string { return a.text }
func (a *answer) Unwrap() error { return a.err }
