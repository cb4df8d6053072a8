// Package remote is what the stores behind HTTP have in common: whom a
// connection trusts, when a request is sent again, how many run at once, and
// a body that goes on after a cut.
//
// It knows no store and no protocol above HTTP. It must never send a request
// again without its body, never try for ever, and never take silence for an
// end.
package remote

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Settings are those of every store behind HTTP. The zero value is usable.
type Settings struct {
	// CAFiles hold root certificates in PEM form, which are trusted beside
	// those of the system.
	CAFiles []string
	// SkipVerify accepts any certificate.
	SkipVerify bool
	// Proxy picks the proxy of a request, as in http.Transport; nil is
	// none.
	Proxy func(*http.Request) (*url.URL, error)
	// Retries is how often a request that failed for the moment is sent
	// again; 0 means 7, less than 0 never.
	Retries int
	// Pause comes before the first of them, and grows twofold up to five
	// seconds; each is shortened by chance. 0 means 100 ms.
	Pause time.Duration
	// Silence is how long a connection may stand still before it counts
	// as cut; 0 means one minute.
	Silence time.Duration
}

const (
	defaultRetries = 7
	defaultPause   = 100 * time.Millisecond
	longestPause   = 5 * time.Second
	defaultSilence = time.Minute
	// mostRequests run at once; a store that asks to slow down gets fewer.
	mostRequests = 64
)

func (s Settings) withDefaults() Settings {
	if s.Retries == 0 {
		s.Retries = defaultRetries
	}
	if s.Pause == 0 {
		s.Pause = defaultPause
	}
	if s.Silence == 0 {
		s.Silence = defaultSilence
	}
	return s
}

// Client sends requests to one store. Safe for concurrent use.
type Client struct {
	settings  Settings
	trust     trust
	transport *http.Transport
	pace      *pace
}

// New reads the certificates and returns a client. It opens no connection.
func New(s Settings) (*Client, error) {
	t, err := newTrust(s.CAFiles)
	if err != nil {
		return nil, err
	}
	s = s.withDefaults()
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &Client{settings: s, trust: t, pace: newPace(mostRequests), transport: &http.Transport{
		Proxy:               s.Proxy,
		DialContext:         alert{dialer, s.Silence}.DialContext,
		TLSClientConfig:     &tls.Config{RootCAs: t.pool, InsecureSkipVerify: s.SkipVerify},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: mostRequests,
		IdleConnTimeout:     s.Silence,
		// A body must arrive as it is stored.
		DisableCompression: true,
	}}, nil
}

// HTTP returns a client that follows no redirect: a signature or a token is
// for one host.
func (c *Client) HTTP() *http.Client {
	return &http.Client{
		Transport:     c.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Transport is what HTTP sends with.
func (c *Client) Transport() *http.Transport { return c.transport }

// Silence is how long a connection may stand still.
func (c *Client) Silence() time.Duration { return c.settings.Silence }

// Close gives idle connections back.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
