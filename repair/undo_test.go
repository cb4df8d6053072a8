package repair_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
)

// Rows that somebody changed since are named, and left as they are only when
// that is asked for.
func TestUndoAfterLaterChanges(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, table string) {
		before := h.cells()
		id := h.apply(h.planReplication("8", repair.Options{}))
		h.exec("UPDATE " + table + " SET status = 'again' WHERE id = 2")
		h.exec("DELETE FROM " + table + " WHERE id = 3")
		changed := dbtest.Dump(t, h.raw)
		u, err := repair.PlanUndo(t.Context(), h.db, h.journal, id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = repair.Undo(t.Context(), h.db, h.journal, u, repair.Refuse)
		requireFault(t, err, fault.Refused, table+" 2 is changed by somebody else: status again instead of", table+" 3 is gone", "--skip-changed")
		dbtest.RequireSame(t, changed, dbtest.Dump(t, h.raw))

		result, err := repair.Undo(t.Context(), h.db, h.journal, u, repair.Skip)
		if err != nil || result.Skipped != 2 || result.Rows != len(u.Rows) {
			t.Fatalf("%+v, %v", result, err)
		}
		if s := h.state(); s != repair.PartlyUndone {
			t.Fatalf("the journal says %q", s)
		}
		for cell, was := range before {
			if strings.HasPrefix(cell, table+" 2 ") || strings.HasPrefix(cell, table+" 3 ") {
				continue
			}
			if is := h.cells()[cell]; is != was {
				t.Errorf("%s is %q and was %q", cell, is, was)
			}
		}
	})
}

// A row that changes between the plan of an undo and the undo stops it.
func TestUndoStopsWhereARowChangesMeanwhile(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, table string) {
		id := h.apply(h.planReplication("8", repair.Options{}))
		u, err := repair.PlanUndo(t.Context(), h.db, h.journal, id)
		if err != nil {
			t.Fatal(err)
		}
		h.exec("UPDATE " + table + " SET status = 'again' WHERE id = 2")
		changed := dbtest.Dump(t, h.raw)
		_, err = repair.Undo(t.Context(), h.db, h.journal, u, repair.Skip)
		requireFault(t, err, fault.Refused, "changed since the plan", table+" 2")
		dbtest.RequireSame(t, changed, dbtest.Dump(t, h.raw))
		if s := h.state(); s != repair.Committed {
			t.Fatalf("the journal says %q", s)
		}
	})
}

// Of two repairs of the same rows the later one is undone first.
func TestRepairsAreUndoneFromTheLastOn(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := dbtest.Dump(t, h.raw)
	first := h.apply(h.planReplication("8", repair.Options{}))
	h.exec("UPDATE task SET status = 'Running', status_code = 2 WHERE id = 2")
	between := dbtest.Dump(t, h.raw)
	second := h.apply(h.planReplication("8", repair.Options{}))
	u, err := repair.PlanUndo(t.Context(), h.db, h.journal, first)
	if err != nil || len(u.Conflicts) == 0 {
		t.Fatalf("conflicts %+v, %v", u.Conflicts, err)
	}
	h.undo(second)
	dbtest.RequireSame(t, between, dbtest.Dump(t, h.raw))
	h.exec("UPDATE task SET status = 'Stopped', status_code = 3 WHERE id = 2")
	h.undo(first)
	dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
}

func TestUndoOfAnotherDatabaseIsRefused(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	id := h.apply(h.planReplication("8", repair.Options{}))
	other := postgres(t, 180, fixture(t, "executions22.sql"))
	_, err := repair.PlanUndo(t.Context(), other.db, h.journal, id)
	requireFault(t, err, fault.Refused, "belongs to database "+h.settings.Database, "connect to the database that was repaired")
}

func TestDamagedJournalIsNeverUndone(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	id := h.apply(h.planReplication("8", repair.Options{}))
	repaired := dbtest.Dump(t, h.raw)
	folder := filepath.Join(h.folder, "repairs", string(id))
	rows := filepath.Join(folder, "rows.jsonl")
	whole, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"one status":  strings.Replace(string(whole), `"Running"`, `"Pending"`, 1),
		"a row less":  string(whole[:strings.LastIndex(strings.TrimSpace(string(whole)), "\n")+1]),
		"cut":         string(whole[:len(whole)/2]),
		"empty":       "",
		"not JSON":    "rows",
		"other table": strings.Replace(string(whole), `"table":0`, `"table":7`, 1),
	} {
		if err := os.WriteFile(rows, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := repair.PlanUndo(t.Context(), h.db, h.journal, id)
		if err == nil {
			t.Fatalf("%s: undone", name)
		}
		requireFault(t, err, fault.Failed, string(id), "damaged")
	}
	plan, err := os.ReadFile(filepath.Join(folder, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rows, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"key": "id"`:            `"key": "uuid"`,
		`"engine": "postgresql"`: `"engine": "oracle"`,
		`"id": "` + string(id):   `"id": "20200101T000000.000Z-000000`,
		`"rows_sha256": "`:       `"rows_sha256": "0`,
		`"format": 1`:            `"format": 0`,
	} {
		damaged := strings.Replace(string(plan), from, to, 1)
		if damaged == string(plan) {
			t.Fatalf("%s is not in the plan", from)
		}
		if err := os.WriteFile(filepath.Join(folder, "plan.json"), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := repair.PlanUndo(t.Context(), h.db, h.journal, id); err == nil {
			t.Fatalf("%s: undone", to)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "plan.json"), []byte(`{"format": 9, "id": "`+string(id)+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = repair.PlanUndo(t.Context(), h.db, h.journal, id)
	requireFault(t, err, fault.Refused, "format 9")
	if s := h.state(); s != repair.Damaged {
		t.Fatalf("the journal says %q", s)
	}
	dbtest.RequireSame(t, repaired, dbtest.Dump(t, h.raw))
}

// Old rows may hold secrets.
// What becomes part of a statement is never taken from a file.
func TestTypesOfAJournalAreNotBelieved(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := dbtest.Dump(t, h.raw)
	id := h.apply(h.planReplication("8", repair.Options{}))
	plan := filepath.Join(h.folder, "repairs", string(id), "plan.json")
	written, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.ReplaceAll(string(written), `"type": "pg_catalog.`, `"type": "text; DROP TABLE task; --`)
	if forged == string(written) {
		t.Fatalf("no types in %s", written)
	}
	if err := os.WriteFile(plan, []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	h.undo(id)
	dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
}

func TestJournalIsForItsOwnerAlone(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	h.apply(h.planExecutions(repair.Options{}, "GARBAGE_COLLECTION"))
	files := 0
	err := filepath.WalkDir(h.folder, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !d.IsDir() {
			files++
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// What a plan shows is on a screen and in logs: no secret of a row is in it.
func TestPlanShowsNoSecret(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	p := h.planExecutions(repair.Options{}, "GARBAGE_COLLECTION")
	if text := marshal(t, p); strings.Contains(text, "secret@redis") || !strings.Contains(text, `"execution"`) {
		t.Fatal(text)
	}
}

func TestRepairIsNamedByPrefixAndAsLatest(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	_, err := h.journal.Resolve(t.Context(), "latest")
	requireFault(t, err, fault.Usage, "no repair")
	first := h.apply(h.planExecutions(repair.Options{}, "GARBAGE_COLLECTION"))
	second := h.apply(h.planExecutions(repair.Options{}, "SCAN_ALL"))
	for name, want := range map[string]repair.ID{string(first): first, string(second): second, string(second)[:24]: second, "latest": second} {
		if got, err := h.journal.Resolve(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	_, err = h.journal.Resolve(t.Context(), "2")
	requireFault(t, err, fault.Usage, "fits 2 repairs")
	_, err = h.journal.Resolve(t.Context(), "19")
	requireFault(t, err, fault.Usage, `no repair "19"`, "repair ls")
	entries, err := h.journal.List(t.Context())
	if err != nil || len(entries) != 2 {
		t.Fatalf("%+v, %v", entries, err)
	}
}

// Show reads back what was planned.
func TestShownRepairIsThePlan(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	p := h.planReplication("8", repair.Options{})
	planned := marshal(t, p)
	entry, shown, err := h.journal.Show(t.Context(), h.apply(p))
	if err != nil || entry.State != repair.Committed {
		t.Fatalf("%+v, %v", entry, err)
	}
	if got := marshal(t, shown); got != planned {
		t.Fatalf("shown\n%s\nand planned\n%s", got, planned)
	}
}
