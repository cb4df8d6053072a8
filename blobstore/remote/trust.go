package remote

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// trust is the set of roots that a connection believes.
type trust struct {
	pool  *x509.CertPool // nil: the system's
	added []added
}

// added is one certificate of ours and where it came from.
type added struct {
	file string
	cert *x509.Certificate
}

func newTrust(files []string) (trust, error) {
	if len(files) == 0 {
		return trust{}, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a container may have none
	}
	t := trust{pool: pool}
	for _, file := range files {
		if err := t.add(file); err != nil {
			return t, fault.Failedf("root certificates: %w", err)
		}
	}
	return t, nil
}

// add takes the certificates of one file. Expired ones are kept: a bundle may
// hold the old root beside the new one, and an error has to name it.
func (t *trust) add(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	count := 0
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		count++
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d of %s: %w", count, file, err)
		}
		t.pool.AddCert(cert)
		t.added = append(t.added, added{file, cert})
	}
	if count == 0 {
		return fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return nil
}

// explain turns the failed check of a certificate into an error that says
// whose it was, and what our files hold of its issuers, with all dates. It
// returns nil for every other error.
func (t trust) explain(err error) error {
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) || len(failed.UnverifiedCertificates) == 0 {
		return nil
	}
	text := "it is " + describe(failed.UnverifiedCertificates[0])
	issuers, hint := t.issuersOf(failed.UnverifiedCertificates), "name the file with the root certificate of its issuer with --ca-file"
	for _, a := range issuers {
		text += fmt.Sprintf("; %s holds its issuer %s", a.file, describe(a.cert))
		hint = "if that root has expired, put the renewed one into " + a.file + ", beside it or in its place"
	}
	if len(issuers) == 0 && len(t.added) > 0 {
		text += "; none of its issuers is in " + strings.Join(t.files(), ", ")
	}
	return fault.Failedf("the server's certificate is not accepted: %w (%s)", failed.Err, text).WithHint("%s", hint)
}

// issuersOf are our certificates that could have signed one of a chain.
func (t trust) issuersOf(chain []*x509.Certificate) (found []added) {
	for _, a := range t.added {
		for _, c := range chain {
			if bytes.Equal(c.RawIssuer, a.cert.RawSubject) {
				found = append(found, a)
				break
			}
		}
	}
	return found
}

func (t trust) files() (names []string) {
	for i, a := range t.added {
		if i == 0 || a.file != t.added[i-1].file {
			names = append(names, a.file)
		}
	}
	return names
}

func describe(c *x509.Certificate) string {
	const day = "2006-01-02"
	return fmt.Sprintf("%q, valid from %s to %s", c.Subject.String(), c.NotBefore.UTC().Format(day), c.NotAfter.UTC().Format(day))
}
