package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const certificates = "/etc/ssl/certs/ca-certificates.crt"

// entry is a file of the image, or, where mode says so, a folder.
type entry struct {
	path    string
	mode    os.FileMode
	owner   int
	content []byte
}

// entries are all that is in the image.
func entries(binary []byte) []entry {
	folder := func(path string) entry { return entry{path: path, mode: os.ModeDir | 0o755} }
	file := func(path, content string) entry { return entry{path: path, mode: 0o644, content: []byte(content)} }
	return []entry{
		folder("etc/"),
		file("etc/group", fmt.Sprintf("root:x:0:\nharbordb:x:%d:\n", userID)),
		file("etc/passwd", fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nharbordb:x:%d:%d:harbordb:%s:/sbin/nologin\n", userID, userID, store)),
		folder("etc/ssl/"),
		folder("etc/ssl/certs/"),
		{path: certificates[1:], mode: 0o644, content: rootCertificates()},
		// A scan that outgrows its memory goes on in a temporary file.
		{path: "tmp/", mode: os.ModeDir | os.ModeSticky | 0o777},
		folder("usr/"),
		folder("usr/bin/"),
		{path: "usr/bin/harbordb", mode: 0o755, content: binary},
		folder("var/"),
		folder("var/lib/"),
		{path: store[1:] + "/", mode: os.ModeDir | 0o700, owner: userID},
	}
}

// rootCertificates are Mozilla's, as PEM, from the module that the Go project
// keeps: the same for everybody who builds this commit. Roots that are trusted
// only for some certificates are left out, because a file of roots cannot say so.
func rootCertificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}

// layer is the one layer of the image.
func (b build) layer() (v1.Layer, error) {
	binary, err := os.ReadFile(b.binary)
	if err != nil {
		return nil, err
	}
	content, err := b.tar(entries(binary))
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

func (b build) tar(list []entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range list {
		header := &tar.Header{
			Name: e.path, Typeflag: tar.TypeReg, Mode: int64(e.mode.Perm()), Size: int64(len(e.content)),
			Uid: e.owner, Gid: e.owner, ModTime: b.created, Format: tar.FormatPAX,
		}
		if e.mode.IsDir() {
			header.Typeflag = tar.TypeDir
		}
		if e.mode&os.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}
