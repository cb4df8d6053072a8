package dir_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
)

// childSteps makes the test binary the writer whose calls
// TestWhatReachesTheDiskBeforeWhat traces.
const childSteps = "HARBORDB_TEST_DIR_STEPS"

// writeSteps makes an object, replaces it and deletes it.
func writeSteps(path string) error {
	s, err := dir.Create(path)
	if err != nil {
		return err
	}
	for _, mode := range []blobstore.PutMode{blobstore.New, blobstore.Replace} {
		w, err := s.Create(context.Background(), "a/b/c", mode)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte("x")); err != nil {
			return err
		}
		if err := w.Commit(); err != nil {
			return err
		}
	}
	return s.Delete(context.Background(), "a/b/c")
}

// TestWhatReachesTheDiskBeforeWhat: a name never before its content, and no
// step is over before its folder is synced.
func TestWhatReachesTheDiskBeforeWhat(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed; run: make deps")
	}
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store, trace := base+"/new/store", base+"/trace"
	cmd := exec.Command(strace, "-f", "-y", "-qq", "-o", trace, "-e", "trace=write,mkdirat,fsync,renameat,renameat2,linkat,unlinkat", os.Args[0])
	cmd.Env = append(os.Environ(), childSteps+"="+store)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mkdirat /new", "fsync /", "mkdirat /new/store", "fsync /new",
		"mkdirat /new/store/a", "fsync /new/store", "mkdirat /new/store/a/b", "fsync /new/store/a",
		"write temp", "fsync temp", "renameat2 temp /new/store/a/b/c", "fsync /new/store/a/b",
		"write temp", "fsync temp", "renameat temp /new/store/a/b/c", "fsync /new/store/a/b",
		"unlinkat /new/store/a/b/c", "fsync /new/store/a/b",
		"unlinkat /new/store/a/b", "fsync /new/store/a", "unlinkat /new/store/a", "fsync /new/store",
	}
	if got := steps(string(content), base); !slices.Equal(got, want) {
		t.Errorf("steps:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	call = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += 0|^\d+ +(write)\((.*)\) += \d`)
	// A descriptor with its path, or a folder's descriptor with a name.
	place = regexp.MustCompile(`\d+<([^>]*)>(?:, "([^"]*)")?`)
	temp  = regexp.MustCompile(`/new/store/a/b/\.tmp-\w+`)
)

// steps are the calls of a trace that concern what is below base.
func steps(trace, base string) (list []string) {
	begun := map[string]string{} // by thread, where another thread's call came in between
	for line := range strings.SplitSeq(trace, "\n") {
		thread, _, _ := strings.Cut(line, " ")
		if start, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
			begun[thread] = start
			continue
		}
		if _, end, ok := strings.Cut(line, " resumed>"); ok {
			line = begun[thread] + end
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name, args := m[1]+m[3], m[2]+m[4]
		step, below := name, false
		for _, p := range place.FindAllStringSubmatch(args, -1) {
			path := p[1]
			if p[2] != "" && name != "write" {
				path += "/" + p[2]
			}
			rest, ok := strings.CutPrefix(path, base)
			below = below || ok
			if rest == "" {
				rest = "/"
			}
			step += " " + temp.ReplaceAllString(rest, "temp")
		}
		if below {
			list = append(list, step)
		}
	}
	return list
}
