package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package.
const root = "../.."

// listed is what these tests need of `go list -json`.
type listed struct {
	Dir          string
	ImportPath   string
	Name         string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
}

// path is the import path within the module.
func (p listed) path() string { return strings.TrimPrefix(p.ImportPath, module) }

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json", "./...", "./testdata/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		exit := &exec.ExitError{}
		errors.As(err, &exit)
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	var list []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// group is the entry of mayImport that rules path: the longest that is path or
// a folder above it.
func group(path string) string {
	for path != "." {
		if _, ok := mayImport[path]; ok {
			return path
		}
		path = filepath.Dir(path)
	}
	return ""
}

// badImport says what is wrong with a package that imports another, both
// named within the module; it is empty when nothing is.
func badImport(from, to string) string {
	g, target := group(from), group(to)
	switch {
	case g == "":
		return from + " is in no table: add it to mayImport, with what it may import"
	case target == g, slices.Contains(leaves, target), slices.Contains(mayImport[g], target):
		return ""
	case slices.Contains(testSupport, target):
		return fmt.Sprintf("%s imports %s outside its tests", from, to)
	}
	return fmt.Sprintf("%s must not import %s", from, to)
}

func TestPackagesImportOnlyWhatTheTableDraws(t *testing.T) {
	for _, p := range packages(t) {
		if group(p.path()) == "" {
			t.Error(badImport(p.path(), ""))
		}
		for _, imported := range p.Imports {
			if to, ok := strings.CutPrefix(imported, module); ok {
				if wrong := badImport(p.path(), to); wrong != "" {
					t.Error(wrong)
				}
			}
		}
	}
}

func TestForbiddenArrowsAreFound(t *testing.T) {
	cases := []struct {
		from, to string
		good     bool
	}{
		{"backup", "snapshots", true},
		{"backup/postgres", "snapshots/pgmodel", true},
		{"backup", "backup/postgres", true},
		{"orphans", "internal/fault", true},
		{"snapshots", "backup", false},
		{"snapshots/pgmodel", "database", false},
		{"database", "cmd/harbordb", false},
		{"backup", "internal/dbtest", false},
		{"cmd/harbordb", "internal/dbtest", false},
		{"cmd/harbordb", "testdata/sql", false},
		{"somewhere", "database", false},
	}
	for _, c := range cases {
		if wrong := badImport(c.from, c.to); (wrong == "") != c.good {
			t.Errorf("%s imports %s: %q", c.from, c.to, wrong)
		}
	}
}

// TestTableHasNoCycle keeps the table itself honest: Go would find a cycle of
// packages, not one of houses.
func TestTableHasNoCycle(t *testing.T) {
	state := map[string]string{}
	var visit func(string)
	visit = func(name string) {
		if state[name] == "open" {
			t.Errorf("%s imports itself by way of others", name)
		}
		if state[name] != "" {
			return
		}
		state[name] = "open"
		for _, next := range mayImport[name] {
			if _, ok := mayImport[next]; !ok {
				t.Errorf("%s may import %s, which is in no table", name, next)
			}
			visit(next)
		}
		state[name] = "done"
	}
	for name := range mayImport {
		visit(name)
	}
}
