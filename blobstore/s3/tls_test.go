package s3_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
)

func TestCertificatesOfAServer(t *testing.T) {
	authority, other, expired := dbtest.NewAuthority(t), dbtest.NewAuthority(t), dbtest.NewExpiredAuthority(t)
	renewed := expired.Renew(t)
	old, err := os.ReadFile(expired.File)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := os.ReadFile(renewed.File)
	if err != nil {
		t.Fatal(err)
	}
	both := t.TempDir() + "/both.pem"
	if err := os.WriteFile(both, append(old, fresh...), 0o644); err != nil {
		t.Fatal(err)
	}
	handler := fake(t).Config.Handler
	good, stale := registrytest.ServeTLS(t, authority, handler), registrytest.ServeTLS(t, expired, handler)
	for name, c := range map[string]struct {
		server string
		files  []string
		says   []string // of the error; none: it works
	}{
		"our file has the root":                {good, []string{authority.File}, nil},
		"one of our files has it":              {good, []string{other.File, authority.File}, nil},
		"nobody knows the root":                {good, nil, []string{"not accepted", "valid from"}},
		"our file has another root":            {good, []string{other.File}, []string{"none of its issuers", other.File}},
		"the root in our file has expired":     {stale, []string{expired.File}, []string{expired.File, "holds its issuer", "valid from", "harbordb test authority"}},
		"the renewed root in its place":        {stale, []string{renewed.File}, nil},
		"the renewed root beside the old one":  {stale, []string{both}, nil},
		"the renewed root in a file of itself": {stale, []string{expired.File, renewed.File}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config(c.server)
			conf.CAFiles = c.files
			_, err := listKeys(t, open(t, conf), blobstore.Range{})
			if (err == nil) != (c.says == nil) {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %v does not say %q", err, part)
				}
			}
			if err != nil && !strings.Contains(fault.HintOf(err), "root") {
				t.Errorf("hint %q", fault.HintOf(err))
			}
		})
	}
	conf := config(good)
	conf.SkipVerify = true
	if _, err := listKeys(t, open(t, conf), blobstore.Range{}); err != nil {
		t.Errorf("any certificate will do: %v", err)
	}
}

func TestAServerWithoutTLSIsNamed(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer server.Close()
	c := config(strings.Replace(server.URL, "http://", "https://", 1))
	_, err := listKeys(t, open(t, c), blobstore.Range{})
	if err == nil || !strings.Contains(fault.HintOf(err), "http://") || requests > 0 {
		t.Errorf("error %v, hint %q, %d requests", err, fault.HintOf(err), requests)
	}
}
