package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one parsed Go file.
type source struct {
	name  string // within the module, for messages
	pkg   string // the package's path within the module
	scope scope
	fset  *token.FileSet
	file  *ast.File
	lines int
}

func parse(name, pkg string, s scope, content []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	lines := bytes.Count(content, []byte("\n"))
	return source{name: name, pkg: pkg, scope: s, fset: fset, file: file, lines: lines}, err
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	for _, p := range packages(t) {
		add := func(s scope, files []string) {
			for _, file := range files {
				content, err := os.ReadFile(filepath.Join(p.Dir, file))
				if err != nil {
					t.Fatal(err)
				}
				parsed, err := parse(p.path()+"/"+file, p.path(), s, content)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, parsed)
			}
		}
		add(scopeOf(p.path()), p.GoFiles)
		add(tests, slices.Concat(p.TestGoFiles, p.XTestGoFiles))
	}
	return list
}

// scopeOf is what the non-test files of a package are; an entry point's are
// neither.
func scopeOf(path string) scope {
	switch g := group(path); {
	case slices.Contains(entryPoints, g):
		return 0
	case slices.Contains(testSupport, g):
		return tests
	}
	return libraries
}

// uses calls found for every identifier of an imported package that a file
// uses: the package's path and the name.
func (s source) uses(found func(pkg, name string, at token.Pos)) {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := filepath.Base(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = path
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := selector.X.(*ast.Ident); ok && names[x.Name] != "" {
				found(names[x.Name], selector.Sel.Name, n.Pos())
			}
		}
		return true
	})
}

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(pos).Line)
}

// forbiddenUses lists what a file uses against the table.
func forbiddenUses(s source) []string {
	var wrong []string
	s.uses(func(pkg, name string, at token.Pos) {
		for _, rule := range forbidden {
			named := slices.Contains(rule.names, name) || slices.Contains(rule.names, "*")
			if pkg != rule.pkg || !named || rule.where&s.scope == 0 {
				continue
			}
			if _, ok := allowed[s.pkg+" "+pkg+"."+name]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s: %s.%s: %s", s.at(at), pkg, name, rule.why))
			}
		}
	})
	return wrong
}

// skipped lists the calls that skip a test.
func skipped(s source) []string {
	var wrong []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if selector, ok := call.Fun.(*ast.SelectorExpr); ok && s.scope == tests && slices.Contains(skips, selector.Sel.Name) {
			wrong = append(wrong, s.at(n.Pos())+": a test runs or fails; it is not skipped")
		}
		return true
	})
	return wrong
}

// oversized lists a file and functions that have grown too long, and functions
// that run by themselves.
func oversized(s source) []string {
	if s.scope == tests && strings.HasSuffix(s.name, "_test.go") {
		return nil
	}
	var wrong []string
	if s.lines > maxFileLines {
		wrong = append(wrong, fmt.Sprintf("%s: %d lines; at most %d", s.name, s.lines, maxFileLines))
	}
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if f.Name.Name == "init" && f.Recv == nil {
			wrong = append(wrong, s.at(f.Pos())+": nothing happens because a package is imported")
		}
		lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
		if _, ok := longFunctions[s.pkg+"."+f.Name.Name]; lines > maxFunctionLines && !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %s has %d lines; at most %d", s.at(f.Pos()), f.Name.Name, lines, maxFunctionLines))
		}
	}
	return wrong
}

func TestCodeKeepsTheRules(t *testing.T) {
	for _, s := range sources(t) {
		for _, check := range []func(source) []string{forbiddenUses, skipped, oversized} {
			for _, wrong := range check(s) {
				t.Error(wrong)
			}
		}
	}
}

func TestBrokenRulesAreFound(t *testing.T) {
	cases := []struct {
		name  string
		check func(source) []string
		scope scope
		code  string
		bad   bool
	}{
		{"printing", forbiddenUses, libraries, `import "fmt"; func f() { fmt.Println() }`, true},
		{"formatting", forbiddenUses, libraries, `import "fmt"; func f() { fmt.Sprintln() }`, false},
		{"printing in a test", forbiddenUses, tests, `import "fmt"; func f() { fmt.Println() }`, false},
		{"exit under another name", forbiddenUses, libraries, `import sys "os"; func f() { sys.Exit(1) }`, true},
		{"any function of log", forbiddenUses, libraries, `import "log"; func f() { log.Fatal() }`, true},
		{"the clock as a value", forbiddenUses, libraries, `import "time"; var now = time.Now`, true},
		{"sleeping in a test", forbiddenUses, tests, `import "time"; func f() { time.Sleep(1) }`, true},
		{"sleeping in a command", forbiddenUses, 0, `import "time"; func f() { time.Sleep(1) }`, false},
		{"skipping", skipped, tests, `func f(t T) { t.Skip("why") }`, true},
		{"init", oversized, libraries, `func init() {}`, true},
		{"a method named init", oversized, libraries, `func (t T) init() {}`, false},
		{"a long function", oversized, libraries, "func f() {" + strings.Repeat("\n", maxFunctionLines) + "}", true},
		{"a long file", oversized, libraries, strings.Repeat("\n", maxFileLines+1), true},
		{"a long test", oversized, tests, strings.Repeat("\n", maxFileLines+1), false},
	}
	for _, c := range cases {
		name := "a.go"
		if c.scope == tests {
			name = "a_test.go"
		}
		s, err := parse(name, "sample", c.scope, []byte("package a; "+c.code))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := c.check(s); (len(wrong) > 0) != c.bad {
			t.Errorf("%s: %q", c.name, wrong)
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if !strings.HasSuffix(s.name, "_test.go") {
			documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

func TestPackageNamesSayWhatIsInside(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(vagueNames, p.Name) {
			t.Errorf("%s: name the package after what it provides", p.path())
		}
	}
}

func TestExceptionsAreNeeded(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		s.uses(func(pkg, name string, _ token.Pos) { used[s.pkg+" "+pkg+"."+name] = true })
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				used[s.pkg+"."+f.Name.Name] = true
			}
		}
	}
	for _, exceptions := range []map[string]string{allowed, longFunctions} {
		for name := range exceptions {
			if !used[name] {
				t.Errorf("%s is excepted from a rule and no longer there", name)
			}
		}
	}
}

func TestNothingIsMarkedUnfinished(t *testing.T) {
	mark := regexp.MustCompile(`\b(` + strings.Join(unfinished, "|") + `)\b`)
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", ".cache", "dist"}, entry.Name()) {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) || bytes.IndexByte(content, 0) >= 0 {
			return nil // a passing file of another test, or binary
		}
		for i, line := range bytes.Split(content, []byte("\n")) {
			if mark.Match(line) {
				t.Errorf("%s:%d: %s", name, i+1, bytes.TrimSpace(line))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
