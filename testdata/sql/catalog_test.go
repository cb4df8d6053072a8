package harborsql

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// catalogs returns the measured catalogs of one engine by version. The first
// version is kept in full, in lines of tab-separated fields, the others as the
// change from the one before, in the format of diff -U0.
func catalogs(t *testing.T, engine string) map[string][]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("catalog", engine, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("catalogs of %s: %v", engine, err)
	}
	slices.Sort(names)
	all := map[string][]string{}
	var current []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		ext := filepath.Ext(name)
		if ext == ".tsv" {
			current = lines(string(text))
		} else {
			current = patch(t, name, current, string(text))
		}
		all[strings.TrimSuffix(filepath.Base(name), ext)] = current
	}
	return all
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// patch applies the hunks of a diff -U0 and checks what they remove.
func patch(t *testing.T, name string, from []string, diff string) []string {
	t.Helper()
	var to []string
	next := 0 // first line of from that is not in to yet
	for s := bufio.NewScanner(strings.NewReader(diff)); s.Scan(); {
		line := s.Text()
		switch line[0] {
		case '@':
			start := hunkStart(t, name, line)
			to = append(to, from[next:start]...)
			next = start
		case '-':
			if from[next] != line[1:] {
				t.Fatalf("%s removes a line that is not there:\n%s\n%s", name, line[1:], from[next])
			}
			next++
		case '+':
			to = append(to, line[1:])
		}
	}
	return append(to, from[next:]...)
}

// hunkStart returns the index of the first line that a hunk replaces, or
// before which it inserts.
func hunkStart(t *testing.T, name, header string) int {
	t.Helper()
	var old string
	if _, err := fmt.Sscanf(header, "@@ -%s", &old); err != nil {
		t.Fatalf("%s: %s: %v", name, header, err)
	}
	var start, count int
	if n, _ := fmt.Sscanf(old, "%d,%d", &start, &count); n == 1 {
		count = 1
	}
	if count == 0 {
		return start // an insertion after line start
	}
	return start - 1
}

// compare reports the lines that two catalogs do not have in common, and, if
// there are none, the first that stands elsewhere.
func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: the catalog is not the measured one:\n%s", what, difference(got, want))
}

func difference(got, want []string) string {
	var out strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintln(&out, "missing", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintln(&out, "surplus", line)
		}
	}
	if out.Len() > 0 {
		return out.String()
	}
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			return "line " + fmt.Sprint(i+1) + " stands elsewhere: " + got[i]
		}
	}
	return ""
}
