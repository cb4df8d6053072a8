// Package canary makes the passwords of test servers and stores, and finds
// them where they must not be.
//
// Only tests, and the command that runs them, import it. Every secret that a
// test gives to harbordb begins with the same mark, which stands nowhere else:
// the mark in any output of a test is a leak.
package canary

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// mark is put together so that no copy of this file is taken for a leak.
const mark = "k4n4r" + "13n"

// New returns a secret that no other call returns. It needs no escape in a
// shell, a URL or a file of settings.
func New() string { return mark + rand.Text() }

// Is says whether a secret was made by New, or has one in it.
func Is(secret string) bool { return strings.Contains(secret, mark) }

// Leak returns the first line of text that shows a secret, with the secret
// made unreadable.
func Leak(text []byte) (line string, found bool) {
	at := bytes.Index(text, []byte(mark))
	if at < 0 {
		return "", false
	}
	from := bytes.LastIndexByte(text[:at], '\n') + 1
	to := len(text)
	if end := bytes.IndexByte(text[at:], '\n'); end >= 0 {
		to = at + end
	}
	const most = 200 // a binary file has long lines
	from, to = max(from, at-most), min(to, at+most)
	return strings.ToValidUTF8(string(bytes.ReplaceAll(text[from:to], []byte(mark), []byte("********"))), "?"), true
}

// LeakInFiles looks at every file below a folder, at what is compressed with
// zstd inside as well, except those that skip returns true for. It returns the
// name and the line of the first leak.
func LeakInFiles(root string, skip func(path string) bool) (where string, found bool, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || skip(path) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, content := range [][]byte{[]byte(path), text, decompressed(text)} {
			if line, leaks := Leak(content); leaks {
				where, found = fmt.Sprintf("%s: %s", strings.ReplaceAll(path, mark, "********"), line), true
				return fs.SkipAll
			}
		}
		return nil
	})
	return where, found, err
}

// decompressed is what of text is compressed, as far as it can be read.
func decompressed(text []byte) []byte {
	reader, err := zstd.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	defer reader.Close()
	inside, _ := io.ReadAll(reader)
	return inside
}
