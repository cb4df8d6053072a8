package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
)

func write(t *testing.T, s *s3.Store, key string, mode blobstore.PutMode, content []byte) error {
	t.Helper()
	w, err := s.Create(t.Context(), key, mode)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Commit()
}

func content(t *testing.T, s *s3.Store, key string) ([]byte, error) {
	t.Helper()
	body, err := s.Get(t.Context(), key, 0)
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(body)
	return all, errors.Join(err, body.Close())
}

func listKeys(t *testing.T, s *s3.Store, in blobstore.Range) (keys []string, err error) {
	t.Helper()
	err = s.List(t.Context(), in, func(o blobstore.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	return keys, err
}

// data is content that shows a shift.
func data(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef\n"), n/17+1)[:n]
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>Not now.</Message></Error>", code)
}

// TestEveryRequestFailsOnce: whatever a request is for, it is sent again, with
// its body.
func TestEveryRequestFailsOnce(t *testing.T) {
	failures := []func(http.ResponseWriter, *http.Request, http.Handler){
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { refuse(w, 503, "SlowDown") },
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { refuse(w, 429, "TooManyRequests") },
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { refuse(w, 500, "InternalError") },
		func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			status := 400
			if r.Method == http.MethodHead { // its answer could not say what is wrong
				status = 504
			}
			refuse(w, status, "RequestTimeout")
		},
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(502) },
		func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.CopyN(io.Discard, r.Body, 100) // and half of the body is drained
			panic(http.ErrAbortHandler)
		},
		registrytest.Lose,
	}
	var mu sync.Mutex
	seen := map[string]int{}
	address := registrytest.Between(t, fake(t).URL, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		mu.Lock()
		name := r.Method + " " + r.URL.String()
		seen[name]++
		first, n := seen[name] == 1, len(seen)
		mu.Unlock()
		if first {
			failures[n%len(failures)](w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	})
	s := open(t, config(address))
	large := data(11 << 20)
	var want []string
	for i := range failures {
		key := fmt.Sprintf("small/%d", i)
		if err := write(t, s, key, blobstore.New, data(1000+i)); err != nil {
			t.Error(err)
		}
		want = append(want, key)
	}
	if err := write(t, s, "large", blobstore.Replace, large); err != nil {
		t.Fatal(err)
	}
	for i, key := range want {
		if got, err := content(t, s, key); err != nil || !bytes.Equal(got, data(1000+i)) {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	if got, err := content(t, s, "large"); err != nil || !bytes.Equal(got, large) {
		t.Errorf("large: %d bytes, %v", len(got), err)
	}
	if err := s.Delete(t.Context(), "large"); err != nil {
		t.Error(err)
	}
	if got, err := listKeys(t, s, blobstore.Range{}); err != nil || !slices.Equal(got, want) {
		t.Errorf("listed %q, %v", got, err)
	}
}

func TestRetriesEnd(t *testing.T) {
	requests := 0
	address := registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		requests++
		refuse(w, 503, "SlowDown")
	})
	c := config(address)
	c.Retries = 3
	_, err := open(t, c).Head(t.Context(), "a/key")
	if requests != 4 {
		t.Errorf("%d requests, want one and three more", requests)
	}
	if !strings.Contains(fault.HintOf(err), "try later") {
		t.Errorf("hint %q", fault.HintOf(err))
	}
	for _, part := range []string{bucket, address, "a/key", "503"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not name %s", err, part)
		}
	}
}

func TestABodyThatIsCutGoesOn(t *testing.T) {
	target := fake(t).URL
	large := data(1 << 20)
	if err := write(t, open(t, config(target)), "large", blobstore.New, large); err != nil {
		t.Fatal(err)
	}
	var ranges []string
	cut := func(bytes int) *s3.Store {
		ranges = nil
		return open(t, config(registrytest.Between(t, target, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if r.Method != http.MethodGet {
				forward.ServeHTTP(w, r)
				return
			}
			ranges = append(ranges, r.Header.Get("Range"))
			registrytest.Cut(w, r, forward, bytes)
		})))
	}
	got, err := content(t, cut(300_000), "large")
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes in pieces, error %v", len(got), err)
	}
	if want := []string{"", "bytes=300000-", "bytes=600000-", "bytes=900000-"}; !slices.Equal(ranges, want) {
		t.Errorf("asked for %q, want %q", ranges, want)
	}
	got, err = content(t, cut(0), "large")
	if err == nil || len(got) > 0 {
		t.Errorf("%d bytes of a body that never comes, error %v", len(got), err)
	}
	if len(ranges) > 10 {
		t.Errorf("%d requests for a body that never comes", len(ranges))
	}
}

func TestABodyThatIsReplacedBehindACutIsAnError(t *testing.T) {
	target := fake(t).URL
	direct := open(t, config(target))
	if err := write(t, direct, "x", blobstore.New, data(500_000)); err != nil {
		t.Fatal(err)
	}
	first := true
	s := open(t, config(registrytest.Between(t, target, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if !first {
			forward.ServeHTTP(w, r)
			return
		}
		first = false
		defer func() { // Cut panics
			if err := write(t, direct, "x", blobstore.Replace, data(500_001)); err != nil {
				t.Error(err)
			}
		}()
		registrytest.Cut(w, r, forward, 1000)
	})))
	if got, err := content(t, s, "x"); err == nil || !strings.Contains(err.Error(), "not the same") {
		t.Errorf("%d bytes of two objects, error %v", len(got), err)
	}
}

func TestAServerWithoutRanges(t *testing.T) {
	target := fake(t).URL
	if err := write(t, open(t, config(target)), "x", blobstore.New, data(1000)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want string
	}{
		"that sends all of it":           {func(r *http.Request) { r.Header.Del("Range") }, ""},
		"that sends from somewhere else": {func(r *http.Request) { r.Header.Set("Range", "bytes=7-") }, "asked for the bytes from 990 on"},
	} {
		s := open(t, config(registrytest.Between(t, target, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			c.edit(r)
			forward.ServeHTTP(w, r)
		})))
		body, err := s.Get(t.Context(), "x", 990)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data(1000)[990:]) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		body.Close()
	}
}

// TestALostAnswerIsNoOtherWriter: the server has made our object, we did not
// hear of it, and the request that is sent again is refused.
func TestALostAnswerIsNoOtherWriter(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "large": 11 << 20} {
		t.Run(name, func(t *testing.T) {
			target, lost := fake(t).URL, false
			s := open(t, config(registrytest.Between(t, target, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				last := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber") || r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
				if last && !lost {
					lost = true
					registrytest.Lose(w, r, forward)
				}
				forward.ServeHTTP(w, r)
			})))
			if err := write(t, s, "x", blobstore.New, data(size)); err != nil || !lost {
				t.Errorf("lost an answer: %v, error %v", lost, err)
			}
			err := write(t, s, "x", blobstore.New, data(size))
			if !errors.Is(err, blobstore.ErrExists) {
				t.Errorf("the same key again: %v", err)
			}
		})
	}
}

func TestAServerWithoutConditions(t *testing.T) {
	asked := 0
	s := open(t, config(registrytest.Between(t, fake(t).URL, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			asked++
			refuse(w, http.StatusNotImplemented, "NotImplemented")
			return
		}
		forward.ServeHTTP(w, r)
	})))
	for _, key := range []string{"a", "b"} {
		if err := write(t, s, key, blobstore.New, data(10)); err != nil {
			t.Error(err)
		}
		if err := write(t, s, key, blobstore.New, data(10)); !errors.Is(err, blobstore.ErrExists) {
			t.Errorf("%s again: %v", key, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times for what the server does not know", asked)
	}
}

func TestACompletionThatFailsBehindItsStatus(t *testing.T) {
	failed := false
	s := open(t, config(registrytest.Between(t, fake(t).URL, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && !failed {
			failed = true
			refuse(w, http.StatusOK, "InternalError")
			return
		}
		forward.ServeHTTP(w, r)
	})))
	large := data(6 << 20)
	if err := write(t, s, "large", blobstore.Replace, large); err != nil || !failed {
		t.Errorf("failed once: %v, error %v", failed, err)
	}
	if got, err := content(t, s, "large"); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAFailedWriteLeavesNoUpload(t *testing.T) {
	target := fake(t).URL
	s := open(t, config(registrytest.Between(t, target, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			refuse(w, http.StatusForbidden, "QuotaExceeded")
			return
		}
		forward.ServeHTTP(w, r)
	})))
	w, err := s.Create(t.Context(), "x", blobstore.New)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data(16 << 20))
	if err == nil || !strings.Contains(err.Error(), "QuotaExceeded") {
		t.Errorf("write: %v", err)
	}
	if cerr := w.Commit(); cerr == nil {
		t.Error("what could not be written was committed")
	}
	err = open(t, config(target)).Uploads(t.Context(), "", func(u blobstore.Upload) error {
		return fmt.Errorf("left behind: %+v", u)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExpiredCredentialsAreRenewed(t *testing.T) {
	valid, renewals := "old-token", 0
	address := registrytest.Between(t, fake(t).URL, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if r.Header.Get("X-Amz-Security-Token") != valid {
			refuse(w, http.StatusBadRequest, "ExpiredToken")
			return
		}
		forward.ServeHTTP(w, r)
	})
	c := config(address)
	c.Credentials.SessionToken = "old-token"
	c.Refresh = func(context.Context) (s3.Credentials, error) {
		renewals++
		return s3.Credentials{AccessKey: "new", SecretKey: "new", SessionToken: remote.Secret(valid)}, nil
	}
	s := open(t, c)
	if err := write(t, s, "a", blobstore.New, data(10)); err != nil {
		t.Fatal(err)
	}
	valid = "new-token"
	if err := write(t, s, "b", blobstore.New, data(10)); err != nil || renewals != 1 {
		t.Errorf("%d renewals, error %v", renewals, err)
	}
	valid, c.Refresh = "another", nil
	s = open(t, c)
	if _, err := listKeys(t, s, blobstore.Range{}); err == nil || fault.HintOf(err) == "" {
		t.Errorf("expired for good: %v, hint %q", err, fault.HintOf(err))
	}
}

func TestAServerThatHangsIsAnError(t *testing.T) {
	hang := make(chan struct{})
	address := registrytest.Between(t, "http://127.0.0.1:1", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	c := config(address)
	c.Retries, c.Silence = -1, 20*time.Millisecond
	if _, err := open(t, c).Head(t.Context(), "x"); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(fault.HintOf(err), "does not answer") {
		t.Errorf("error: %v, hint %q", err, fault.HintOf(err))
	}
}

func TestRequestsGoThroughTheProxyThatTheCallerPicks(t *testing.T) {
	for style, want := range map[s3.Style][2]string{s3.Host: {"harbor.s3.invalid", "/a%20b"}, s3.Path: {"s3.invalid", "/harbor/a%20b"}} {
		var host, path string
		proxy := registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			host, path = r.Host, r.URL.EscapedPath()
			w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")
			w.Header().Set("Content-Length", "0")
		})
		c := config("http://s3.invalid")
		c.Style = style
		c.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
		if _, err := open(t, c).Head(t.Context(), "a b"); err != nil || host != want[0] || path != want[1] {
			t.Errorf("asked %s for %s, want %s; error %v", host, path, want, err)
		}
	}
}
