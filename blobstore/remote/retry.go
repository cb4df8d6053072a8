package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
)

// temporary is an error after which the same request may succeed.
type temporary struct {
	error
	after time.Duration // what the server asked for
	slow  bool          // the server has too much to do
}

func (t *temporary) Unwrap() error { return t.error }

// Temporary marks an error after which the same request may succeed. The mark
// never leaves Retry.
func Temporary(err error) error { return &temporary{error: err} }

// TemporaryStatus reports whether a status says that the same request may
// succeed later.
func TemporaryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// SlowDown marks the error of a server that has too much to do. header may
// hold a Retry-After in seconds, which is heeded up to half a minute.
func SlowDown(err error, header http.Header) error {
	const most = 30
	t := &temporary{error: err, slow: true}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 {
		t.after = time.Duration(min(seconds, most)) * time.Second
	}
	return t
}

// Broken marks the error of a request that got no answer, or a part of one,
// as temporary where another try makes sense, and says more of those where it
// does not.
func (c *Client) Broken(err error) error {
	if explained := c.trust.explain(err); explained != nil {
		return explained
	}
	var dns *net.DNSError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &dns) && dns.IsNotFound:
		return err
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fault.Failedf("%w", err).WithHint("the server speaks no TLS on this port: is the address one with http:// ?")
	}
	return Temporary(err)
}

// mostSilences is how often a server may stand still: each time takes as long
// as a connection may be silent, a minute by default.
const mostSilences = 3

// Retry calls try until it returns an error that is not marked as temporary,
// or too often, or ctx ends. Of the requests that run at the same time, fewer
// are let through while the server asks to slow down.
func (c *Client) Retry(ctx context.Context, try func() error) error {
	silences := 0
	for failures := 0; ; failures++ {
		if err := c.pace.enter(ctx); err != nil {
			return err
		}
		err := try()
		var t *temporary
		again := errors.As(err, &t)
		c.pace.leave(again && t.slow)
		if ctx.Err() != nil && err != nil {
			return context.Cause(ctx)
		}
		if !again {
			return err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			silences++
		}
		if failures >= c.settings.Retries || silences >= mostSilences {
			return t.error
		}
		if err := c.rest(ctx, failures, t.after); err != nil {
			return err
		}
	}
}

// rest waits before another try.
func (c *Client) rest(ctx context.Context, failures int, atLeast time.Duration) error {
	pause := longestPause
	if failures < 16 { // where the shift still fits
		pause = min(pause, c.settings.Pause<<failures)
	}
	pause = max(atLeast, pause/2+rand.N(pause/2+1))
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
