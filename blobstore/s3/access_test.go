package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/s3"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
)

// TestTheOldSignature: Swift checks it.
func TestTheOldSignature(t *testing.T) {
	c := openstack(t, s3.Config{Signature: s3.V2, Prefix: "a folder", PartSize: 5 << 20})
	s := open(t, c)
	for key, size := range map[string]int{"small ü+b": 10, "large": 6 << 20} {
		if err := write(t, s, key, blobstore.New, data(size)); err != nil {
			t.Error(err)
		}
		if got, err := content(t, s, key); err != nil || len(got) != size {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	if got, err := listKeys(t, s, blobstore.Range{}); err != nil || len(got) != 2 {
		t.Errorf("listed %q, %v", got, err)
	}
}

func TestErrorsNameBucketAndServerAndNoSecret(t *testing.T) {
	good := openstack(t, s3.Config{})
	for name, c := range map[string]struct {
		edit   func(*s3.Config)
		target error
	}{
		"no such bucket": {func(c *s3.Config) { c.Bucket = "nowhere" }, blobstore.ErrNotFound},
		"wrong secret":   {func(c *s3.Config) { c.Credentials.SecretKey = "not-the-secret" }, blobstore.ErrDenied},
		"wrong key":      {func(c *s3.Config) { c.Credentials.AccessKey = "nobody:nowhere" }, blobstore.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			c.edit(&config)
			s := open(t, config)
			_, listing := listKeys(t, s, blobstore.Range{})
			_, head := s.Head(t.Context(), "x")
			for step, err := range map[string]error{
				"list": listing, "head": head, "write": write(t, s, "x", blobstore.Replace, data(10)),
			} {
				if !errors.Is(err, c.target) {
					t.Errorf("%s: %v, want %v", step, err, c.target)
				}
				for _, part := range []string{config.Bucket, config.Endpoint} {
					if !strings.Contains(fmt.Sprint(err), part) {
						t.Errorf("%s: error %v does not name %s", step, err, part)
					}
				}
				if text := fmt.Sprintf("%v %+v %#v", err, config, config); strings.Contains(text, string(config.Credentials.SecretKey)) {
					t.Errorf("%s: the secret is shown: %s", step, text)
				}
			}
		})
	}
}

func TestWhatAServerSaysIsRedactedAndExplained(t *testing.T) {
	c := config("")
	for code, hint := range map[string]string{
		"SignatureDoesNotMatch":        "secret key",
		"NoSuchBucket":                 "bucket",
		"RequestTimeTooSkewed":         "clock",
		"AuthorizationHeaderMalformed": "region=eu-central-1",
	} {
		c.Endpoint = registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusForbidden)
			region := ""
			if code == "AuthorizationHeaderMalformed" {
				region = "<Region>eu-central-1</Region>"
			}
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>You sent %s.</Message>%s</Error>", code, strings.Join(secrets, " and "), region)
		})
		_, err := listKeys(t, open(t, c), blobstore.Range{})
		if err == nil || !strings.Contains(err.Error(), code) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%s: error %v, hint %q", code, err, fault.HintOf(err))
		}
		for _, secret := range secrets {
			if strings.Contains(fmt.Sprint(err), secret) {
				t.Errorf("%s: a secret is shown: %v", code, err)
			}
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a signed request went elsewhere") }))
	defer elsewhere.Close()
	c := config(registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	if _, err := open(t, c).Head(t.Context(), "x"); err == nil {
		t.Error("no error")
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, edit := range map[string]func(*s3.Config){
		"no bucket":               func(c *s3.Config) { c.Bucket = "" },
		"bucket with a folder":    func(c *s3.Config) { c.Bucket = "a/b" },
		"hostile folder":          func(c *s3.Config) { c.Prefix = "../x" },
		"endpoint without scheme": func(c *s3.Config) { c.Endpoint = "host:8080" },
		"endpoint with a path":    func(c *s3.Config) { c.Endpoint = "http://host/s3" },
		"endpoint with a user":    func(c *s3.Config) { c.Endpoint = "http://user:secret@host" },
	} {
		c := config("http://127.0.0.1:1")
		edit(&c)
		if _, err := s3.Open(c); err == nil || fault.KindOf(err) != fault.Usage || strings.Contains(err.Error(), "user:secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, c := range map[string]s3.Config{
		"s3://harbor/ at https://s3.eu-west-1.amazonaws.com":     {Bucket: "harbor", Region: "eu-west-1"},
		"s3://harbor/ at https://s3.us-east-1.amazonaws.com":     {Bucket: "harbor"},
		"s3://a.b/ at https://s3.cn-north-1.amazonaws.com.cn":    {Bucket: "a.b", Region: "cn-north-1"},
		"s3://harbor/x/ at http://rgw:8080":                      {Bucket: "harbor", Prefix: "/x/", Endpoint: "http://rgw:8080/"},
		"s3://harbor/ at https://s3.example.com, as harbor.host": {Bucket: "harbor", Endpoint: "https://s3.example.com", Style: s3.Host},
	} {
		if s := open(t, c); s.String() != strings.TrimSuffix(want, ", as harbor.host") {
			t.Errorf("%s, want %s", s, want)
		}
	}
}
