package snapshots_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

var keepOne = snapshots.Policy{Last: 1}

func TestPruneRemovesExactlyItsPlan(t *testing.T) {
	store, path := newStore(t)
	old := write(t, store, moment, 1, "", sample)
	last := write(t, store, moment.Add(time.Hour), 2, "", sample)
	unreadable := write(t, store, moment.Add(-time.Hour), 3, "", sample)
	check(t, os.WriteFile(filepath.Join(path, "snapshots", string(unreadable), "manifest.json"), []byte("{"), 0o600))
	dead := unfinished(t, path, moment.Add(2*time.Hour), 4)
	now := time.Now().Add(time.Hour)
	plan, err := snapshots.PlanPrune(t.Context(), store, keepOne, now)
	check(t, err)
	var gone []snapshots.ID
	for _, e := range plan.Removes() {
		gone = append(gone, e.ID)
	}
	if len(gone) != 2 || gone[0] != old || gone[1] != dead || len(plan.Corrupt) != 1 {
		t.Fatalf("removes %v, corrupt %v", gone, plan.Corrupt)
	}
	if entries := list(t, store, now); len(entries) != 4 {
		t.Fatal("the plan has changed the store")
	}
	check(t, snapshots.Prune(t.Context(), store, plan, progress.Discard))
	entries := list(t, store, now)
	if len(entries) != 2 || entries[0].ID != unreadable || entries[1].ID != last {
		t.Errorf("%+v is left", entries)
	}
	if problems := verify(t, store, last); len(problems) > 0 {
		t.Error(problems)
	}
}

// unfinished makes a folder as a backup leaves it that was killed long ago.
func unfinished(t *testing.T, path string, begun time.Time, random byte) snapshots.ID {
	t.Helper()
	id, err := snapshots.NewID(begun, zeros{random})
	check(t, err)
	check(t, os.MkdirAll(filepath.Join(path, "snapshots", string(id)), 0o700))
	check(t, os.WriteFile(filepath.Join(path, "snapshots", string(id), "schema.json"), []byte("{}"), 0o600))
	return id
}

// A snapshot that has lost a file is not the last good one.
func TestPruneKeepsTheLastWholeSnapshot(t *testing.T) {
	store, path := newStore(t)
	whole := write(t, store, moment, 1, "", sample)
	broken := write(t, store, moment.Add(time.Hour), 2, "", sample)
	check(t, os.Remove(filepath.Join(path, "snapshots", string(broken), "data", "000002.zst")))
	plan, err := snapshots.PlanPrune(t.Context(), store, keepOne, time.Now().Add(time.Hour))
	check(t, err)
	if gone := plan.Removes(); len(gone) != 0 {
		t.Errorf("removes %v; %s is the last that is whole", gone, whole)
	}
}

// Between plan and removal another process removed what was to be kept.
func TestPruneRefusesAPlanThatIsOutOfDate(t *testing.T) {
	store, _ := newStore(t)
	old := write(t, store, moment, 1, "", sample)
	last := write(t, store, moment.Add(time.Hour), 2, "", sample)
	plan, err := snapshots.PlanPrune(t.Context(), store, keepOne, time.Now())
	check(t, err)
	check(t, snapshots.Remove(t.Context(), store, last))
	err = snapshots.Prune(t.Context(), store, plan, progress.Discard)
	if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), string(old)) {
		t.Errorf("%v", err)
	}
	if entries := list(t, store, time.Now()); len(entries) != 1 || !entries[0].Good() {
		t.Errorf("%+v", entries)
	}
}

func TestPruneNeedsAPolicy(t *testing.T) {
	store, _ := newStore(t)
	for _, p := range []snapshots.Policy{{}, {Daily: -2}} {
		if _, err := snapshots.PlanPrune(t.Context(), store, p, moment); fault.KindOf(err) != fault.Usage {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// A writer that slept for longer than its lease lives must not commit what
// another process has swept.
func TestAWriterWithoutItsLeaseCommitsNothing(t *testing.T) {
	store, _ := newStore(t)
	id, err := snapshots.NewID(moment, zeros{1})
	check(t, err)
	w, err := snapshots.NewWriter(t.Context(), store, id, nil)
	check(t, err)
	d := snapshots.Database{Name: "registry", SchemaObjects: snapshots.SchemaNames(0)}
	for _, name := range []string{d.Model, d.Pre, d.Post} {
		check(t, w.Put(t.Context(), name, []byte("{}")))
	}
	later := time.Now().Add(time.Hour)
	_, err = snapshots.Sweep(t.Context(), store, later)
	check(t, err)
	err = w.Commit(t.Context(), &snapshots.Manifest{Time: moment, Source: snapshots.Source{Engine: "postgresql", Database: "registry"},
		Contents: &snapshots.Contents{Databases: []snapshots.Database{d}}})
	if err == nil || !strings.Contains(err.Error(), "lease is gone") {
		t.Errorf("%v", err)
	}
	check(t, w.Abort(t.Context()))
	if entries := list(t, store, later); len(entries) != 0 {
		t.Errorf("%+v", entries)
	}
}

// A backup that was killed before its first object leaves its lease alone.
func TestSweepTakesALeaseWithoutAFolder(t *testing.T) {
	store, path := newStore(t)
	id, err := snapshots.NewID(moment, zeros{1})
	check(t, err)
	_, err = snapshots.NewWriter(t.Context(), store, id, nil)
	check(t, err)
	swept, err := snapshots.Sweep(t.Context(), store, time.Now())
	check(t, err)
	if len(swept) != 0 {
		t.Fatalf("swept the living: %v", swept)
	}
	swept, err = snapshots.Sweep(t.Context(), store, time.Now().Add(time.Hour))
	check(t, err)
	if len(swept) != 1 || swept[0].ID != id {
		t.Errorf("swept %v", swept)
	}
	if left, _ := filepath.Glob(filepath.Join(path, "leases", "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// endsMeanwhile is a store in which a backup ends, its lease released, just
// when somebody looks whether it is still running.
type endsMeanwhile struct {
	*dir.Store
	end func()
}

func (s endsMeanwhile) Head(ctx context.Context, key string) (blobstore.Object, error) {
	if strings.HasPrefix(key, "leases/") {
		s.end()
	}
	return s.Store.Head(ctx, key)
}

func TestABackupThatEndsWhileTheStoreIsListedIsNotSwept(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	manifest := filepath.Join(path, "snapshots", string(id), "manifest.json")
	check(t, os.Rename(manifest, manifest+".later"))
	meanwhile := endsMeanwhile{store, sync.OnceFunc(func() { check(t, os.Rename(manifest+".later", manifest)) })}
	swept, err := snapshots.Sweep(t.Context(), meanwhile, time.Now())
	check(t, err)
	if problems := verify(t, store, id); len(swept) > 0 || len(problems) > 0 {
		t.Errorf("swept %v; %v", swept, problems)
	}
}
