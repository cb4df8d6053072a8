package dir_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
)

// childStore makes the test binary the writer that TestKilledWriter kills.
const childStore = "HARBORDB_TEST_DIR_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childStore); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(1)
	}
	if path := os.Getenv(childSteps); path != "" {
		if err := writeSteps(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForEver writes one object after the other, new and replaced, and says
// which ones it has committed.
func writeForEver(path string) error {
	s, err := dir.Create(path)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		key := fmt.Sprintf("snapshots/%d/data/%d", i%7, i)
		mode := blobstore.New
		if i%3 == 0 {
			key, mode = "replaced", blobstore.Replace
		}
		w, err := s.Create(context.Background(), key, mode)
		if err != nil {
			return err
		}
		for range 8 {
			if _, err := w.Write(killedContent[:len(killedContent)/8]); err != nil {
				return err
			}
		}
		if err := w.Commit(); err != nil {
			return err
		}
		fmt.Println(key)
	}
}

var killedContent = []byte(strings.Repeat("0123456789abcde\n", 1<<12))

func TestKilledWriterLeavesWholeObjectsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childStore+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var committed []string
		lines := bufio.NewScanner(out)
		for len(committed) < 3+round && lines.Scan() {
			committed = append(committed, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it committed before it died
			committed = append(committed, lines.Text())
		}
		_ = cmd.Wait()
		s := createStore(t, path)
		checkWhole(t, s, committed)
		sweepAll(t, s)
		for _, left := range leftovers(t, s, path) {
			if left[0] != 'd' { // a folder for which it had no time to make a file does no harm
				t.Errorf("left after the sweep: %q", left)
			}
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// checkWhole: what was committed is there, and what is there is whole.
func checkWhole(t *testing.T, s *dir.Store, committed []string) {
	t.Helper()
	seen := map[string]bool{}
	err := s.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		seen[o.Key] = true
		if o.Size != int64(len(killedContent)) {
			t.Errorf("%s has %d bytes", o.Key, o.Size)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range committed {
		if !seen[key] {
			t.Errorf("%s was committed and is not there", key)
		}
	}
}

func sweepAll(t *testing.T, s *dir.Store) {
	t.Helper()
	err := s.Uploads(t.Context(), "", func(u blobstore.Upload) error { return s.Sweep(t.Context(), u) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestSweepTakesOnlyUnfinishedObjects(t *testing.T) {
	s := createStore(t, t.TempDir())
	commit(t, s, "a/b", "x")
	for _, key := range []string{"a/b", "a", "../x", ""} {
		if err := s.Sweep(t.Context(), blobstore.Upload{Key: key, ID: key}); !errors.Is(err, blobstore.ErrKey) {
			t.Errorf("sweep of %q: %v", key, err)
		}
	}
	if _, err := s.Head(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
}

func commit(t *testing.T, s *dir.Store, key, content string) {
	t.Helper()
	w, err := s.Create(t.Context(), key, blobstore.Replace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestModesDoNotDependOnTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o277, 0o777} {
		t.Run(fmt.Sprintf("%03o", umask), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "above", "store")
			old := syscall.Umask(umask)
			defer syscall.Umask(old)
			s := createStore(t, path)
			commit(t, s, "a/b/c", "x")
			if left := leftovers(t, s, filepath.Dir(path)); len(left) != 1 || !strings.HasSuffix(left[0], "a/b/c") {
				t.Errorf("wrong modes: %q", left) // c itself is not a key below "above"
			}
			if left := leftovers(t, s, path); len(left) > 0 {
				t.Errorf("wrong modes: %q", left)
			}
		})
	}
}

func TestAFullDiskLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := createStore(t, path)
	commit(t, s, "kept", "old")
	w, err := s.Create(t.Context(), "x/kept", blobstore.Replace)
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	n, err := w.Write(make([]byte, 2<<20))
	if rerr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); rerr != nil {
		t.Fatal(rerr)
	}
	if err == nil || n > 1<<20 || !strings.Contains(err.Error(), filepath.Join(path, "x/kept")) {
		t.Errorf("wrote %d bytes into 1 MiB: %v", n, err)
	}
	if err := w.Commit(); err == nil {
		t.Error("what could not be written was committed")
	}
	if left := leftovers(t, s, path); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestDeleteAndCreateInOneFolder(t *testing.T) {
	s := createStore(t, t.TempDir())
	var done sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		done.Go(func() {
			key := fmt.Sprintf("a/b/c/%d", i)
			for range 100 {
				w, err := s.Create(t.Context(), key, blobstore.New)
				if err == nil {
					err = w.Commit()
				}
				if err == nil {
					err = s.Delete(t.Context(), key)
				}
				if err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestCreateWhereAFolderIsInTheWay(t *testing.T) {
	s := createStore(t, t.TempDir())
	commit(t, s, "a/b", "x")
	for _, mode := range []blobstore.PutMode{blobstore.New, blobstore.Replace} {
		w, err := s.Create(t.Context(), "a", mode)
		if err == nil {
			err = w.Commit()
		}
		if err == nil {
			t.Errorf("mode %d: a file took the place of a folder", mode)
		}
		if _, err = s.Create(t.Context(), "a/b/c", mode); err == nil {
			t.Errorf("mode %d: a file became a folder", mode)
		}
	}
	if got := listKeys(t, s, blobstore.Range{}); len(got) != 1 || got[0] != "a/b" {
		t.Errorf("listed %q", got)
	}
}

func TestFreeIsKnownBeforeTheFolderIs(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not/yet/there")} {
		if bytes, ok := dir.Free(path); !ok || bytes <= 0 {
			t.Errorf("free at %s: %d, %v", path, bytes, ok)
		}
	}
}
