package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newClient(t *testing.T, s Settings) *Client {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRetryEnds(t *testing.T) {
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		retries int
		fail    func(try int) error
		tries   int
		want    error
	}{
		"at once with success":               {3, func(int) error { return nil }, 1, nil},
		"with the first error that stays":    {3, func(int) error { return broken }, 1, broken},
		"with success after some":            {3, func(try int) error { return map[bool]error{try < 3: Temporary(broken)}[true] }, 3, nil},
		"after as many tries as are allowed": {3, func(int) error { return Temporary(broken) }, 4, broken},
		"at once where none are allowed":     {-1, func(int) error { return SlowDown(broken, nil) }, 1, broken},
		"after three times of silence":       {9, func(int) error { return Temporary(os.ErrDeadlineExceeded) }, 3, os.ErrDeadlineExceeded},
		"with the context": {3, func(int) error {
			cancel()
			return Temporary(broken)
		}, 1, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := ctx
			if c.want != context.Canceled {
				ctx = t.Context()
			}
			tries := 0
			err := newClient(t, Settings{Retries: c.retries, Pause: time.Nanosecond}).Retry(ctx, func() error {
				tries++
				return c.fail(tries)
			})
			if tries != c.tries || !errors.Is(err, c.want) {
				t.Errorf("%d tries, error %v; want %d and %v", tries, err, c.tries, c.want)
			}
			var mark *temporary
			if errors.As(err, &mark) {
				t.Error("the mark of a temporary error got out")
			}
		})
	}
}

func TestTheServersPauseIsHeededAndBounded(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "3600": 30 * time.Second, "-1": 0, "Sat, 21 Nov 2026 10:00:00 GMT": 0,
	} {
		var mark *temporary
		err := SlowDown(errors.New("x"), http.Header{"Retry-After": {text}})
		if !errors.As(err, &mark) || mark.after != want || !mark.slow {
			t.Errorf("Retry-After %q: %+v, want %v", text, mark, want)
		}
	}
}

func TestFewerRequestsRunWhileTheServerIsBusy(t *testing.T) {
	p := newPace(8)
	enter := func(n int) {
		t.Helper()
		for range n {
			if err := p.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	enter(8)
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.enter(full); !errors.Is(err, context.Canceled) {
		t.Errorf("a ninth of eight: %v", err)
	}
	for range 8 {
		p.leave(true)
	}
	if p.limit != 1 {
		t.Errorf("after eight complaints %v may run", p.limit)
	}
	for range 40 {
		enter(1)
		p.leave(false)
	}
	if p.limit != 8 {
		t.Errorf("after forty good answers %v may run", p.limit)
	}
	enter(8)
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() {
			if err := p.enter(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		p.leave(false)
	}
	waiting.Wait()
	if p.running != 8 {
		t.Errorf("%d run", p.running)
	}
}

func TestFilesOfRootsAreChecked(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty.pem": "", "text.pem": "no certificate",
		"broken.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Settings{CAFiles: []string{path}}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Settings{CAFiles: []string{filepath.Join(dir, "missing.pem")}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestSecretsDoNotPrintThemselves(t *testing.T) {
	settings := struct{ Key, None Secret }{Key: "hunter22"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, settings); strings.Contains(text, "hunter22") {
			t.Errorf("%s shows %s", format, text)
		}
	}
	if text, err := Secret("hunter22").MarshalText(); err != nil || strings.Contains(string(text), "hunter22") {
		t.Errorf("as text: %s, %v", text, err)
	}
	if got := Redact("key hunter22 of abc", "hunter22", "abc", ""); got != "key ******** of abc" {
		t.Errorf("redacted: %s", got)
	}
}
