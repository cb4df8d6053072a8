package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func content(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestReplacesAnOlderFileWithItsOwnMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	name := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first, and longer", "second"} {
		size, err := Replace(name, 0o644, content(text))
		if err != nil || size != int64(len(text)) {
			t.Fatalf("%d bytes, %v", size, err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	onlyFile(t, filepath.Dir(name))
}

func TestAFailureLeavesTheOlderFileAndNothingElse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if _, err := Replace(name, 0o600, content("older")); err != nil {
		t.Fatal(err)
	}
	reason := errors.New("the reason")
	_, err := Replace(name, 0o600, func(w io.Writer) error { return errors.Join(content("half")(w), reason) })
	if !errors.Is(err, reason) {
		t.Errorf("the error is %v", err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "older" {
		t.Errorf("%q, %v", got, err)
	}
	onlyFile(t, filepath.Dir(name))
	if _, err := Replace(filepath.Join(name, "below"), 0o600, content("")); err == nil {
		t.Error("a file below a file was written")
	}
}

func onlyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v in the folder, %v", entries, err)
	}
}
