package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportShowsWhatGoTestShows(t *testing.T) {
	cases := []struct {
		name    string
		test    string
		want    []string
		hidden  []string
		skipped int
		fails   bool
	}{
		{
			name: "a passed test is one line", test: `func TestA(t *testing.T) { t.Log("chatter") }`,
			want: []string{"ok  \tsample"}, hidden: []string{"chatter", "PASS", "=== RUN"},
		},
		{
			name: "a failed test is shown and the others are not", fails: true,
			test: `func TestA(t *testing.T) { t.Log("chatter") }
				func TestB(t *testing.T) { t.Error("reason") }`,
			want: []string{"--- FAIL: TestB", "reason", "FAIL\tsample"}, hidden: []string{"chatter"},
		},
		{
			name: "a skipped test is shown and counted", skipped: 1,
			test: `func TestA(t *testing.T) { t.Skip("no reason") }`,
			want: []string{"--- SKIP: TestA", "no reason", "ok  \tsample"},
		},
		{
			name: "a panic is shown", fails: true,
			test: `func TestA(t *testing.T) { panic("reason") }`,
			want: []string{"panic: reason", "FAIL\tsample"},
		},
		{
			name: "a build failure is shown", fails: true,
			test: `func TestA(t *testing.T) { nonsense }`,
			want: []string{"undefined: nonsense", "[build failed]"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			events, failed := goTestJSON(t, c.test)
			var out strings.Builder
			skipped, err := report(strings.NewReader(events), &out)
			if err != nil || skipped != c.skipped || failed != c.fails {
				t.Errorf("skipped %d, failed %v, %v", skipped, failed, err)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, &out)
				}
			}
			for _, hidden := range c.hidden {
				if strings.Contains(out.String(), hidden) {
					t.Errorf("%q is in\n%s", hidden, &out)
				}
			}
		})
	}
}

// goTestJSON runs the real go test on a module of one test file.
func goTestJSON(t *testing.T, test string) (events string, failed bool) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod":      "module sample\n\ngo 1.26\n",
		"a_test.go":   "package sample\n\nimport \"testing\"\n\n" + test + "\n",
		"a_sample.go": "package sample\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-json", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	return string(out), err != nil
}
