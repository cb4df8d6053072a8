package dbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a throwaway certificate authority.
type Authority struct {
	// File is its certificate in PEM: what a client is given as CA file.
	File string

	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Certificate is a server's certificate and key, in PEM files.
type Certificate struct {
	Authority *Authority
	CertFile  string
	KeyFile   string
}

// NewAuthority makes an authority that is valid now.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	return newAuthority(t, time.Now().Add(24*time.Hour))
}

// NewExpiredAuthority makes an authority whose own certificate ended
// yesterday; what it issues is still in date.
func NewExpiredAuthority(t testing.TB) *Authority {
	t.Helper()
	return newAuthority(t, time.Now().Add(-24*time.Hour))
}

func newAuthority(t testing.TB, notAfter time.Time) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber:          serial(t),
		Subject:               pkix.Name{CommonName: "harbordb test authority " + random()},
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              notAfter,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a.key = newKey(t)
	a.File = a.sign(t, "ca.pem", template, template, &a.key.PublicKey)
	return a
}

// Renew returns the same authority, by name and key, with a certificate that
// is valid now, as an administrator renews a root that has expired.
func (a *Authority) Renew(t testing.TB) *Authority {
	t.Helper()
	renewed := &Authority{dir: a.dir, key: a.key}
	template := *a.certificate
	template.SerialNumber = serial(t)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	renewed.File = renewed.sign(t, "ca-"+random()+".pem", &template, &template, &a.key.PublicKey)
	return renewed
}

// Issue makes a server certificate for names and addresses; without any, for
// localhost and 127.0.0.1.
func (a *Authority) Issue(t testing.TB, hosts ...string) *Certificate {
	t.Helper()
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1"}
	}
	template := &x509.Certificate{
		SerialNumber: serial(t),
		Subject:      pkix.Name{CommonName: hosts[0]},
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key := newKey(t)
	name := random()
	return &Certificate{
		Authority: a,
		CertFile:  a.sign(t, name+".pem", template, a.certificate, &key.PublicKey),
		KeyFile:   a.writeKey(t, name+".key", key),
	}
}

func (a *Authority) sign(t testing.TB, name string, template, parent *x509.Certificate, public *ecdsa.PublicKey) string {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatalf("sign certificate: %v", err)
	}
	if template == parent {
		if a.certificate, err = x509.ParseCertificate(der); err != nil {
			t.Fatalf("parse certificate: %v", err)
		}
	}
	return a.write(t, name, "CERTIFICATE", der)
}

func (a *Authority) writeKey(t testing.TB, name string, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatalf("encode key: %v", err)
	}
	return a.write(t, name, "EC PRIVATE KEY", der)
}

func (a *Authority) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("generate key: %v", err)
	}
	return key
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatalf("draw serial number: %v", err)
	}
	return n
}

// install copies certificate and key into a server's folder, as its account
// wants them.
func (c *Certificate) install(o owner, dir string) (cert, key string, err error) {
	cert, key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	for from, to := range map[string]string{c.CertFile: cert, c.KeyFile: key} {
		content, err := os.ReadFile(from)
		if err != nil {
			return "", "", err
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			return "", "", err
		}
		if err := o.chown(to); err != nil {
			return "", "", err
		}
	}
	return cert, key, nil
}
