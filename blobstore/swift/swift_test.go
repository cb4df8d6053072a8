package swift_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/storetest"
	"github.com/harbordb/harbordb/blobstore/swift"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
)

// config is for a new container of OpenStack; tries come fast after another.
func config(t *testing.T) swift.Config {
	t.Helper()
	s := registrytest.OpenStack(t)
	return swift.Config{
		AuthURL: s.AuthURL, User: s.User, Key: remote.Secret(s.Key), Container: s.NewContainer(t),
		Settings: remote.Settings{Pause: time.Millisecond},
	}
}

func open(t *testing.T, c swift.Config) *swift.Reader {
	t.Helper()
	r, err := swift.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestReaderContract(t *testing.T) {
	for name, edit := range map[string]func(*swift.Config){
		"whole container":           func(*swift.Config) {},
		"folder, small pages, v1.0": func(c *swift.Config) { c.Prefix, c.PageSize, c.AuthVersion = "/some/folder ü", 30, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Reader(t, func(t *testing.T) storetest.Source {
				c := config(t)
				edit(&c)
				prefix := strings.TrimPrefix(c.Prefix, "/")
				if prefix != "" {
					prefix += "/"
				}
				put := func(t *testing.T, key string, content []byte) {
					registrytest.OpenStack(t).Put(t, c.Container, prefix+key, content, nil)
				}
				return storetest.Source{Reader: open(t, c), Put: put, Secrets: []string{string(c.Key)}, Many: registrytest.ListingLimit + 30}
			})
		})
	}
}

func TestLargeObjects(t *testing.T) {
	c := config(t)
	server, r := registrytest.OpenStack(t), open(t, c)
	server.Put(t, c.Container, "segments/x/1", []byte("first "), nil)
	server.Put(t, c.Container, "segments/x/2", []byte("second"), nil)
	server.Put(t, c.Container, "files/dynamic", nil, map[string]string{"X-Object-Manifest": c.Container + "/segments/x/"})
	server.Put(t, c.Container, "files/hollow", nil, map[string]string{"X-Object-Manifest": c.Container + "/segments/gone/"})
	server.Put(t, c.Container, "files/plain", []byte("plain"), nil)
	server.PutSLO(t, c.Container, "files/static", "segments/x/1", "segments/x/2")
	for key, want := range map[string]struct {
		listed, head int64
		content      string
		manifest     bool
	}{
		"files/dynamic": {0, 12, "first second", true},
		"files/hollow":  {0, 0, "", true},
		"files/plain":   {5, 5, "plain", false},
		"files/static":  {12, 12, "first second", true},
	} {
		o, err := r.Head(t.Context(), key)
		if err != nil || o.Size != want.head || o.Manifest != want.manifest || o.ModTime.IsZero() || want.manifest && o.MD5 != nil {
			t.Errorf("head of %s: %+v, %v", key, o, err)
		}
		if got := listed(t, r, key); got.Size != want.listed || got.Manifest {
			t.Errorf("%s is listed as %+v", key, got)
		}
		if got := content(t, r, key, 0); got != want.content {
			t.Errorf("%s holds %q", key, got)
		}
		if want.head > 6 {
			if got := content(t, r, key, 6); got != want.content[6:] {
				t.Errorf("%s holds %q from 6 on", key, got)
			}
		}
	}
	if o := listed(t, r, "files/static"); o.MD5 != nil {
		t.Errorf("the MD5 of a large object is that of its content: %+v", o)
	}
}

func TestErrorsNameContainerAndServerAndNoKey(t *testing.T) {
	good := config(t)
	for name, c := range map[string]struct {
		edit   func(*swift.Config)
		target error
		says   string
	}{
		"no such container": {func(c *swift.Config) { c.Container = "nowhere" }, blobstore.ErrNotFound, "nowhere"},
		"wrong key":         {func(c *swift.Config) { c.Key = "not-the-key" }, blobstore.ErrDenied, "log in"},
		"wrong user":        {func(c *swift.Config) { c.User = "test:nobody" }, blobstore.ErrDenied, "log in"},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			c.edit(&config)
			err := open(t, config).List(t.Context(), blobstore.Range{}, func(blobstore.Object) error { return nil })
			if !errors.Is(err, c.target) || fault.HintOf(err) == "" {
				t.Errorf("error %v, hint %q", err, fault.HintOf(err))
			}
			for _, part := range []string{c.says, config.Container, good.AuthURL} {
				if !strings.Contains(fmt.Sprint(err), part) {
					t.Errorf("error %v does not name %s", err, part)
				}
			}
			if text := fmt.Sprintf("%v %+v %#v", err, config, config); strings.Contains(text, string(config.Key)) {
				t.Errorf("the key is shown: %s", text)
			}
		})
	}
}

func TestSettingsAreChecked(t *testing.T) {
	good := swift.Config{AuthURL: "http://127.0.0.1:1/auth/v1.0", Container: "c"}
	for name, edit := range map[string]func(*swift.Config){
		"no container":            func(c *swift.Config) { c.Container = "" },
		"container with a folder": func(c *swift.Config) { c.Container = "c/d" },
		"hostile folder":          func(c *swift.Config) { c.Prefix = "../x" },
		"no URL":                  func(c *swift.Config) { c.AuthURL = "" },
		"URL without scheme":      func(c *swift.Config) { c.AuthURL = "host:5000/v3" },
		"URL without version":     func(c *swift.Config) { c.AuthURL = "http://host/identity" },
		"unknown version":         func(c *swift.Config) { c.AuthVersion = 4 },
		"unknown endpoint type":   func(c *swift.Config) { c.EndpointType = "private" },
	} {
		c := good
		edit(&c)
		if _, err := swift.Open(c); fault.KindOf(err) != fault.Usage || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{"/v3", "/identity/v3/", "/v2.0", "/auth/v1.0", "/auth/1.0", "/auth", "/auth/"} {
		c := good
		c.AuthURL = "https://host:5000" + path
		if _, err := swift.Open(c); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	good.CAFiles = []string{"/does/not/exist.pem"}
	if _, err := swift.Open(good); err == nil || !strings.Contains(err.Error(), "/does/not/exist.pem") {
		t.Errorf("missing file of root certificates: %v", err)
	}
}

// listed is one object as the list has it.
func listed(t *testing.T, r blobstore.Reader, key string) (found blobstore.Object) {
	t.Helper()
	err := r.List(t.Context(), blobstore.Range{Prefix: key}, func(o blobstore.Object) error {
		found = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func content(t *testing.T, r blobstore.Reader, key string, offset int64) string {
	t.Helper()
	body, err := r.Get(t.Context(), key, offset)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(all)
}
