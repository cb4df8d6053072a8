package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build event
	Test       string
	Output     string
}

// reporter turns events back into the text that go test prints without -v.
type reporter struct {
	out io.Writer
	// text is the output of each test that has not passed yet, by package
	// and name; that of a package itself has an empty name.
	text    map[[2]string]*strings.Builder
	skipped int
}

// report reads the events from in and writes to out, a package at a time: of
// a package that passed its last line, of another all that is not a passed
// test's. It returns how many tests were skipped.
func report(in io.Reader, out io.Writer) (skipped int, err error) {
	r := &reporter{out: out, text: map[[2]string]*strings.Builder{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return r.skipped, nil
		}
		if err != nil {
			return r.skipped, err
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			fmt.Fprintf(out, "%s", line) // not test2json's, such as a toolchain's message
			continue
		}
		r.take(e)
	}
}

func (r *reporter) take(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		if r.text[key] == nil {
			r.text[key] = &strings.Builder{}
		}
		r.text[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(key, e.Action)
		} else {
			r.endTest(key, e.Action)
		}
	}
}

func (r *reporter) endTest(key [2]string, action string) {
	text := r.text[key]
	delete(r.text, key)
	if action == "skip" {
		r.skipped++
	}
	if action != "pass" && text != nil {
		fmt.Fprint(r.out, text)
	}
}

// endPackage prints what is left of a package. A test that never ended, in a
// panic or a timeout, has its output there still.
func (r *reporter) endPackage(key [2]string, action string) {
	own := r.text[key]
	delete(r.text, key)
	for k, text := range r.text {
		if k[0] == key[0] {
			fmt.Fprint(r.out, text)
			delete(r.text, k)
		}
	}
	if own == nil {
		return
	}
	if action == "fail" {
		fmt.Fprint(r.out, own)
		return
	}
	lines := strings.SplitAfter(own.String(), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
			fmt.Fprint(r.out, line)
		}
	}
}
