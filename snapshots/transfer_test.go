package snapshots_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// file is an entry of a tar file.
type file struct {
	tar.Header
	data []byte
}

// export returns the tar file of a snapshot, taken apart.
func export(t *testing.T, store *dir.Store, id snapshots.ID) []file {
	t.Helper()
	var b bytes.Buffer
	_, err := snapshots.Export(t.Context(), store, id, &b, progress.Discard)
	check(t, err)
	var files []file
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		check(t, err)
		data, err := io.ReadAll(r)
		check(t, err)
		files = append(files, file{*h, data})
	}
}

func pack(t *testing.T, files []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		f.Size = int64(len(f.data))
		check(t, w.WriteHeader(&f.Header))
		_, err := w.Write(f.data)
		check(t, err)
	}
	check(t, w.Close())
	return b.Bytes()
}

func importAll(t *testing.T, store *dir.Store, data []byte) (snapshots.Import, error) {
	t.Helper()
	return snapshots.ReadImport(t.Context(), store, bytes.NewReader(data), time.Now(), progress.Discard)
}

// What was exported comes in as the very same bytes, encrypted or not; a
// second time nothing is done.
func TestImportIsTheInverseOfExport(t *testing.T) {
	_, public := pair(t)
	for name, to := range map[string][]snapshots.Recipient{"in clear": nil, "encrypted": recipients(t, public)} {
		t.Run(name, func(t *testing.T) {
			from, fromPath := newStore(t)
			id := write(t, from, moment, 1, "travels", sample, to...)
			data := pack(t, export(t, from, id))
			to, toPath := newStore(t)
			in, err := importAll(t, to, data)
			check(t, err)
			if in.Already || in.Manifest.ID != id || in.Manifest.Label != "travels" {
				t.Errorf("%+v", in)
			}
			if problems := verify(t, to, id); len(problems) > 0 {
				t.Error(problems)
			}
			requireSameFolders(t, fromPath, toPath)
			in, err = importAll(t, to, data)
			check(t, err)
			if !in.Already {
				t.Error("the second import is not seen as one")
			}
		})
	}
}

func requireSameFolders(t *testing.T, a, b string) {
	t.Helper()
	check(t, filepath.WalkDir(a, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		want, err := os.ReadFile(path)
		check(t, err)
		got, err := os.ReadFile(filepath.Join(b, strings.TrimPrefix(path, a)))
		if err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s came out otherwise: %v", path, err)
		}
		return nil
	}))
}

// A file that is not exactly an export leaves nothing in the store, and
// nothing outside of it.
func TestImportRefuses(t *testing.T) {
	from, _ := newStore(t)
	id := write(t, from, moment, 1, "", sample)
	for name, change := range map[string]func(files []file) []file{
		"nothing":                       func([]file) []file { return nil },
		"no manifest":                   func(f []file) []file { return f[1:] },
		"the manifest in another place": func(f []file) []file { return append(f[1:], f[0]) },
		"a manifest without its sums":   func(f []file) []file { return append(f[:1], f[2:]...) },
		"a manifest that was changed": func(f []file) []file {
			f[0].data = bytes.Replace(f[0].data, []byte("v1.9.4"), []byte("v1.9.5"), 1)
			return f
		},
		"an object missing":       func(f []file) []file { return f[:len(f)-1] },
		"an object twice":         func(f []file) []file { return append(f, f[2]) },
		"an object too many":      func(f []file) []file { x := f[2]; x.Name = string(id) + "/data/999999.zst"; return append(f, x) },
		"a flipped bit":           func(f []file) []file { f[2].data[3] ^= 1; return f },
		"an object cut short":     func(f []file) []file { f[2].data = f[2].data[1:]; return f },
		"a path above the folder": func(f []file) []file { f[2].Name = string(id) + "/../../../x"; return f },
		"an absolute path":        func(f []file) []file { f[2].Name = "/etc/x"; return f },
		"another folder":          func(f []file) []file { f[2].Name = "20200101T000000Z-000000/" + f[2].Name[len(id)+1:]; return f },
		"a folder that is no ID":  func(f []file) []file { f[0].Name = "../manifest.json"; return f },
		"a symlink": func(f []file) []file {
			f[2].Typeflag, f[2].Linkname, f[2].data = tar.TypeSymlink, "/etc/passwd", nil
			return f
		},
		"a hard link": func(f []file) []file { f[2].Typeflag, f[2].Linkname, f[2].data = tar.TypeLink, "x", nil; return f },
		"a device":    func(f []file) []file { f[2].Typeflag, f[2].data = tar.TypeChar, nil; return f },
	} {
		t.Run(name, func(t *testing.T) {
			store, path := newStore(t)
			_, err := importAll(t, store, pack(t, change(export(t, from, id))))
			if fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" {
				t.Errorf("%v", err)
			}
			requireEmpty(t, path)
		})
	}
	whole := pack(t, export(t, from, id))
	for cut := 0; cut < len(whole)-3*512; cut += 700 { // behind that come padding and the end mark
		store, path := newStore(t)
		if _, err := importAll(t, store, whole[:cut]); fault.KindOf(err) != fault.Refused {
			t.Errorf("cut at %d: %v", cut, err)
		}
		requireEmpty(t, path)
	}
}

func requireEmpty(t *testing.T, path string) {
	t.Helper()
	check(t, filepath.WalkDir(filepath.Dir(path), func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			t.Errorf("%s is left", p)
		}
		return err
	}))
}

func TestImportRefusesAnIDThatIsTaken(t *testing.T) {
	from, _ := newStore(t)
	id := write(t, from, moment, 1, "one", sample)
	data := pack(t, export(t, from, id))
	store, _ := newStore(t)
	write(t, store, moment, 1, "other", sample)
	if _, err := importAll(t, store, data); fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "another snapshot") {
		t.Errorf("%v", err)
	}
	if problems := verify(t, store, id); len(problems) > 0 {
		t.Error(problems)
	}

	// somebody writes it, or a dead process left it
	store, path := newStore(t)
	w, err := snapshots.NewWriter(t.Context(), store, id, nil)
	check(t, err)
	if _, err := importAll(t, store, data); fault.KindOf(err) != fault.Refused {
		t.Errorf("%v", err)
	}
	check(t, w.Abort(t.Context()))
	unfinished(t, path, moment, 1)
	_, err = importAll(t, store, data)
	check(t, err)
	if problems := verify(t, store, id); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestExportRefusesDamage(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	object := filepath.Join(path, "snapshots", string(id), "data", "000001.zst")
	data, err := os.ReadFile(object)
	check(t, err)
	data[2] ^= 1
	check(t, os.WriteFile(object, data, 0o600))
	if _, err := snapshots.Export(t.Context(), store, id, io.Discard, progress.Discard); err == nil || !strings.Contains(err.Error(), "000001.zst") {
		t.Errorf("%v", err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("no tar file"))
	f.Fuzz(func(t *testing.T, data []byte) {
		store, path := newStore(t)
		if _, err := importAll(t, store, data); err != nil {
			requireEmpty(t, path)
		}
	})
}
