package database

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
)

// applicationName is how our sessions are called in the server's list.
const applicationName = "harbordb"

func dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
}

func isSocket(host string) bool { return strings.HasPrefix(host, "/") }

// config returns how to speak TLS with the server of that name. Only the
// modes that verify look at the server's certificate.
func (t TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fault.Failedf("client certificate %s with key %s: %w", t.CertFile, t.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	c.RootCAs = roots
	switch t.Mode {
	case TLSVerifyFull:
	case TLSVerifyCA:
		c.InsecureSkipVerify = true // the chain is verified below, the name is not
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, roots) }
	case TLSDisable, TLSAllow, TLSPrefer, TLSRequire, "":
		c.InsecureSkipVerify = true
	default:
		return nil, fault.Usagef("TLS mode %q: it is disable, allow, prefer, require, verify-ca or verify-full", t.Mode)
	}
	return c, nil
}

// roots are the system's and those of our files; nil means the system's.
func (t TLS) roots() (*x509.CertPool, error) {
	files := t.caFiles()
	if len(files) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a container may have none
	}
	for _, file := range files {
		certificates, err := readCertificates(file)
		if err != nil {
			return nil, err
		}
		for _, certificate := range certificates {
			pool.AddCert(certificate)
		}
	}
	return pool, nil
}

func (t TLS) caFiles() []string {
	var files []string
	for _, file := range []string{t.CAFile, t.ExtraCAFile} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// readCertificates returns all certificates of a PEM file. A file without any
// is an error: it was meant to add some.
func readCertificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Failedf("read the root certificates: %w", err)
	}
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fault.Failedf("root certificates: certificate %d of %s: %w", len(certificates)+1, file, err)
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil, fault.Failedf("root certificates: %s holds no certificate in PEM form", file)
	}
	return certificates, nil
}

// verifyChain is what crypto/tls does by itself, without the name.
func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, certificate := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

// explainCertificate adds to the failed check of a certificate what an
// operator needs to see the reason: whose certificate it was, which roots our
// files hold, and the dates of both.
func (t TLS) explainCertificate(err error) (string, bool) {
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) {
		return "", false
	}
	text := fmt.Sprintf("the server's certificate is not accepted: %v", failed.Err)
	if len(failed.UnverifiedCertificates) > 0 {
		text += "; it is " + describe(failed.UnverifiedCertificates[0])
	}
	for _, file := range t.caFiles() {
		certificates, err := readCertificates(file)
		if err != nil {
			continue
		}
		held := make([]string, len(certificates))
		for i, certificate := range certificates {
			held[i] = describe(certificate)
		}
		text += fmt.Sprintf("; %s holds %s", file, strings.Join(held, ", "))
	}
	return text, true
}

// describe names a certificate and its dates.
func describe(c *x509.Certificate) string {
	const day = "2006-01-02"
	text := fmt.Sprintf("%q (valid %s to %s", c.Subject.String(), c.NotBefore.UTC().Format(day), c.NotAfter.UTC().Format(day))
	if time.Now().After(c.NotAfter) {
		text += ", expired"
	}
	return text + ")"
}
