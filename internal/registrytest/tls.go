package registrytest

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

// ServeTLS serves handler for this test, with a certificate that authority
// issues.
func ServeTLS(t testing.TB, authority *dbtest.Authority, handler http.Handler) (address string) {
	t.Helper()
	certificate := authority.Issue(t)
	pair, err := tls.LoadX509KeyPair(certificate.CertFile, certificate.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it are what tests are about
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
