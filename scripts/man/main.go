// Command man makes manual pages of docs/reference.
//
//	go run ./scripts/man -from docs/reference -to dist/man -date 2026-01-31 -version v1.2.3
//
// The same pages and flags give the same bytes.
package main

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

func main() {
	from := flag.String("from", "docs/reference", "the folder with the reference")
	to := flag.String("to", "dist/man", "the folder for the pages")
	date := flag.String("date", "", "the date in the pages")
	version := flag.String("version", "", "the version in the pages")
	flag.Parse()
	if err := run(*from, *to, *date, *version); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func run(from, to, date, version string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.md"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no page in %s", from)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		roff := md2man.Render([]byte(manual(name, string(text), date, version)))
		if err := writeGzip(filepath.Join(to, name+".1.gz"), roff); err != nil {
			return err
		}
	}
	return nil
}

var (
	title   = regexp.MustCompile(`(?m)^# .*\n`)
	heading = regexp.MustCompile(`(?m)^## .*$`)
	link    = regexp.MustCompile(`\[[^\]]*\]\((harbordb[a-z-]*)\.md\)`)
)

// manual turns a page of the reference into what md2man expects: a title with
// the section, headings in capitals, names of pages for links.
func manual(name, text, date, version string) string {
	text = title.ReplaceAllLiteralString(text, fmt.Sprintf("# \"%s\" \"1\" \"%s\" \"harbordb %s\" \"harbordb\"\n", strings.ToUpper(name), date, version))
	text = heading.ReplaceAllStringFunc(text, strings.ToUpper)
	return link.ReplaceAllString(text, "**$1**(1)")
}

func writeGzip(path string, content []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}
