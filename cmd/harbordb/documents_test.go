package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documentsVariable names the folder in which the harbordb of the scripts
// leaves what it prints with -o json.
const documentsVariable = "HARBORDB_TEST_DOCUMENTS"

// recordedMain is main, and leaves the document.
func recordedMain() {
	folder := os.Getenv(documentsVariable)
	name := commandOf(os.Args[1:])
	if folder == "" || name == "" {
		main()
	}
	ctx, stop := untilInterrupted(context.Background())
	var document bytes.Buffer
	code := run(ctx, os.Args, newEnviron(os.Environ()), os.Stdin, io.MultiWriter(os.Stdout, &document), os.Stderr)
	stop()
	f, err := os.CreateTemp(folder, strings.ReplaceAll(name, " ", "_")+"-*.json")
	if err == nil {
		_, err = f.Write(document.Bytes())
	}
	if err != nil {
		panic(err)
	}
	os.Exit(code)
}

// commandOf is the command that a line runs; it is empty where it prints no
// document, or none that a command makes.
func commandOf(args []string) string {
	app := ownApp()
	l, err := readLine(app, args)
	if err != nil || l.early("output", "o") != "json" {
		return ""
	}
	c, err := resolve(app, l, newEnviron(os.Environ()))
	if err != nil || c.help {
		return ""
	}
	return strings.TrimPrefix(c.name(), "harbordb ")
}

// documentation says which pages have the fields of a command.
func documentation(command string) []string {
	group, _, _ := strings.Cut(command, " ")
	switch group {
	case "backup", "restore":
		return []string{"json/snapshots.md"}
	case "repair":
		return []string{"json/repair.md", "json/schema.md"} // which it refers to
	case "schema":
		return []string{"json/schema.md", "json/snapshots.md"}
	case "version":
		return []string{"JSON.md"}
	}
	return []string{"json/" + group + ".md"}
}

// noDocument are commands whose result is no document.
var noDocument = map[string]bool{"completion": true}

// checkDocuments fails where a document of the scripts has a field that the
// documentation does not name or, after all scripts, where a command has left
// none.
func checkDocuments(t *testing.T, folder string) {
	seen := map[string]bool{}
	unnamed := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		stem, _, _ := strings.Cut(filepath.Base(file), "-")
		command := strings.ReplaceAll(stem, "_", " ")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if len(text) == 0 || json.Unmarshal(text, &document) != nil {
			t.Errorf("harbordb %s: not one document: %q", command, text)
			continue
		}
		if object, ok := document.(map[string]any); ok && object["error"] != nil && len(object) == 1 {
			continue // the same for all commands
		}
		seen[command] = true
		named := namesIn(t, "../../docs", documentation(command)...)
		for path := range fieldsOf(document, "") {
			last := path[strings.LastIndex(path, ".")+1:]
			if !named[last] && !unnamed[command+path] {
				unnamed[command+path] = true
				t.Errorf("harbordb %s: docs/%s does not name the field %s", command, documentation(command)[0], path)
			}
		}
	}
	if flag.Lookup("test.run").Value.String() != "" {
		return
	}
	for command := range leaves(ownApp()) {
		if !seen[command] && !noDocument[command] {
			t.Errorf("harbordb %s: no script asks for its document", command)
		}
	}
}

// fieldsOf are the paths of all fields in a document.
func fieldsOf(v any, path string) map[string]bool {
	found := map[string]bool{}
	add := func(more map[string]bool) {
		for name := range more {
			found[name] = true
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			here := strings.TrimPrefix(path+"."+name, ".")
			found[here] = true
			add(fieldsOf(value, here))
		}
	case []any:
		for _, value := range v {
			add(fieldsOf(value, path))
		}
	}
	return found
}

var code = regexp.MustCompile("`([^`\n]+)`")

// namesIn are the words that pages set as code: `a.b`, `.c[]` names a, b, c.
func namesIn(t *testing.T, folder string, pages ...string) map[string]bool {
	names := map[string]bool{}
	var all []byte
	for _, page := range pages {
		content, err := os.ReadFile(filepath.Join(folder, page))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	for _, match := range code.FindAllStringSubmatch(string(all), -1) {
		for _, name := range strings.FieldsFunc(match[1], func(r rune) bool { return strings.ContainsRune(".[], {}\":", r) }) {
			names[name] = true
		}
	}
	return names
}

func TestUnnamedFieldsAreFound(t *testing.T) {
	var document any
	if err := json.Unmarshal([]byte(`{"a": [{"b": 1}, {"c": {"d": []}}], "e": null}`), &document); err != nil {
		t.Fatal(err)
	}
	found := fieldsOf(document, "")
	for _, want := range []string{"a", "a.b", "a.c", "a.c.d", "e"} {
		if !found[want] {
			t.Errorf("%s is missing in %v", want, found)
		}
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "page.md"), []byte("| `a[].b`, `.c` | text d |\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	names := namesIn(t, folder, "page.md")
	if !names["a"] || !names["b"] || !names["c"] || names["d"] {
		t.Errorf("names: %v", names)
	}
}
