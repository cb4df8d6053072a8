package swift_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/swift"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
)

// behind returns the settings of a client that reaches OpenStack, login and
// all, only through handle.
func behind(t *testing.T, c swift.Config, handle func(http.ResponseWriter, *http.Request, http.Handler)) swift.Config {
	t.Helper()
	real, err := url.Parse(c.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	c.AuthURL = registrytest.Between(t, "http://"+real.Host, handle) + real.Path
	return c
}

func isLogin(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/auth/") }

func listKeys(t *testing.T, r blobstore.Reader) (keys []string, err error) {
	t.Helper()
	err = r.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	return keys, err
}

func fill(t *testing.T, c swift.Config, n int) (keys []string) {
	t.Helper()
	for i := range n {
		key := fmt.Sprintf("a/%02d", i)
		registrytest.OpenStack(t).Put(t, c.Container, key, []byte(key), nil)
		keys = append(keys, key)
	}
	return keys
}

// TestATokenThatExpiresIsRenewed: the store, or a cache of Ceph's, refuses a
// token that the login has just handed out.
func TestATokenThatExpiresIsRenewed(t *testing.T) {
	c := config(t)
	want := fill(t, c, 6)
	c.PageSize = 2
	for name, refusals := range map[string]int{"once": 1, "three times after another": 3} {
		var logins, requests, refused int
		r := open(t, behind(t, c, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if isLogin(r) {
				logins++
			} else if requests++; requests >= 3 && refused < refusals {
				refused++
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			forward.ServeHTTP(w, r)
		}))
		keys, err := listKeys(t, r)
		if err != nil || !slices.Equal(keys, want) || refused != refusals || logins != refusals+1 {
			t.Errorf("%s: listed %q, %d logins, %d refusals, error %v", name, keys, logins, refused, err)
		}
	}
}

func TestATokenThatIsNeverGoodIsAnError(t *testing.T) {
	requests := 0
	c := behind(t, config(t), func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if isLogin(r) {
			forward.ServeHTTP(w, r)
			return
		}
		requests++
		w.WriteHeader(http.StatusUnauthorized)
	})
	c.Retries = 3
	_, err := listKeys(t, open(t, c))
	if !errors.Is(err, blobstore.ErrDenied) || requests > 10 {
		t.Errorf("after %d requests: %v", requests, err)
	}
}

func TestEveryRequestFailsOnce(t *testing.T) {
	c := config(t)
	want := fill(t, c, 6)
	c.PageSize = 2
	failures := []func(http.ResponseWriter, *http.Request, http.Handler){
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(503) },
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(498) },
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(429) },
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(500) },
		func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		registrytest.Lose,
		func(w http.ResponseWriter, r *http.Request, forward http.Handler) { registrytest.Cut(w, r, forward, 3) },
	}
	seen := map[string]bool{}
	r := open(t, behind(t, c, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		name := r.Method + r.URL.String()
		if seen[name] {
			forward.ServeHTTP(w, r)
			return
		}
		seen[name] = true
		failures[len(seen)%len(failures)](w, r, forward)
	}))
	keys, err := listKeys(t, r)
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("listed %q, error %v", keys, err)
	}
	for _, key := range want {
		if o, err := r.Head(t.Context(), key); err != nil || o.Size != int64(len(key)) {
			t.Errorf("head: %+v, %v", o, err)
		}
		if got := content(t, r, key, 0); got != key {
			t.Errorf("%s holds %q", key, got)
		}
	}
}

func TestABodyThatIsCutGoesOn(t *testing.T) {
	c := config(t)
	large := strings.Repeat("0123456789abcdef\n", 60_000)
	registrytest.OpenStack(t).Put(t, c.Container, "large", []byte(large), nil)
	cut := func(bytes int) *swift.Reader {
		return open(t, behind(t, c, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if r.Method != http.MethodGet || isLogin(r) {
				forward.ServeHTTP(w, r)
				return
			}
			registrytest.Cut(w, r, forward, bytes)
		}))
	}
	if got := content(t, cut(300_000), "large", 0); got != large {
		t.Errorf("%d bytes in pieces", len(got))
	}
	body, err := cut(0).Get(t.Context(), "large", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err == nil || len(got) > 0 {
		t.Errorf("%d bytes of a body that never comes, error %v", len(got), err)
	}
}

// TestListsThatCannotBeTrusted: an error, never a shorter list.
func TestListsThatCannotBeTrusted(t *testing.T) {
	entry := func(names ...string) string {
		var list []string
		for _, name := range names {
			list = append(list, fmt.Sprintf(`{"name":%q,"bytes":1,"hash":"0cc175b9c0f1b6a831c399e269772661","last_modified":"2026-11-21T10:00:00.123450"}`, name))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	for name, c := range map[string]struct{ answer, says string }{
		"the same page for ever":   {entry("a", "b"), "does not get on"},
		"names out of order":       {entry("b", "a"), "does not get on"},
		"a name twice":             {entry("a", "a"), "does not get on"},
		"half an answer":           {entry("a")[:40], "read the server's list"},
		"something else":           {"<html>Welcome</html>", "read the server's list"},
		"nothing":                  {"", "read the server's list"},
		"an object without a time": {`[{"name":"a","bytes":1}]`, "time"},
		"a size that is no number": {`[{"name":"a","bytes":"x"}]`, "read the server's list"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config(t)
			_, err := listKeys(t, open(t, behind(t, conf, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				if isLogin(r) {
					forward.ServeHTTP(w, r)
					return
				}
				fmt.Fprint(w, c.answer)
			})))
			for _, part := range []string{c.says, conf.Container} {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v does not say %q", err, part)
				}
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	c := behind(t, config(t), func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if isLogin(r) {
			forward.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	})
	c.Retries = 1
	if _, err := listKeys(t, open(t, c)); err == nil || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("error: %v", err)
	}
}

func TestARootThatHasExpiredIsNamed(t *testing.T) {
	expired := dbtest.NewExpiredAuthority(t)
	server := registrytest.ServeTLS(t, expired, http.NotFoundHandler())
	_, err := listKeys(t, open(t, swift.Config{
		AuthURL: server + "/v3", Container: "c", User: "u", Key: "k",
		Settings: remote.Settings{CAFiles: []string{expired.File}},
	}))
	for _, part := range []string{expired.File, "valid from", "holds its issuer", server} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
}

// keystone is an identity service of version 2 or 3 that knows one user and
// logs in to TempAuth for it. Some answers lead to another region or another
// kind of address, where nobody is.
func keystone(t *testing.T, logins *atomic.Int32) string {
	t.Helper()
	s := registrytest.OpenStack(t)
	login := func(w http.ResponseWriter, r *http.Request, answer func(w http.ResponseWriter, token, storage string)) {
		logins.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), `"a-password"`) || !strings.Contains(string(body), `"a-project"`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.AuthURL, nil)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("X-Auth-User", s.User)
		req.Header.Set("X-Auth-Key", s.Key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		answer(w, resp.Header.Get("X-Auth-Token"), resp.Header.Get("X-Storage-Url"))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /identity/v3/auth/tokens", func(w http.ResponseWriter, r *http.Request) {
		login(w, r, func(w http.ResponseWriter, token, storage string) {
			w.Header().Set("X-Subject-Token", token)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"token":{"expires_at":"2099-01-01T00:00:00.000000Z","catalog":[{"type":"object-store","endpoints":[
				{"interface":"public","region":"elsewhere","url":"http://127.0.0.1:1/"},
				{"interface":"public","region":"here","url":"http://127.0.0.1:1/"},
				{"interface":"internal","region":"here","url":%q}]}]}}`, storage)
		})
	})
	mux.HandleFunc("POST /v2.0/tokens", func(w http.ResponseWriter, r *http.Request) {
		login(w, r, func(w http.ResponseWriter, token, storage string) {
			fmt.Fprintf(w, `{"access":{"token":{"id":%q,"expires":"2099-01-01T00:00:00Z"},"serviceCatalog":[{"type":"object-store","endpoints":[
				{"region":"elsewhere","publicURL":"http://127.0.0.1:1/","internalURL":"http://127.0.0.1:1/"},
				{"region":"here","publicURL":"http://127.0.0.1:1/","internalURL":%q}]}]}}`, token, storage)
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestLoginWithKeystone(t *testing.T) {
	var logins atomic.Int32
	address, c := keystone(t, &logins), config(t)
	want := fill(t, c, 3)
	for _, path := range []string{"/identity/v3", "/v2.0"} {
		logins.Store(0)
		c.AuthURL, c.User, c.Key, c.Tenant = address+path, "a-user", "a-password", "a-project"
		c.Domain, c.Region, c.EndpointType = "Default", "here", "internal"
		r := open(t, c)
		for range 2 {
			if keys, err := listKeys(t, r); err != nil || !slices.Equal(keys, want) {
				t.Errorf("%s: listed %q, error %v", path, keys, err)
			}
		}
		if logins.Load() != 1 {
			t.Errorf("%s: %d logins", path, logins.Load())
		}
		c.Key = "another-password"
		_, err := listKeys(t, open(t, c))
		if !errors.Is(err, blobstore.ErrDenied) || strings.Contains(fmt.Sprint(err), "another-password") {
			t.Errorf("%s: wrong password: %v", path, err)
		}
	}
}
