package canary

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestALeakIsFoundAndNotRepeated(t *testing.T) {
	secret := New()
	for _, text := range []string{secret, "first\nhost=db password=" + secret + " port=1\nlast", "\xff\x00" + secret + "\x00"} {
		line, found := Leak([]byte(text))
		if !found || Is(line) || strings.Contains(line, "first") {
			t.Errorf("%v, %q", found, line)
		}
	}
	if line, found := Leak([]byte("password=********")); found {
		t.Errorf("a leak where there is none: %q", line)
	}
	if !Is("postgres://user:"+secret+"@host") || Is("password") || New() == secret {
		t.Error("secrets are not told apart")
	}
}

func TestALeakInAFileIsFound(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := New()
	plain := []byte("a row\t" + secret + "\n")
	for name, content := range map[string][]byte{"journal.json": plain, "rows.zst": encoder.EncodeAll(plain, nil)} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "below"), 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "below", name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		none := func(string) bool { return false }
		where, found, err := LeakInFiles(dir, none)
		if err != nil || !found || Is(where) || !strings.Contains(where, name) {
			t.Errorf("%s: %v, %q, %v", name, found, where, err)
		}
		if where, found, err := LeakInFiles(dir, func(path string) bool { return path == file }); err != nil || found {
			t.Errorf("%s: %q, %v", name, where, err)
		}
	}
}
