package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/canary"
)

func TestReportShowsWhatGoTestShows(t *testing.T) {
	secret := canary.New()
	cases := []struct {
		name    string
		test    string
		want    []string
		hidden  []string
		skipped int
		leaks   int
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
		{
			name: "a password is found though the test passed", leaks: 1,
			test: `func TestA(t *testing.T) { t.Log("first"); t.Log("host=db password=` + secret + ` port=1") }`,
			want: []string{"PASSWORD in the output of sample TestA", "host=db password=********", "ok  \tsample"}, hidden: []string{secret},
		},
		{
			name: "a password in what a program prints at its end is found", leaks: 1,
			test: `func TestMain(m *testing.M) { code := m.Run(); println("bye"); print("` + secret + `\n"); os.Exit(code) }
				func TestA(*testing.T) {}`,
			want: []string{"PASSWORD in the output of sample"}, hidden: []string{secret},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			events, failed := goTestJSON(t, c.test)
			var out strings.Builder
			r := newReporter(&out)
			err := r.read(strings.NewReader(events))
			if err != nil || r.skipped != c.skipped || r.leaks != c.leaks || failed != c.fails {
				t.Errorf("skipped %d, leaks %d, failed %v, %v", r.skipped, r.leaks, failed, err)
			}
			if bad := c.skipped+c.leaks > 0; (r.verdict() != nil) != bad {
				t.Errorf("the verdict is %v", r.verdict())
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
		"a_test.go":   "package sample\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar _ = os.Exit\n\n" + test + "\n",
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
