package snapshots_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

var moment = time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC)

// zeros is the randomness of tests: the same ID every time for a time.
type zeros struct{ b byte }

func (z zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = z.b
	}
	return len(p), nil
}

// renderer renders a model as itself, which is all that these tests need.
func renderer(string) (snapshots.Renderer, error) {
	return func(model []byte) (pre, post string, err error) {
		return "pre " + string(model), "post " + string(model), nil
	}, nil
}

type table struct {
	name  string
	parts []string
}

var sample = []table{
	{"project", []string{"1\tlibrary\n2\t\\N\n"}},
	{"artifact", []string{"1\tsha256:aa\n", "2\tsha256:bb\n3\tsha256:cc\n"}},
	{"robot", nil},
}

// write makes a snapshot of tables and returns its ID.
func write(t *testing.T, store blobstore.Store, at time.Time, random byte, label string, tables []table, to ...snapshots.Recipient) snapshots.ID {
	t.Helper()
	ctx := t.Context()
	id, err := snapshots.NewID(at, zeros{random})
	check(t, err)
	w, err := snapshots.NewWriter(ctx, store, id, nil, to...)
	check(t, err)
	d := snapshots.Database{Name: "registry", Time: at, OneMoment: true, SchemaObjects: snapshots.SchemaNames(0)}
	for name, text := range map[string]string{d.Model: "{}", d.Pre: "pre {}", d.Post: "post {}"} {
		check(t, w.Put(ctx, name, []byte(text)))
	}
	out := w.NewPartWriter()
	n := 0
	for _, in := range tables {
		rows := snapshots.Table{Schema: "public", Name: in.name, Columns: []string{"id", "v"}}
		var sum snapshots.Fingerprint
		for _, text := range in.parts {
			n++
			check(t, out.Begin(ctx, fmt.Sprintf("data/%06d.zst", n)))
			_, err := out.Write([]byte(text))
			check(t, err)
			part, fingerprint, err := out.End()
			check(t, err)
			sum = sum.Add(fingerprint)
			rows.Rows, rows.Bytes, rows.Parts = rows.Rows+part.Rows, rows.Bytes+part.Bytes, append(rows.Parts, part)
		}
		rows.Fingerprint = sum.String()
		d.Tables = append(d.Tables, rows)
	}
	check(t, out.Close())
	check(t, w.Commit(ctx, &snapshots.Manifest{
		Time: at, Label: label, Tool: "test",
		Source:   snapshots.Source{Engine: "postgresql", System: "7", Host: "db", Database: "registry"},
		Harbor:   snapshots.Harbor{Version: "12", Releases: []string{"v1.9.4"}},
		Contents: &snapshots.Contents{Databases: []snapshots.Database{d}},
	}))
	return id
}

func newStore(t *testing.T) (*dir.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	store, err := dir.Create(path)
	check(t, err)
	return store, path
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, store blobstore.Reader, id snapshots.ID) []string {
	t.Helper()
	v, err := snapshots.Verify(t.Context(), store, id, renderer, 2, progress.Discard)
	check(t, err)
	return v.Problems
}

func TestAWholeSnapshotVerifies(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "before", sample)
	if problems := verify(t, store, id); len(problems) > 0 {
		t.Fatal(problems)
	}
	m, err := snapshots.Load(t.Context(), store, id)
	check(t, err)
	rows := m.Contents.Databases[0].Tables[1]
	if rows.Rows != 3 || len(rows.Parts) != 2 {
		t.Errorf("artifact has %d rows in %d parts", rows.Rows, len(rows.Parts))
	}
	leases, err := filepath.Glob(filepath.Join(path, "leases", "*"))
	check(t, err)
	if len(leases) > 0 {
		t.Errorf("leases are left: %v", leases)
	}
}

// Every flipped bit and every truncation in every file is found, manifest and
// SHA256SUMS included.
func TestVerifyFindsEveryDamage(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	folder := filepath.Join(path, "snapshots", string(id))
	var files []string
	check(t, filepath.WalkDir(folder, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, p)
		}
		return err
	}))
	for _, file := range files {
		whole, err := os.ReadFile(file)
		check(t, err)
		damage := func(what string, data []byte) {
			check(t, os.WriteFile(file, data, 0o600))
			if len(verify(t, store, id)) == 0 {
				t.Errorf("%s: %s is not found", filepath.Base(file), what)
			}
		}
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1 << (i % 8)
			damage(fmt.Sprintf("bit flipped in byte %d", i), damaged)
		}
		for i := range whole {
			damage(fmt.Sprintf("cut at %d", i), whole[:i])
		}
		damage("a byte more", append(bytes.Clone(whole), 0))
		check(t, os.Remove(file))
		if problems, err := snapshots.Verify(t.Context(), store, id, renderer, 1, progress.Discard); err == nil && len(problems.Problems) == 0 {
			t.Errorf("%s: its absence is not found", filepath.Base(file))
		}
		check(t, os.WriteFile(file, whole, 0o600))
	}
	if problems := verify(t, store, id); len(problems) > 0 {
		t.Fatalf("the snapshot as it was does not verify: %v", problems)
	}
}

func TestVerifyNamesAFileThatDoesNotBelong(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	check(t, os.WriteFile(filepath.Join(path, "snapshots", string(id), "data", "999999.zst"), nil, 0o600))
	if problems := verify(t, store, id); len(problems) != 1 || !strings.Contains(problems[0], "999999.zst") {
		t.Error(problems)
	}
}

// rewrite changes a manifest and makes SHA256SUMS agree with it, as a forger
// would.
func rewrite(t *testing.T, path string, id snapshots.ID, change func(m map[string]any)) {
	t.Helper()
	folder := filepath.Join(path, "snapshots", string(id))
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	check(t, err)
	var m map[string]any
	check(t, json.Unmarshal(data, &m))
	change(m)
	data, err = json.Marshal(m)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, "manifest.json"), data, 0o600))
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	check(t, err)
	sum := sha256.Sum256(data)
	lines := strings.Split(string(sums), "\n")
	for i, l := range lines {
		if strings.HasSuffix(l, "  manifest.json") {
			lines[i] = hex.EncodeToString(sum[:]) + "  manifest.json"
		}
	}
	check(t, os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(strings.Join(lines, "\n")), 0o600))
}

// Every later harbordb reads what this one writes, though it may render a model
// in other words: scripts of another revision are proved by their digests.
func TestScriptsOfAnotherRevisionMaySayItInOtherWords(t *testing.T) {
	later := func(string) (snapshots.Renderer, error) {
		return func([]byte) (pre, post string, err error) { return "other words", "other words", nil }, nil
	}
	for revision, problems := range map[int]int{snapshots.Rendering: 2, 0: 0, snapshots.Rendering + 1: 0} {
		store, path := newStore(t)
		id := write(t, store, moment, 1, "", sample)
		rewrite(t, path, id, func(m map[string]any) { m["rendering"] = revision })
		v, err := snapshots.Verify(t.Context(), store, id, later, 2, progress.Discard)
		check(t, err)
		if len(v.Problems) != problems {
			t.Errorf("revision %d: %q", revision, v.Problems)
		}
		script := filepath.Join(path, "snapshots", string(id), "schema.pre.sql")
		check(t, os.WriteFile(script, []byte("pre []"), 0o600))
		v, err = snapshots.Verify(t.Context(), store, id, renderer, 2, progress.Discard)
		check(t, err)
		if len(v.Problems) != 1 || !strings.Contains(v.Problems[0], "schema.pre.sql") {
			t.Errorf("revision %d, a script was changed: %q", revision, v.Problems)
		}
	}
}

func TestLoadRefusesAHostileManifest(t *testing.T) {
	object := func(m map[string]any, i int) map[string]any { return m["objects"].([]any)[i].(map[string]any) }
	database := func(m map[string]any) map[string]any {
		return m["contents"].(map[string]any)["databases"].([]any)[0].(map[string]any)
	}
	for name, test := range map[string]struct {
		change func(m map[string]any)
		want   string
	}{
		"an object above the folder":   {func(m map[string]any) { object(m, 0)["name"] = "../../etc/passwd" }, "not allowed"},
		"an absolute object":           {func(m map[string]any) { object(m, 0)["name"] = "/etc/passwd" }, "not allowed"},
		"an object below data/../":     {func(m map[string]any) { object(m, 0)["name"] = "data/.." }, "not allowed"},
		"the manifest as an object":    {func(m map[string]any) { object(m, 3)["name"] = "manifest.json" }, "reserved"},
		"a negative size":              {func(m map[string]any) { object(m, 0)["size"] = -1 }, "size"},
		"no digest":                    {func(m map[string]any) { object(m, 0)["sha256"] = "" }, "SHA-256"},
		"an object that is not listed": {func(m map[string]any) { database(m)["model"] = "other.json" }, "not listed"},
		"an object used twice":         {func(m map[string]any) { database(m)["pre"] = "schema.json" }, "twice"},
		"no contents":                  {func(m map[string]any) { delete(m, "contents") }, "contents"},
		"another ID":                   {func(m map[string]any) { m["id"] = "20200101T000000Z-000000" }, "belongs to"},
		"a newer format":               {func(m map[string]any) { m["format"] = 99 }, "format 99"},
	} {
		t.Run(name, func(t *testing.T) {
			store, path := newStore(t)
			id := write(t, store, moment, 1, "", sample)
			rewrite(t, path, id, test.change)
			_, err := snapshots.Load(t.Context(), store, id)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v does not say %q", err, test.want)
			}
			if name == "a newer format" && fault.KindOf(err) != fault.Refused {
				t.Error("a newer format is not refused")
			}
			if name != "a newer format" && !errors.Is(err, snapshots.ErrCorrupt) {
				t.Errorf("%v is not ErrCorrupt", err)
			}
		})
	}
}

// A part that unpacks to more than the manifest says is stopped at once.
func TestADecompressionBombIsStopped(t *testing.T) {
	store, path := newStore(t)
	bomb := strings.Repeat("0\n", 32<<20)
	id := write(t, store, moment, 1, "", []table{{"bomb", []string{bomb}}})
	rewrite(t, path, id, func(m map[string]any) {
		rows := m["contents"].(map[string]any)["databases"].([]any)[0].(map[string]any)["tables"].([]any)[0].(map[string]any)
		part := rows["parts"].([]any)[0].(map[string]any)
		for _, v := range []map[string]any{rows, part} {
			v["rows"], v["bytes"] = 1, 2
		}
	})
	s, err := snapshots.Open(t.Context(), store, id)
	check(t, err)
	r, err := s.Parts()
	check(t, err)
	defer r.Close()
	check(t, r.Open(t.Context(), s.Manifest.Contents.Databases[0].Tables[0].Parts[0]))
	var n int
	buf := make([]byte, 4096)
	for err == nil {
		var m int
		m, err = r.Read(buf)
		n += m
	}
	if !errors.Is(err, snapshots.ErrCorrupt) || n > len(buf) {
		t.Errorf("%d bytes came out, then %v", n, err)
	}
}

func TestListShowsWhatIsNoSnapshot(t *testing.T) {
	store, path := newStore(t)
	good := write(t, store, moment, 1, "", sample)
	broken := write(t, store, moment.Add(time.Hour), 2, "", sample)
	check(t, os.WriteFile(filepath.Join(path, "snapshots", string(broken), "manifest.json"), []byte("{"), 0o600))
	dead, err := snapshots.NewID(moment.Add(2*time.Hour), zeros{3})
	check(t, err)
	w, err := snapshots.NewWriter(t.Context(), store, dead, nil)
	check(t, err)
	check(t, w.Put(t.Context(), "schema.json", []byte("{}")))

	now := time.Now()
	entries := list(t, store, now)
	if len(entries) != 3 || entries[0].ID != good || !entries[0].Good() || entries[1].Problem == "" || !entries[2].Running {
		t.Fatalf("%+v", entries)
	}
	swept, err := snapshots.Sweep(t.Context(), store, now)
	check(t, err)
	if len(swept) != 0 {
		t.Errorf("swept what is being written: %v", swept)
	}
	later := now.Add(time.Hour) // the lease has not been renewed
	swept, err = snapshots.Sweep(t.Context(), store, later)
	check(t, err)
	if len(swept) != 1 || swept[0].ID != dead {
		t.Errorf("swept %v", swept)
	}
	if entries := list(t, store, later); len(entries) != 2 {
		t.Errorf("%d folders are left", len(entries))
	}
}

func list(t *testing.T, store blobstore.Reader, now time.Time) []snapshots.Entry {
	t.Helper()
	entries, err := snapshots.List(t.Context(), store, now)
	check(t, err)
	return entries
}

func TestRemoveAndAbortLeaveNothing(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	check(t, snapshots.Remove(t.Context(), store, id))
	w, err := snapshots.NewWriter(t.Context(), store, id, nil)
	check(t, err)
	check(t, w.Put(t.Context(), "schema.json", []byte("{}")))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	check(t, w.Abort(cancelled))
	check(t, filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			t.Errorf("%s is left", p)
		}
		return err
	}))
}
