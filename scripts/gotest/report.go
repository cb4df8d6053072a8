package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/harbordb/harbordb/internal/canary"
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
	text           map[[2]string]*strings.Builder
	skipped, leaks int
}

func newReporter(out io.Writer) *reporter {
	return &reporter{out: out, text: map[[2]string]*strings.Builder{}}
}

// verdict is an error where the tests have proved nothing, or too much.
func (r *reporter) verdict() error {
	var errs []error
	if r.skipped > 0 {
		errs = append(errs, fmt.Errorf("%d skipped; a test here runs or fails", r.skipped))
	}
	if r.leaks > 0 {
		errs = append(errs, fmt.Errorf("passwords in the output of %d tests", r.leaks))
	}
	return errors.Join(errs...)
}

// read reads the events from in and writes a package at a time: of a package
// that passed its last line, of another all that is not a passed test's.
func (r *reporter) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			fmt.Fprintf(r.out, "%s", line) // not test2json's, such as a toolchain's message
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
	r.lookForLeaks(key)
	delete(r.text, key)
	if action == "skip" {
		r.skipped++
	}
	if action != "pass" && text != nil {
		fmt.Fprint(r.out, text)
	}
}

// lookForLeaks looks through all that a test or a package printed.
func (r *reporter) lookForLeaks(key [2]string) {
	text := r.text[key]
	if text == nil {
		return
	}
	if line, leaks := canary.Leak([]byte(text.String())); leaks {
		r.leaks++
		fmt.Fprintf(r.out, "PASSWORD in the output of %s %s: %s\n", key[0], key[1], line)
	}
}

// endPackage prints what is left of a package. A test that never ended, in a
// panic or a timeout, has its output there still.
func (r *reporter) endPackage(key [2]string, action string) {
	own := r.text[key]
	r.lookForLeaks(key)
	delete(r.text, key)
	for k, text := range r.text {
		if k[0] == key[0] {
			r.lookForLeaks(k)
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
