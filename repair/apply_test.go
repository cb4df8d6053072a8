package repair_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/rand"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// eachEngine runs a test on the engines' most different kinds of work.
func eachEngine(t *testing.T, each func(t *testing.T, h *harbor, table string)) {
	t.Run("MySQL 5.6", func(t *testing.T) {
		each(t, mysql(t, dbtest.MySQL56(t), "1.5.0", fixture(t, "jobs.sql")), "replication_job")
	})
	t.Run("MariaDB", func(t *testing.T) {
		each(t, mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql")), "replication_job")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		each(t, postgres(t, 180, fixture(t, "executions22.sql")), "task")
	})
}

// requireNothingDone requires that an attempt left neither rows nor a journal.
func (h *harbor) requireNothingDone(before dbtest.Contents) {
	h.Helper()
	dbtest.RequireSame(h, before, dbtest.Dump(h, h.raw))
	if s := h.state(); s != "" {
		h.Fatalf("the journal says %q", s)
	}
}

func TestRowsThatChangedSinceThePlanStopIt(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, table string) {
		for _, change := range []string{
			"UPDATE " + table + " SET status = 'Success' WHERE id = 2",
			"UPDATE " + table + " SET status = status, update_time = '2024-01-01 00:00:00' WHERE id = 3",
			"DELETE FROM " + table + " WHERE id = 3",
		} {
			p := h.planReplication("8", repair.Options{})
			h.exec(change)
			before := dbtest.Dump(t, h.raw)
			_, err := repair.Apply(t.Context(), h.db, h.journal, p)
			requireFault(t, err, fault.Refused, "changed since the plan", table, "jobservice is stopped", "run the command again")
			if !errors.Is(err, repair.ErrStale) {
				t.Fatalf("not stale: %v", err)
			}
			h.requireNothingDone(before)
		}
	})
}

// A task that came after the plan is no row of it, but the status of its
// execution was taken without it.
func TestTaskThatCameSinceThePlanStopsIt(t *testing.T) {
	for version, script := range map[int]string{41: "executions18.sql", 180: "executions22.sql"} {
		h := postgres(t, version, fixture(t, script))
		p := h.planReplication("8", repair.Options{})
		if version == 41 {
			h.exec("INSERT INTO replication_task (id, execution_id, status) VALUES (99, 2, 'Pending')")
		} else {
			h.exec("INSERT INTO task (id, execution_id, status, status_code, vendor_type) VALUES (99, 2, 'Pending', 0, 'REPLICATION')")
		}
		before := dbtest.Dump(t, h.raw)
		_, err := repair.Apply(t.Context(), h.db, h.journal, p)
		requireFault(t, err, fault.Refused, "changed since the plan", "execution 2 has other tasks")
		h.requireNothingDone(before)
	}
}

func TestOfTwoRepairsAtOnceOneIsMade(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, _ string) {
		before := dbtest.Dump(t, h.raw)
		const n = 4
		plans := make([]*repair.Plan, n)
		for i := range plans {
			plans[i] = h.planReplication("8", repair.Options{})
		}
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { _, errs[i] = repair.Apply(context.Background(), h.db, h.journal, plans[i]) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			requireFault(t, err, fault.Refused)
		}
		if made != 1 {
			t.Fatalf("%d repairs were made: %v", made, errs)
		}
		h.requireDeletable(8)
		if s := h.state(); s != repair.Committed {
			t.Fatalf("the journal says %q", s)
		}
		h.undo(h.only())
		dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
	})
}

// Somebody holds one of the rows: the wait is bounded.
func TestLockHeldByAnotherIsNotWaitedForWithoutEnd(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, table string) {
		p := h.planReplication("8", repair.Options{})
		before := dbtest.Dump(t, h.raw)
		other, err := h.raw.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Rollback()
		if _, err := other.ExecContext(t.Context(), "SELECT * FROM "+table+" WHERE id = 2 FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		settings := h.settings
		settings.LockTimeout = time.Second
		_, err = repair.Apply(t.Context(), open(t, settings), h.journal, p)
		requireFault(t, err, fault.Refused, "nothing was changed", "--lock-timeout")
		h.requireNothingDone(before)
	})
}

// The trigger of 1.6 and 1.7 can only be held off with the table locked.
func TestTableHeldByAWriterIsNotWaitedForWithoutEnd(t *testing.T) {
	h := postgres(t, 3, fixture(t, "jobs.sql"))
	p := h.planReplication("8", repair.Options{})
	before := dbtest.Dump(t, h.raw)
	other, err := h.raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.ExecContext(t.Context(), "UPDATE replication_job SET tags = 'x' WHERE id = 4"); err != nil {
		t.Fatal(err)
	}
	settings := h.settings
	settings.LockTimeout = 600 * time.Millisecond
	_, err = repair.Apply(t.Context(), open(t, settings), h.journal, p)
	requireFault(t, err, fault.Refused, "hold off trigger", "--lock-timeout")
	h.requireNothingDone(before)
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	h.apply(p)
	h.requireDeletable(8)
	var enabled string
	h.query("SELECT tgenabled FROM pg_trigger WHERE tgname = 'replication_job_update_time_at_modtime'", nil, &enabled)
	if enabled != "O" {
		t.Fatalf("the trigger is %q after the repair", enabled)
	}
}

// finally runs a statement when the test ends.
func (h *harbor) finally(statement string) {
	h.Cleanup(func() {
		if _, err := h.raw.ExecContext(context.Background(), statement); err != nil {
			h.Error(err)
		}
	})
}

func TestRolesWithoutRightsChangeNothing(t *testing.T) {
	const reader = `
		GRANT USAGE ON SCHEMA public TO %[1]s;
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO %[1]s;`
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	role := "reader_" + h.settings.Database
	h.exec("CREATE ROLE " + role + " LOGIN;" + strings.ReplaceAll(reader, "%[1]s", role))
	h.finally("DROP OWNED BY " + role + "; DROP ROLE " + role)
	before := dbtest.Dump(t, h.raw)
	settings := h.settings
	settings.User = role
	db := open(t, settings)
	p, err := repair.PlanReplication(t.Context(), db, "8", repair.Options{})
	if err != nil {
		t.Fatalf("a role that reads may plan: %v", err)
	}
	_, err = repair.Apply(t.Context(), db, h.journal, p)
	requireFault(t, err, fault.Refused, "nothing was changed", "permission denied", "owns Harbor's tables")
	h.requireNothingDone(before)

	h.exec("ALTER ROLE " + role + " SET default_transaction_read_only = on; GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role)
	_, err = repair.Apply(t.Context(), open(t, settings), h.journal, p)
	requireFault(t, err, fault.Refused, "read-only", "primary")
	h.requireNothingDone(before)
}

func TestRoleThatOwnsNoTableCannotHoldOffTheTrigger(t *testing.T) {
	h := postgres(t, 3, fixture(t, "jobs.sql"))
	role := "writer_" + h.settings.Database
	h.exec("CREATE ROLE " + role + " LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role)
	h.finally("DROP OWNED BY " + role + "; DROP ROLE " + role)
	before := dbtest.Dump(t, h.raw)
	settings := h.settings
	settings.User = role
	_, err := repair.Apply(t.Context(), open(t, settings), h.journal, h.planReplication("8", repair.Options{}))
	requireFault(t, err, fault.Refused, "must be owner", "owns Harbor's tables")
	h.requireNothingDone(before)
}

func TestMySQLRoleWithoutRightsChangesNothing(t *testing.T) {
	h := mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql"))
	role := "r" + h.settings.Database
	h.exec("CREATE USER " + role + "@localhost; GRANT SELECT ON " + h.settings.Database + ".* TO " + role + "@localhost")
	h.finally("DROP USER " + role + "@localhost")
	before := dbtest.Dump(t, h.raw)
	settings := h.settings
	settings.User = role
	db := open(t, settings)
	p, err := repair.PlanReplication(t.Context(), db, "8", repair.Options{})
	if err != nil {
		t.Fatalf("a role that reads may plan: %v", err)
	}
	_, err = repair.Apply(t.Context(), db, h.journal, p)
	requireFault(t, err, fault.Refused, "nothing was changed", "owns Harbor's tables")
	h.requireNothingDone(before)
}

// failing is a store in which one object cannot be written.
type failing struct {
	blobstore.Store
	name string
}

func (f failing) Create(ctx context.Context, key string, mode blobstore.PutMode) (blobstore.ObjectWriter, error) {
	w, err := f.Store.Create(ctx, key, mode)
	if strings.HasSuffix(key, f.name) {
		return failingWriter{w}, err
	}
	return w, err
}

type failingWriter struct{ blobstore.ObjectWriter }

func (w failingWriter) Commit() error {
	return errors.Join(errors.New("no space left on device"), w.Abort())
}

func TestRepairWithoutADurableJournalIsNotMade(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := dbtest.Dump(t, h.raw)
	for _, name := range []string{"rows.jsonl", "plan.json"} {
		j := repair.NewJournal(failing{h.store, name}, rand.Reader, "harbordb test")
		_, err := repair.Apply(t.Context(), h.db, j, h.planReplication("8", repair.Options{}))
		requireFault(t, err, fault.Failed, "nothing was changed", "no space left", "--store")
		h.requireNothingDone(before)
	}
}

// After COMMIT a store that fails is a warning: the rows say what happened.
func TestMarksThatCannotBeWrittenAreWarnings(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := dbtest.Dump(t, h.raw)
	j := repair.NewJournal(failing{h.store, "committed.json"}, rand.Reader, "harbordb test")
	result, err := repair.Apply(t.Context(), h.db, j, h.planReplication("8", repair.Options{}))
	if err != nil || len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "the repair is made") {
		t.Fatalf("%+v, %v", result, err)
	}
	if s := h.state(); s != repair.Committed {
		t.Fatalf("the journal says %q", s)
	}
	u, err := repair.PlanUndo(t.Context(), h.db, h.journal, result.ID)
	if err != nil {
		t.Fatal(err)
	}
	j = repair.NewJournal(failing{h.store, "undone.json"}, rand.Reader, "harbordb test")
	if result, err = repair.Undo(t.Context(), h.db, j, u, repair.Refuse); err != nil || len(result.Warnings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
	if s := h.state(); s != repair.Undone {
		t.Fatalf("the journal says %q", s)
	}
}

func TestTableWithoutTransactionsIsNotTouched(t *testing.T) {
	h := mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql")+"ALTER TABLE replication_job ENGINE = MyISAM;")
	before := dbtest.Dump(t, h.raw)
	_, err := repair.Apply(t.Context(), h.db, h.journal, h.planReplication("8", repair.Options{}))
	requireFault(t, err, fault.Refused, "replication_job has the storage engine MyISAM", "alter table")
	h.requireNothingDone(before)
}

// A trigger of somebody's own that changes what the repair writes stops it.
func TestForeignTriggerThatChangesRowsStopsIt(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	h.exec(`CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status_message = 'seen'; RETURN NEW; END $$;
		CREATE TRIGGER meddle BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION meddle()`)
	before := dbtest.Dump(t, h.raw)
	_, err := repair.Apply(t.Context(), h.db, h.journal, h.planReplication("8", repair.Options{}))
	requireFault(t, err, fault.Refused, "nothing was changed", "is not what was written: status_message seen", "trigger")
	h.requireNothingDone(before)
}

func TestCancelledRepairChangesNothing(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	g := h.closeGate("CREATE TRIGGER stop AFTER UPDATE ON task FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()")
	before := dbtest.Dump(t, h.raw)
	ctx, cancel := context.WithCancel(t.Context())
	p := h.planReplication("8", repair.Options{})
	done := make(chan error)
	go func() {
		_, err := repair.Apply(ctx, h.db, h.journal, p)
		done <- err
	}()
	h.until(childWaits)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	g.open()
	h.until(childGone)
	h.requireNothingDone(before)
}

// Nothing is stuck: no plan, no journal.
func TestHealthyWorkIsLeftAlone(t *testing.T) {
	h := postgres(t, 180, "")
	p := h.planReplication("", repair.Options{OlderThan: repair.Day})
	if !p.Empty() || len(p.Rows) > 0 {
		t.Fatalf("plan: %+v", p.Rows)
	}
	before := dbtest.Dump(t, h.raw)
	if result, err := repair.Apply(t.Context(), h.db, h.journal, p); err != nil || result.ID != "" {
		t.Fatalf("%+v, %v", result, err)
	}
	h.requireNothingDone(before)
}

// Rows of every kind of value that a column can hold are repaired and put back.
func TestHostileRowsComeBackAsTheyWere(t *testing.T) {
	for version, stuck := range map[int]string{
		3:   "UPDATE replication_job SET status = 'running', operation = 'transfer'",
		41:  "",
		190: "UPDATE execution SET vendor_type = 'REPLICATION'",
	} {
		h := newHarbor(t, dbtest.PostgreSQL(t), nothing, "")
		if err := harborsql.Fill(t.Context(), h.raw, version); err != nil {
			t.Fatal(err)
		}
		h.exec(stuck)
		h.requireThereAndBack()
	}
	for _, server := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
		h := newHarbor(t, server, nothing, "")
		if err := harborsql.FillMySQL(t.Context(), h.raw, "1.5.0"); err != nil {
			t.Fatal(err)
		}
		h.exec("UPDATE replication_job SET status = 'running', operation = 'transfer'")
		h.requireThereAndBack()
	}
}

func (h *harbor) requireThereAndBack() {
	h.Helper()
	before := dbtest.Dump(h, h.raw)
	p := h.planReplication("", repair.Options{})
	if p.Empty() {
		h.Fatal("nothing is stuck")
	}
	h.undo(h.apply(p))
	dbtest.RequireSame(h, before, dbtest.Dump(h, h.raw))
}
