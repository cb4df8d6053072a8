package snapshots_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/harbordb/harbordb/snapshots"
)

// A writer that slept until it was taken for dead, and whose objects were
// swept, makes no snapshot of what is left.
func TestASweptWriterCommitsNothing(t *testing.T) {
	store, _ := newStore(t)
	id, err := snapshots.NewID(moment, zeros{7})
	check(t, err)
	tick := make(chan time.Time)
	clock := func(time.Duration) (<-chan time.Time, func()) { return tick, func() {} }
	w, err := snapshots.NewWriter(t.Context(), store, id, clock)
	check(t, err)
	for _, name := range []string{"schema.json", "schema.pre.sql", "schema.post.sql"} {
		check(t, w.Put(t.Context(), name, []byte("{}")))
	}
	_, err = snapshots.Sweep(t.Context(), store, time.Now().Add(time.Hour))
	check(t, err)
	tick <- time.Now() // it wakes, and would renew its lease
	err = w.Commit(t.Context(), &snapshots.Manifest{Time: moment, Source: snapshots.Source{Engine: "postgresql", Database: "registry"},
		Contents: &snapshots.Contents{Databases: []snapshots.Database{{Name: "registry", SchemaObjects: snapshots.SchemaNames(0)}}}})
	if err == nil {
		t.Error("it made a snapshot")
	}
	if entries := list(t, store, time.Now()); len(entries) > 0 && entries[0].Good() {
		t.Errorf("%v is listed", entries)
	}
}

// A snapshot that has lost its SHA256SUMS is corrupt, and nothing to sweep.
func TestASnapshotWithoutSumsIsCorruptAndStays(t *testing.T) {
	store, path := newStore(t)
	id := write(t, store, moment, 1, "", sample)
	check(t, os.Remove(filepath.Join(path, "snapshots", string(id), snapshots.SumsName)))
	later := time.Now().Add(time.Hour)
	swept, err := snapshots.Sweep(t.Context(), store, later)
	check(t, err)
	entries := list(t, store, later)
	if len(swept) > 0 || len(entries) != 1 || entries[0].Unfinished || entries[0].Problem == "" {
		t.Errorf("swept %v, left %+v", swept, entries)
	}
}
