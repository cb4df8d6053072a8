package snapshots_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/snapshots"
)

// runWriter begins a snapshot in a store and waits to be killed.
func runWriter(args []string) error {
	store, err := dir.Create(args[0])
	if err != nil {
		return err
	}
	id, err := snapshots.NewID(moment, zeros{9})
	if err != nil {
		return err
	}
	w, err := snapshots.NewWriter(context.Background(), store, id, nil)
	if err != nil {
		return err
	}
	if err := w.Put(context.Background(), "schema.json", []byte("{}")); err != nil {
		return err
	}
	fmt.Println(id)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// A backup that was killed on this machine is known as dead at once.
func TestAKilledWriterIsDeadAtOnce(t *testing.T) {
	store, path := newStore(t)
	self, err := os.Executable()
	check(t, err)
	writer := exec.Cmd{Path: self, Args: []string{"writer", path}, Stderr: os.Stderr}
	stdin, err := writer.StdinPipe()
	check(t, err)
	defer stdin.Close()
	stdout, err := writer.StdoutPipe()
	check(t, err)
	check(t, writer.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	check(t, err)
	swept, err := snapshots.Sweep(t.Context(), store, time.Now())
	check(t, err)
	if entries := list(t, store, time.Now()); len(swept) > 0 || len(entries) != 1 || !entries[0].Running {
		t.Fatalf("swept %v, left %+v, while it writes", swept, entries)
	}
	check(t, writer.Process.Kill())
	_ = writer.Wait()
	swept, err = snapshots.Sweep(t.Context(), store, time.Now())
	check(t, err)
	if entries := list(t, store, time.Now()); len(swept) != 1 || len(entries) > 0 {
		t.Errorf("swept %v, left %+v, once it was killed", swept, entries)
	}
}

// Only who shares a machine, its boot and its process numbers with a writer
// sees that it has ended; to everybody else its lease dies of age.
func TestWhoCannotSeeTheWriterWaits(t *testing.T) {
	for name, c := range map[string]struct {
		field string
		value any
		runs  bool
	}{
		"itself":                         {"", nil, true},
		"another machine":                {"boot", "d7b1b4bb-0a3d-4c5b-8f0a-0d6f2c1f4f77", true},
		"another container":              {"namespace", "pid:[1]", true},
		"its number is another's now":    {"started", "1", false},
		"a number that nobody has":       {"pid", 1 << 30, false},
		"a machine that does not tell":   {"pid", 0, true},
		"a number of all processes":      {"pid", -1, true},
		"a lease of somebody's own form": {"pid", "seven", true},
	} {
		t.Run(name, func(t *testing.T) {
			store, path := newStore(t)
			id, err := snapshots.NewID(moment, zeros{9})
			check(t, err)
			w, err := snapshots.NewWriter(t.Context(), store, id, nil)
			check(t, err)
			lease := filepath.Join(path, "leases", string(id))
			data, err := os.ReadFile(lease)
			check(t, err)
			var text map[string]any
			check(t, json.Unmarshal(data, &text))
			if c.field != "" {
				text["holder"].(map[string]any)[c.field] = c.value
			}
			data, err = json.Marshal(text)
			check(t, err)
			check(t, os.WriteFile(lease, data, 0o600))
			left, err := snapshots.Leftovers(t.Context(), store, time.Now())
			check(t, err)
			if runs := len(left) == 0; runs != c.runs {
				t.Errorf("left: %v", left)
			}
			left, err = snapshots.Leftovers(t.Context(), store, time.Now().Add(time.Hour))
			check(t, err)
			if len(left) != 1 {
				t.Errorf("left an hour later: %v", left)
			}
			check(t, w.Abort(t.Context()))
		})
	}
}
