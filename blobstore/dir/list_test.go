package dir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
)

func listKeys(t testing.TB, r blobstore.Reader, in blobstore.Range) []string {
	t.Helper()
	var keys []string
	err := r.List(t.Context(), in, func(o blobstore.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// plant makes a random tree of files and empty folders out of names that
// sort differently as paths and as bytes, and returns its keys in order.
func plant(t testing.TB, root string, random *rand.Rand) []string {
	t.Helper()
	names := []string{"a", "a-", "a-b", "a.b", "a0", "b", "A", "ab", "_", "ä", "a b"}
	var keys []string
	taken := map[string]bool{}
	for range 1 + random.IntN(40) {
		parts := make([]string, 1+random.IntN(4))
		for i := range parts {
			parts[i] = names[random.IntN(len(names))]
		}
		key := strings.Join(parts, "/")
		if os.MkdirAll(filepath.Join(root, filepath.Dir(key)), 0o755) != nil || taken[key] {
			continue // a file is in the way
		}
		if err := os.WriteFile(filepath.Join(root, key), nil, 0o644); err == nil {
			keys = append(keys, key)
			taken[key] = true
		}
	}
	keys = append(keys, emptyFolders(t, root)...)
	slices.Sort(keys)
	return keys
}

func emptyFolders(t testing.TB, root string) (keys []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() || path == root {
			return err
		}
		inside, err := os.ReadDir(path)
		if len(inside) == 0 {
			keys = append(keys, strings.TrimPrefix(path, root+"/")+"/")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// FuzzList compares lists of random trees and ranges with a sorted slice.
func FuzzList(f *testing.F) {
	for seed := range uint64(30) {
		f.Add(seed, "", "", "")
	}
	f.Add(uint64(1), "a", "a-", "a/")
	f.Add(uint64(2), "a/", "a/a", "a0")
	f.Add(uint64(3), "", "a/", "a/a/a")
	f.Fuzz(func(t *testing.T, seed uint64, prefix, after, before string) {
		root := t.TempDir()
		random := rand.New(rand.NewPCG(seed, 7))
		all := plant(t, root, random)
		r := openReader(t, root)
		if got := listKeys(t, r, blobstore.Range{}); !slices.Equal(got, all) {
			t.Errorf("listed %q\n  want %q", got, all)
		}
		pick := func() string { return all[random.IntN(len(all))] }
		ranges := []blobstore.Range{
			{After: pick()}, {Before: pick()}, {After: pick(), Before: pick()},
			{Prefix: pick()[:1], After: pick()}, {Prefix: filepath.Dir(pick()) + "/", Before: pick()},
		}
		if in := (blobstore.Range{Prefix: prefix, After: after, Before: before}); wellFormed(in.Prefix) {
			ranges = append(ranges, in)
		}
		for _, in := range ranges {
			if !wellFormed(in.Prefix) {
				continue
			}
			var want []string
			for _, key := range all {
				if in.Contains(key) {
					want = append(want, key)
				}
			}
			if got := listKeys(t, r, in); !slices.Equal(got, want) {
				t.Errorf("%+q: listed %q\n  want %q", in, got, want)
			}
		}
	})
}

// wellFormed: the folders of a prefix have to be a key.
func wellFormed(prefix string) bool {
	i := strings.LastIndexByte(prefix, '/')
	return i < 0 || blobstore.CheckKey(prefix[:i]) == nil
}

func TestListShowsEmptyFoldersOfARegistry(t *testing.T) {
	root := t.TempDir()
	empty := "docker/registry/v2/repositories/a/_manifests/revisions/sha256/03d7"
	if err := os.MkdirAll(filepath.Join(root, empty), 0o755); err != nil {
		t.Fatal(err)
	}
	r := openReader(t, root)
	for _, prefix := range []string{"", "docker/", empty, empty + "/"} {
		if got := listKeys(t, r, blobstore.Range{Prefix: prefix}); !slices.Equal(got, []string{empty + "/"}) {
			t.Errorf("below %q: %q", prefix, got)
		}
	}
	s := createStore(t, root)
	if got := listKeys(t, s, blobstore.Range{}); len(got) > 0 {
		t.Errorf("a store of ours shows folders: %q", got)
	}
}

func TestSymlinksAreShownAndNotFollowed(t *testing.T) {
	outside, root := t.TempDir(), filepath.Join(t.TempDir(), "linked-root")
	writeFile(t, filepath.Join(outside, "secret/data"), []byte("secret"))
	inside := t.TempDir()
	writeFile(t, filepath.Join(inside, "a/b"), []byte("x"))
	for link, target := range map[string]string{
		filepath.Join(inside, "folder"): filepath.Join(outside, "secret"),
		filepath.Join(inside, "a/file"): filepath.Join(outside, "secret/data"),
		filepath.Join(inside, "a/gone"): "nowhere",
		root:                            inside,
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := openReader(t, root)
	irregular := map[string]bool{}
	err := r.List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		irregular[o.Key] = o.Irregular
		return nil
	})
	want := map[string]bool{"a/b": false, "a/file": true, "a/gone": true, "folder": true, "pipe": true}
	if err != nil || fmt.Sprint(irregular) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v, error %v", irregular, want, err)
	}
	s := createStore(t, root)
	for _, key := range []string{"a/file", "pipe", "folder/data"} {
		for name, store := range map[string]blobstore.Reader{"reader": r, "store": s} {
			if _, err := store.Get(t.Context(), key, 0); fault.KindOf(err) != fault.Refused {
				t.Errorf("%s: get of %s: %v", name, key, err)
			}
		}
	}
	if _, err := s.Create(t.Context(), "folder/data", blobstore.Replace); fault.KindOf(err) != fault.Refused {
		t.Errorf("create through a symlink: %v", err)
	}
	if err := s.Delete(t.Context(), "folder/data"); fault.KindOf(err) != fault.Refused {
		t.Errorf("delete through a symlink: %v", err)
	}
	err = s.List(t.Context(), blobstore.Range{Prefix: "folder/"}, func(blobstore.Object) error { return nil })
	if fault.KindOf(err) != fault.Refused {
		t.Errorf("list through a symlink: %v", err)
	}
	if content, err := os.ReadFile(filepath.Join(outside, "secret/data")); err != nil || string(content) != "secret" {
		t.Errorf("the file outside is %q now, error %v", content, err)
	}
}

func TestListToleratesWhatVanishes(t *testing.T) {
	root := t.TempDir()
	for _, key := range []string{"a/1", "a/2", "a/3", "b/1", "b/2/x", "c/1"} {
		writeFile(t, filepath.Join(root, key), nil)
	}
	var got []string
	err := openReader(t, root).List(t.Context(), blobstore.Range{}, func(o blobstore.Object) error {
		got = append(got, o.Key)
		if o.Key != "a/1" {
			return nil
		}
		return errors.Join(os.Remove(filepath.Join(root, "a/2")), os.RemoveAll(filepath.Join(root, "b")))
	})
	if want := []string{"a/1", "a/3", "c/1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q, error %v", got, want, err)
	}
}

// asNobody runs f without the rights of root, on this goroutine alone. An
// ordinary user has none to lose.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := setFilesystemUser(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := setFilesystemUser(0); err != nil {
			t.Fatal(err) // and the thread is not given back
		}
	}()
	f()
}

func TestUnreadableFoldersAreErrors(t *testing.T) {
	root := t.TempDir()
	for _, key := range []string{"a/1", "b/1", "c/1"} {
		writeFile(t, filepath.Join(root, key), nil)
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(root, "b")
	r := openReader(t, root)
	for _, mode := range []os.FileMode{0, 0o444, 0o111} { // neither read nor enter, no enter, no read
		if err := os.Chmod(locked, mode); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			err := r.List(t.Context(), blobstore.Range{}, func(blobstore.Object) error { return nil })
			if !errors.Is(err, blobstore.ErrDenied) || !strings.Contains(err.Error(), locked) {
				t.Errorf("folder with mode %o: error is %v, want access denied and %s", mode, err, locked)
			}
		})
		asNobody(t, func() {
			if _, err := r.Head(t.Context(), "b/1"); mode != 0o111 && !errors.Is(err, blobstore.ErrDenied) {
				t.Errorf("folder with mode %o: head: %v", mode, err)
			}
		})
	}
	if err := os.Chmod(locked, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreThatIsGoneIsNotEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if _, err := dir.OpenReader(path); !errors.Is(err, blobstore.ErrNotFound) {
		t.Errorf("open of nothing: %v", err)
	}
	if _, err := dir.Open(path); !errors.Is(err, blobstore.ErrNotFound) || !strings.Contains(err.Error(), path) {
		t.Errorf("open of nothing: %v", err)
	}
	s := createStore(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "a/b/"} {
		err := s.List(t.Context(), blobstore.Range{Prefix: prefix}, func(blobstore.Object) error { return nil })
		if !errors.Is(err, blobstore.ErrNotFound) {
			t.Errorf("list of %q in a store that was removed: %v", prefix, err)
		}
	}
}

func TestGetOfAFileThatShrinks(t *testing.T) {
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "a"), make([]byte, 100_000))
	body, err := openReader(t, root).Get(t.Context(), "a", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if err := os.Truncate(filepath.Join(root, "a"), 50_000); err != nil {
		t.Fatal(err)
	}
	n, err := readAll(body)
	if n != 50_000 || err == nil {
		t.Errorf("read %d bytes of a file that lost half, error %v", n, err)
	}
}

func readAll(r interface{ Read([]byte) (int, error) }) (total int, err error) {
	buf := make([]byte, 8192)
	for {
		n, err := r.Read(buf)
		if total += n; err != nil {
			return total, err
		}
	}
}

// BenchmarkList lists a registry's blobs: a folder for each file.
func BenchmarkList(b *testing.B) {
	root := b.TempDir()
	const files = 5000
	for i := range files {
		writeFile(b, filepath.Join(root, fmt.Sprintf("blobs/sha256/%02x/%060d/data", i%256, i)), nil)
	}
	r, err := dir.OpenReader(root)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := r.List(context.Background(), blobstore.Range{}, func(blobstore.Object) error { n++; return nil })
		if err != nil || n != files {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*files), "ns/file")
}
