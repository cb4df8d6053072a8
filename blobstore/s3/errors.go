package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/internal/fault"
)

// apiError is an answer that says no.
type apiError struct {
	status  int
	code    string
	message string
	region  string // where the bucket is, if the answer says so
}

func (e *apiError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("%s (HTTP status %d)", e.code, e.status)
	}
	return fmt.Sprintf("%s: %s (HTTP status %d)", e.code, strings.TrimSuffix(e.message, "."), e.status)
}

// Is maps answers to the sentinels of blobstore.
func (e *apiError) Is(target error) bool {
	switch target {
	case blobstore.ErrNotFound:
		return e.status == http.StatusNotFound
	case blobstore.ErrDenied:
		return e.status == http.StatusForbidden || e.status == http.StatusUnauthorized
	case blobstore.ErrExists:
		return e.status == http.StatusPreconditionFailed
	}
	return false
}

// refusal reads an answer that says no, and marks it if another try makes
// sense.
func (s *Store) refusal(resp *http.Response) error {
	const longest = 64 << 10
	body, _ := io.ReadAll(io.LimitReader(resp.Body, longest)) // the status says enough
	e := parseError(resp.StatusCode, body)
	if e.region == "" {
		e.region = resp.Header.Get("X-Amz-Bucket-Region")
	}
	e.message = s.redact(e.message)
	switch {
	case e.code == "SlowDown", e.status == http.StatusServiceUnavailable, e.status == http.StatusTooManyRequests:
		return remote.SlowDown(e, resp.Header)
	case e.code == "RequestTimeout", e.code == "OperationAborted", e.code == "ConditionalRequestConflict",
		remote.TemporaryStatus(e.status):
		return remote.Temporary(e)
	}
	return e
}

// parseError reads the XML of an error; whatever else came is described by its
// status.
func parseError(status int, body []byte) *apiError {
	var told struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Region  string
	}
	e := &apiError{status: status}
	if xml.Unmarshal(body, &told) == nil {
		e.code, e.message, e.region = told.Code, told.Message, told.Region
	}
	if e.code == "" {
		e.code = http.StatusText(status)
	}
	return e
}

func codeOf(err error) string {
	var e *apiError
	if errors.As(err, &e) {
		return e.code
	}
	return ""
}

func statusOf(err error) int {
	var e *apiError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

func isExpired(err error) bool {
	switch codeOf(err) {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return true
	}
	return false
}

// fail says which step failed, on which key of which bucket of which server,
// and what to do about it where that is known.
func (s *Store) fail(verb, key string, err error) error {
	if request, ok := err.(*url.Error); ok {
		err = request.Err // without the address of the request, which says nothing more
	}
	for _, sentinel := range []error{blobstore.ErrNotFound, blobstore.ErrDenied, blobstore.ErrExists} {
		var e *apiError
		if errors.As(err, &e) && errors.Is(e, sentinel) {
			err = fmt.Errorf("%w: %w", sentinel, err)
		}
	}
	if key != "" {
		err = fmt.Errorf("%s %s in %s: %w", verb, key, s, err)
	} else {
		err = fmt.Errorf("%s %s: %w", verb, s, err)
	}
	if hint := s.hint(err); hint != "" {
		return fault.Hint(err, "%s", hint)
	}
	return err
}

func (s *Store) hint(err error) string {
	if refused := (*net.OpError)(nil); errors.As(err, &refused) {
		return "is the server running, and is the endpoint right?"
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "the server took the connection and does not answer: is the endpoint right, and is the server well?"
	}
	if errors.Is(err, errNoList) {
		return "is the endpoint that of the S3 API? A console or another web page answers at its own port"
	}
	var e *apiError
	if !errors.As(err, &e) {
		return ""
	}
	switch {
	case e.region != "" && e.region != s.config.Region && e.status != http.StatusNotFound:
		return "the bucket is in region " + e.region + ": say region=" + e.region
	case e.code == "NoSuchBucket":
		return "create the bucket first, or correct its name"
	case e.code == "SignatureDoesNotMatch":
		return "check the secret key; some old gateways need signature version 2"
	case e.code == "InvalidAccessKeyId":
		return "check the access key: the server does not know it"
	case e.code == "AccessDenied":
		return "check the keys, and what they may do in this bucket"
	case e.status == http.StatusServiceUnavailable || e.code == "SlowDown":
		return "the server has too much to do, or is not up yet: try later"
	case e.code == "RequestTimeTooSkewed":
		return "the clock of this machine or of the server is wrong"
	case isExpired(e):
		return "get new temporary credentials"
	}
	return ""
}

// redact takes out of a server's message what must not be printed.
func (s *Store) redact(text string) string {
	c := s.keys.get()
	return remote.Redact(text, c.SecretKey, c.SessionToken, remote.Secret(c.AccessKey))
}
