package dir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/internal/fault"
)

const (
	folder = unix.S_IFDIR
	link   = unix.S_IFLNK
	sticky = unix.S_ISVTX
)

func TestWhoCouldReplaceAStore(t *testing.T) {
	const me, other = 1000, 2000
	top := step{path: "/", owner: 0, mode: folder | 0o755, mountRoot: true}
	mine := step{path: "/s", owner: me, mode: folder | 0o700, last: true}
	for _, c := range []struct {
		name    string
		above   step
		store   step
		refused string // the path that the error names
		warned  string // and the warning
	}{
		{"below folders of root", step{path: "/b", mode: folder | 0o755}, mine, "", ""},
		{"below a folder of ours", step{path: "/b", owner: me, mode: folder | 0o700}, mine, "", ""},
		{"below /tmp", step{path: "/b", mode: folder | sticky | 0o777}, mine, "", ""},
		{"below a folder that all can write", step{path: "/b", mode: folder | 0o777}, mine, "/b", ""},
		{"below a folder that its group can write", step{path: "/b", owner: me, mode: folder | 0o775}, mine, "/b", ""},
		{"below another user's folder", step{path: "/b", owner: other, mode: folder | 0o755}, mine, "/b", ""},
		{"through another user's symlink", step{path: "/b", owner: other, mode: link | 0o777}, mine, "/b", ""},
		{"through a symlink of root", step{path: "/b", mode: link | 0o777}, mine, "", ""},
		{"in a volume that all can write", step{path: "/b", mode: folder | 0o777, mountRoot: true}, mine, "", "/b"},
		{"a store of root", step{path: "/b", mode: folder | 0o755}, step{path: "/s", mode: folder | 0o755, last: true}, "", ""},
		{"another user's store", step{path: "/b", mode: folder | 0o755}, step{path: "/s", owner: other, mode: folder | 0o700, last: true}, "/s", ""},
		{"a store that all can write", step{path: "/b", mode: folder | 0o755}, step{path: "/s", owner: me, mode: folder | 0o777, last: true}, "/s", ""},
		{"a store that its group can write", step{path: "/b", mode: folder | 0o755}, step{path: "/s", owner: me, mode: folder | 0o770, last: true}, "/s", ""},
		{"a store like /tmp", step{path: "/b", mode: folder | 0o755}, step{path: "/s", mode: folder | sticky | 0o777, last: true}, "/s", ""},
		{"a volume that all can write", step{path: "/b", mode: folder | 0o755}, step{path: "/s", mode: folder | 0o777, mountRoot: true, last: true}, "", "/s"},
		{"a volume of another user", step{path: "/b", mode: folder | 0o755}, step{path: "/s", owner: other, mode: folder | 0o755, mountRoot: true, last: true}, "", "/s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			warnings, err := judge("/b/s", []step{top, c.above, c.store}, me)
			if (err != nil) != (c.refused != "") || (len(warnings) > 0) != (c.warned != "") {
				t.Fatalf("error %v, warnings %q", err, warnings)
			}
			if err != nil && (fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), ": "+c.refused+" ") ||
				!strings.Contains(fault.HintOf(err), c.refused)) {
				t.Errorf("error %v, hint %q", err, fault.HintOf(err))
			}
			if len(warnings) > 0 && !strings.HasPrefix(warnings[0], c.warned+" ") {
				t.Errorf("warnings %q", warnings)
			}
		})
	}
}

func TestTheWayToAStore(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(base+"/real/deep/store", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"abs": base + "/real/deep", "rel": "real/../real/deep", "two": "rel", "loop": "loop"} {
		if err := os.Symlink(target, base+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string][]string{
		"/real/deep/store":       {"/real", "/real/deep", "/real/deep/store"},
		"/real/./deep//store/":   {"/real", "/real/deep", "/real/deep/store"},
		"/real/deep/../deep":     {"/real", "/real/deep", "/real/deep"},
		"/real/not/yet":          {"/real"},
		"/abs/store":             {"/abs", "/real", "/real/deep", "/real/deep/store"},
		"/rel/store":             {"/rel", "/real", "/real", "/real/deep", "/real/deep/store"},
		"/two/../deep/store/new": {"/two", "/rel", "/real", "/real", "/real/deep", "/real/deep", "/real/deep/store"},
	} {
		way, err := wayTo(base + path)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, s := range way {
			if below, ok := strings.CutPrefix(s.path, base+"/"); ok {
				got = append(got, "/"+below)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("way to %s: %q, want %q", path, got, want)
		}
		if exists := !strings.Contains(path, "n"); exists != way[len(way)-1].last {
			t.Errorf("way to %s ends at the store: %v", path, !exists)
		}
	}
	if _, err := wayTo(base + "/loop/x"); err == nil {
		t.Error("a symlink to itself leads somewhere")
	}
}

func TestCheckPrivateLooksAtTheDisk(t *testing.T) {
	base := t.TempDir()
	store := base + "/above/store"
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	check := func(want fault.Kind) {
		t.Helper()
		_, err := CheckPrivate(store)
		if err == nil && want != 0 || err != nil && (want == 0 || fault.KindOf(err) != want) {
			t.Errorf("error %v, want kind %d", err, want)
		}
	}
	check(0)
	for _, open := range []string{base + "/above", store} {
		if err := os.Chmod(open, 0o777); err != nil {
			t.Fatal(err)
		}
		check(fault.Refused)
		if err := os.Chmod(open, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(store); err != nil {
		t.Fatal(err)
	}
	check(0)
	if err := os.WriteFile(store, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check(fault.Failed)
}
