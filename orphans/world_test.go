package orphans_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// world is a registry made by real pushes, and the database of a Harbor that
// has seen them; nil without one.
type world struct {
	reg    *registrytest.Registry
	harbor *harbor
	reader blobstore.Reader
	undo   []func(t testing.TB)
}

func newWorld(t testing.TB, start func(testing.TB) *registrytest.Registry, h *harbor) *world {
	t.Helper()
	w := &world{reg: start(t), harbor: h}
	w.reader = w.reg.Reader(t)
	if folder, ok := w.reader.(*dir.Reader); ok {
		folder.HashUpTo(registry.LongestLink)
		folder.Expect(registry.Expect)
	}
	return w
}

// push pushes an image and tells the database. Where nothing else is said, it
// has a layer of its own.
func (w *world) push(t testing.TB, repository string, i registrytest.Image) registrytest.Pushed {
	t.Helper()
	if i.Layers == nil {
		i.Layers = []string{"layer of " + repository + ":" + strings.Join(i.Tags, ",")}
	}
	p := w.reg.Push(t, repository, i)
	if w.harbor != nil {
		w.harbor.push(t, p, i.Tags)
	}
	return p
}

func (w *world) index(t testing.TB, repository string, tags []string, children ...registrytest.Pushed) registrytest.Pushed {
	t.Helper()
	p := w.reg.PushIndex(t, repository, tags, children...)
	if w.harbor != nil {
		w.harbor.push(t, p, tags, children...)
	}
	return p
}

// put and remove change an object below docker/registry/v2, until restore.
func (w *world) put(t testing.TB, name string, content []byte) {
	t.Helper()
	w.remember(t, name)
	w.reg.Put(t, w.reg.Key(name), content)
}

func (w *world) remove(t testing.TB, name string) {
	t.Helper()
	w.remember(t, name)
	w.reg.Remove(t, w.reg.Key(name))
}

func (w *world) remember(t testing.TB, name string) {
	t.Helper()
	key := w.reg.Key(name)
	before, err := w.read(t, key)
	switch {
	case errors.Is(err, blobstore.ErrNotFound):
		w.undo = append(w.undo, func(t testing.TB) {
			if _, err := w.reader.Head(t.Context(), key); err == nil {
				w.reg.Remove(t, key)
			}
		})
	case err != nil:
		t.Fatal(err)
	default:
		w.undo = append(w.undo, func(t testing.TB) { w.reg.Put(t, key, before) })
	}
}

func (w *world) read(t testing.TB, key string) ([]byte, error) {
	body, err := w.reader.Get(t.Context(), key, 0)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	return content, errors.Join(err, body.Close())
}

// restore takes all changes back, the last first.
func (w *world) restore(t testing.TB) {
	t.Helper()
	for _, undo := range slices.Backward(w.undo) {
		undo(t)
	}
	w.undo = nil
}

// scan scans without waiting, and everything counts as old.
func (w *world) scan(t testing.TB, db *orphans.Database, change ...func(*orphans.Options)) *orphans.Report {
	t.Helper()
	tree, err := registry.Open(t.Context(), w.reader)
	if err != nil {
		t.Fatal(err)
	}
	return scanTree(t, tree, db, change...)
}

func scanTree(t testing.TB, tree *registry.Tree, db *orphans.Database, change ...func(*orphans.Options)) *orphans.Report {
	t.Helper()
	o := options(t)
	for _, f := range change {
		f(&o)
	}
	r, err := orphans.Scan(t.Context(), tree, db, o)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, r)
	return r
}

// options are those of a scan for which everything is old.
func options(t testing.TB) orphans.Options {
	return orphans.Options{
		Now: time.Now().Add(time.Hour), TempDir: t.TempDir(),
		Grace: time.Second, StaleUpload: time.Second, Settle: -1, Split: 500,
	}
}

// checkReport checks what holds of every report.
func checkReport(t testing.TB, r *orphans.Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), ":null,\"way_out\"") || strings.Contains(string(text), "\"victims\":null") {
		t.Errorf("a list is null: %s", text)
	}
	for _, f := range r.Findings {
		if f.Name == "" || f.Severity == "" || f.Detail == "" || len(f.WayOut) == 0 {
			t.Errorf("an incomplete finding: %+v", f)
		}
		if f.Severity == orphans.Info {
			t.Errorf("a note among the findings: %+v", f)
		}
	}
}

// found renders findings for comparison: code, repository, and the victims.
func found(r *orphans.Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		var victims []string
		for _, v := range f.Victims {
			victims = append(victims, v.Project+"/"+v.Repository+":"+strings.Join(v.Tags, ","))
		}
		slices.Sort(victims)
		out = append(out, strings.TrimRight(fmt.Sprintf("%s %s", f.Code, strings.Join(victims, " ")), " "))
	}
	slices.Sort(out)
	return out
}

// noted returns how often a code occurs among notes and waste.
func noted(r *orphans.Report, code orphans.Code) int64 {
	for _, n := range r.Notes {
		if n.Code == code {
			return n.Count
		}
	}
	for _, w := range r.Waste {
		if w.Code == code {
			return w.Count
		}
	}
	return 0
}

// expect compares the findings of a report.
func expect(t testing.TB, r *orphans.Report, want ...string) {
	t.Helper()
	if r.Implausible != "" || !r.Complete {
		t.Fatalf("implausible: %q, gaps: %+v", r.Implausible, r.Gaps)
	}
	slices.Sort(want)
	if got := found(r); !slices.Equal(got, append([]string{}, want...)) {
		t.Errorf("findings:\n got %s\nwant %s\n%s", strings.Join(got, " | "), strings.Join(want, " | "), details(r))
	}
}

func details(r *orphans.Report) string {
	text, err := json.MarshalIndent(r.Findings, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// digest parses a digest that registrytest has made.
func digest(t testing.TB, text string) registry.Digest {
	t.Helper()
	d, err := registry.ParseDigest(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
