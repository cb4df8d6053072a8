package database_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

// tlsCase is a way to connect, and how it ends: with TLS, without, or with an
// error that says all of the words.
type tlsCase struct {
	name  string
	tls   database.TLS
	plain bool
	fails []string
}

// encrypted says whether a session has TLS.
var encrypted = map[database.Engine]string{
	database.PostgreSQL: "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()",
	database.MySQL:      "select if(variable_value = '', 'false', 'true') from information_schema.session_status where variable_name = 'Ssl_cipher'",
}

func runTLSCases(t *testing.T, settings database.Settings, cases []tlsCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			settings := settings
			settings.TLS = c.tls
			db, err := database.Open(t.Context(), settings)
			if len(c.fails) > 0 {
				requireFailure(t, err, c.fails)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if got := text(t, db, encrypted[db.Engine()]); (got == "true") == c.plain {
				t.Errorf("encrypted: %s", got)
			}
		})
	}
}

func requireFailure(t *testing.T, err error, words []string) {
	t.Helper()
	if err == nil {
		t.Fatal("connected")
	}
	for _, word := range words {
		if !strings.Contains(err.Error()+"\n"+fault.HintOf(err), word) {
			t.Errorf("%q is not in the error: %v\nhint: %s", word, err, fault.HintOf(err))
		}
	}
}

func TestTLSModes(t *testing.T) {
	authority, stranger := dbtest.NewAuthority(t), dbtest.NewAuthority(t)
	certificate := authority.Issue(t)
	both := concatenate(t, stranger.File, authority.File)
	for _, c := range []struct {
		name   string
		server *dbtest.Server
	}{
		{"PostgreSQL", dbtest.StartPostgreSQL(t, dbtest.Options{TLS: certificate})},
		{"MariaDB", dbtest.StartMariaDB(t, dbtest.Options{TLS: certificate})},
	} {
		t.Run(c.name, func(t *testing.T) {
			cases := []tlsCase{
				{name: "disable", tls: database.TLS{Mode: database.TLSDisable}, plain: true},
				{name: "prefer", tls: database.TLS{Mode: database.TLSPrefer}},
				{name: "no mode is prefer", tls: database.TLS{}},
				{name: "require does not look at the certificate", tls: database.TLS{Mode: database.TLSRequire, CAFile: stranger.File}},
				{name: "verify-ca", tls: database.TLS{Mode: database.TLSVerifyCA, CAFile: authority.File}},
				{name: "verify-full", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: authority.File}},
				{name: "the extra file counts too", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: stranger.File, ExtraCAFile: authority.File}},
				{name: "a bundle", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: both}},
				{
					name: "verify-ca with another root", tls: database.TLS{Mode: database.TLSVerifyCA, CAFile: stranger.File},
					fails: []string{"unknown authority", stranger.File, "valid 20", "--ca-file"},
				},
				{
					name: "verify-full with another root", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: stranger.File},
					fails: []string{"unknown authority", stranger.File},
				},
				{
					name: "verify-full with the system's roots", tls: database.TLS{Mode: database.TLSVerifyFull},
					fails: []string{"unknown authority"},
				},
				{
					name: "a missing file", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: "/nonexistent/ca.pem"},
					fails: []string{"/nonexistent/ca.pem"},
				},
				{
					name: "a file without a certificate", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: certificate.KeyFile},
					fails: []string{"no certificate", certificate.KeyFile},
				},
				{
					name: "an unknown mode", tls: database.TLS{Mode: "strict"},
					fails: []string{`"strict"`, "verify-full"},
				},
			}
			if c.server.Engine() == database.PostgreSQL {
				cases = append(cases, tlsCase{name: "allow begins in clear", tls: database.TLS{Mode: database.TLSAllow}, plain: true})
			} else {
				cases = append(cases, tlsCase{name: "allow is prefer", tls: database.TLS{Mode: database.TLSAllow}})
			}
			runTLSCases(t, c.server.TCP(""), cases)
		})
	}
}

func TestVerifyFullLooksAtTheNameAndVerifyCADoesNot(t *testing.T) {
	authority := dbtest.NewAuthority(t)
	certificate := authority.Issue(t, "db.example.com")
	for _, server := range []*dbtest.Server{
		dbtest.StartPostgreSQL(t, dbtest.Options{TLS: certificate}),
		dbtest.StartMariaDB(t, dbtest.Options{TLS: certificate}),
	} {
		settings := server.TCP("")
		settings.TLS = database.TLS{Mode: database.TLSVerifyCA, CAFile: authority.File}
		open(t, settings)
		settings.TLS.Mode = database.TLSVerifyFull
		_, err := database.Open(t.Context(), settings)
		requireFailure(t, err, []string{"127.0.0.1", "the server's certificate"})
	}
}

// The report of an operator: his server's certificate was good, the root in
// his own file had expired. The renewed root has the same name and key.
func TestAnExpiredRoot(t *testing.T) {
	expired := dbtest.NewExpiredAuthority(t)
	renewed := expired.Renew(t).File
	server := dbtest.StartPostgreSQL(t, dbtest.Options{TLS: expired.Issue(t)})
	settings := server.TCP("")
	full := func(file string) database.TLS { return database.TLS{Mode: database.TLSVerifyFull, CAFile: file} }
	runTLSCases(t, settings, []tlsCase{
		{name: "alone is an error that names our file and the dates", tls: full(expired.File), fails: []string{"expired", expired.File, "valid 20"}},
		{name: "its renewal instead works", tls: full(renewed)},
		{name: "a bundle of both works", tls: full(concatenate(t, expired.File, renewed))},
		{name: "a bundle in the other order works", tls: full(concatenate(t, renewed, expired.File))},
		{name: "verify-ca with both works", tls: database.TLS{Mode: database.TLSVerifyCA, CAFile: concatenate(t, expired.File, renewed)}},
	})
}

func TestAServerWithoutTLS(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.StartMySQL56(t, dbtest.Options{})} {
		settings := server.TCP("")
		settings.Origin = map[string]string{"sslmode": "--dsn"}
		runTLSCases(t, settings, []tlsCase{
			{name: "prefer falls back", tls: database.TLS{Mode: database.TLSPrefer}, plain: true},
			{name: "require fails", tls: database.TLS{Mode: database.TLSRequire}, fails: []string{"TLS", "the TLS mode came from --dsn"}},
		})
	}
}

func TestAServerThatInsistsOnTLS(t *testing.T) {
	authority := dbtest.NewAuthority(t)
	server := dbtest.StartPostgreSQL(t, dbtest.Options{TLS: authority.Issue(t), RequireTLS: true})
	runTLSCases(t, server.TCP(""), []tlsCase{
		{name: "allow comes back with TLS", tls: database.TLS{Mode: database.TLSAllow}},
		{name: "disable fails", tls: database.TLS{Mode: database.TLSDisable}, fails: []string{"pg_hba.conf", "sslmode=require"}},
	})
}

func TestAClientCertificate(t *testing.T) {
	authority := dbtest.NewAuthority(t)
	certFile, keyFile, root := clientCertificate(t, "postgres")
	server := dbtest.StartPostgreSQL(t, dbtest.Options{
		TLS:      authority.Issue(t),
		Settings: []string{"ssl_ca_file = '" + root + "'"},
		HBA:      []string{"local all all trust", "hostssl all all 127.0.0.1/32 cert"},
	})
	runTLSCases(t, server.TCP(""), []tlsCase{
		{name: "is shown", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: authority.File, CertFile: certFile, KeyFile: keyFile}},
		{name: "is missed", tls: database.TLS{Mode: database.TLSVerifyFull, CAFile: authority.File}, fails: []string{"certificate"}},
		{
			name: "cannot be read", tls: database.TLS{Mode: database.TLSRequire, CertFile: certFile, KeyFile: "/nonexistent/key"},
			fails: []string{"/nonexistent/key"},
		},
	})
}

func TestAUnixSocketHasNoTLS(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		settings := server.Settings("")
		settings.TLS = database.TLS{Mode: database.TLSVerifyFull}
		open(t, settings)
	}
}

func concatenate(t *testing.T, files ...string) string {
	t.Helper()
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return write(t, "bundle.pem", all, 0o644)
}

func write(t *testing.T, name string, data []byte, mode os.FileMode) string {
	t.Helper()
	// The server reads some of these as another user.
	dir, err := os.MkdirTemp("/tmp", "hdbtls.")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// clientCertificate makes an authority of clients and a certificate of it for
// a user.
func clientCertificate(t *testing.T, user string) (certFile, keyFile, rootFile string) {
	t.Helper()
	template := func(name string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
	}
	rootKey, root := key(t), template("client root", 1)
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage, root.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	leafKey := key(t)
	keyDER, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile = write(t, "client.crt", sign(t, template(user, 2), root, &leafKey.PublicKey, rootKey), 0o644)
	keyFile = write(t, "client.key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600)
	return certFile, keyFile, write(t, "root.crt", sign(t, root, root, &rootKey.PublicKey, rootKey), 0o644)
}

func key(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, template, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
