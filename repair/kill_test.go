package repair_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path"
	"syscall"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/repair"
)

// childVariable holds the orders of a process that is to be killed.
const childVariable = "HARBORDB_TEST_REPAIR_CHILD"

// orders are what a child does and where it dies.
type orders struct {
	Settings database.Settings
	Store    string
	Undo     repair.ID // or a repair of policy 8
	Schema   bool      // or of the schema version
	DieAt    string    // a step of the store; see dying
}

// obey is the child's main.
func obey(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := database.Open(ctx, o.Settings)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := dir.Open(o.Store)
	if err != nil {
		return err
	}
	j := repair.NewJournal(dying{store, o.DieAt}, rand.Reader, "harbordb child")
	if o.Undo != "" {
		u, err := repair.PlanUndo(ctx, db, j, o.Undo)
		if err != nil {
			return err
		}
		_, err = repair.Undo(ctx, db, j, u, repair.Refuse)
		return err
	}
	p, err := repair.PlanReplication(ctx, db, "8", repair.Options{})
	if o.Schema {
		p, err = repair.PlanSchema(ctx, db, "")
	}
	if err != nil {
		return err
	}
	_, err = repair.Apply(ctx, db, j, p)
	return err
}

// dying kills its own process at one step: "create", "write", "commit" or
// "committed" and the name of an object. A write is cut in half.
type dying struct {
	blobstore.Store
	at string
}

func (d dying) reach(step, key string) {
	if d.at == step+" "+path.Base(key) {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (d dying) Create(ctx context.Context, key string, mode blobstore.PutMode) (blobstore.ObjectWriter, error) {
	d.reach("create", key)
	w, err := d.Store.Create(ctx, key, mode)
	return dyingWriter{w, d, key}, err
}

type dyingWriter struct {
	blobstore.ObjectWriter
	d   dying
	key string
}

func (w dyingWriter) Write(p []byte) (int, error) {
	if w.d.at == "write "+path.Base(w.key) {
		_, _ = w.ObjectWriter.Write(p[:len(p)/2])
	}
	w.d.reach("write", w.key)
	return w.ObjectWriter.Write(p)
}

func (w dyingWriter) Commit() error {
	w.d.reach("commit", w.key)
	err := w.ObjectWriter.Commit()
	w.d.reach("committed", w.key)
	return err
}

// child starts a process with orders.
func (h *harbor) child(o orders) *exec.Cmd {
	h.Helper()
	o.Settings, o.Store = h.settings, h.folder
	text, err := json.Marshal(o)
	if err != nil {
		h.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+string(text))
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		h.Fatal(err)
	}
	return command
}

// requireKilled waits for a child and requires that it ended by SIGKILL.
func requireKilled(t testing.TB, command *exec.Cmd) {
	t.Helper()
	var exit *exec.ExitError
	err := command.Wait()
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v", err)
	}
}

// eachKilled runs a test for a generation on each engine.
func eachKilled(t *testing.T, each func(t *testing.T, h *harbor)) {
	t.Run("MariaDB", func(t *testing.T) { each(t, mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql"))) })
	t.Run("PostgreSQL with a trigger", func(t *testing.T) { each(t, postgres(t, 3, fixture(t, "jobs.sql"))) })
	t.Run("PostgreSQL with tasks", func(t *testing.T) { each(t, postgres(t, 180, fixture(t, "executions22.sql"))) })
}

// Wherever a repair is killed, the journal and the rows tell what happened, and
// everything can be put back or made again.
func TestKilledRepairIsToldByTheRows(t *testing.T) {
	steps := []struct {
		at   string
		want repair.State
	}{
		{"create rows.jsonl", ""},
		{"write rows.jsonl", ""},
		{"commit rows.jsonl", ""},
		{"create plan.json", ""},
		{"write plan.json", ""},
		{"committed plan.json", repair.NotCommitted},
		{"create committed.json", repair.Committed},
		{"write committed.json", repair.Committed},
		{"committed committed.json", repair.Committed},
	}
	eachKilled(t, func(t *testing.T, h *harbor) {
		before := dbtest.Dump(t, h.raw)
		for _, step := range steps {
			h.newJournal()
			requireKilled(t, h.child(orders{DieAt: step.at}))
			if got := h.state(); got != step.want {
				t.Fatalf("killed at %q, the journal says %q, want %q", step.at, got, step.want)
			}
			if step.want == repair.Committed {
				h.requireDeletable(8)
				h.undo(h.only())
			}
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
			id := h.apply(h.planReplication("8", repair.Options{}))
			h.requireDeletable(8)
			h.undo(id)
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
		}
	})
}

func TestKilledUndoIsToldByTheRows(t *testing.T) {
	steps := []struct {
		at   string
		want repair.State
	}{
		{"create undoing.json", repair.Committed},
		{"committed undoing.json", repair.Committed},
		{"create undone.json", repair.Undone},
		{"committed undone.json", repair.Undone},
	}
	eachKilled(t, func(t *testing.T, h *harbor) {
		before := dbtest.Dump(t, h.raw)
		for _, step := range steps {
			h.newJournal()
			id := h.apply(h.planReplication("8", repair.Options{}))
			requireKilled(t, h.child(orders{Undo: id, DieAt: step.at}))
			if got := h.state(); got != step.want {
				t.Fatalf("killed at %q, the journal says %q, want %q", step.at, got, step.want)
			}
			h.undo(id) // of no effect where it is done
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
		}
	})
}

// only is the one repair in the journal.
func (h *harbor) only() repair.ID {
	h.Helper()
	id, err := h.journal.Resolve(h.Context(), "latest")
	if err != nil {
		h.Fatal(err)
	}
	return id
}

// gate is an advisory lock of PostgreSQL that the test holds, and at which a
// trigger makes a repair wait.
type gate struct {
	*harbor
	conn *sql.Conn
}

func (h *harbor) closeGate(trigger string) gate {
	h.Helper()
	h.exec(`CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$; ` + trigger)
	conn, err := h.raw.Conn(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { conn.Close() })
	g := gate{h, conn}
	g.run("SELECT pg_advisory_lock(4711)")
	return g
}

func (g gate) run(statement string) {
	g.Helper()
	if _, err := g.conn.ExecContext(g.Context(), statement); err != nil {
		g.Fatal(err)
	}
}

func (g gate) open() {
	g.Helper()
	g.run("SELECT pg_advisory_unlock(4711)")
}

// until waits in the server for a condition on the sessions of a child.
func (h *harbor) until(condition string) {
	h.Helper()
	h.exec(`DO $$ BEGIN
		FOR i IN 1..1500 LOOP
			IF ` + condition + ` THEN RETURN; END IF;
			PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
		END LOOP;
		RAISE EXCEPTION 'it did not come to that';
	END $$`)
}

const (
	childWaits = `EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'harbordb'
		AND wait_event_type = 'Lock')`
	childGone = `NOT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database()
		AND a.application_name = 'harbordb' AND l.mode = 'RowExclusiveLock')`
)

// The process dies while the server is in the middle of its transaction, which
// the server then takes back, or, when it has come to COMMIT, carries through.
func TestRepairKilledInItsTransactionIsWholeOrNothing(t *testing.T) {
	for _, c := range []struct {
		name, trigger string
		want          repair.State
	}{
		{"after the first write",
			"CREATE TRIGGER stop AFTER UPDATE ON task FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()", repair.NotCommitted},
		{"after the last write",
			"CREATE TRIGGER stop AFTER UPDATE ON execution FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()", repair.NotCommitted},
		{"in COMMIT",
			"CREATE CONSTRAINT TRIGGER stop AFTER UPDATE ON execution INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate()", repair.Committed},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := postgres(t, 180, fixture(t, "executions22.sql"))
			g := h.closeGate(c.trigger)
			before := dbtest.Dump(t, h.raw)
			child := h.child(orders{})
			h.until(childWaits)
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			requireKilled(t, child)
			if got := h.state(); got != repair.NotCommitted {
				t.Fatalf("while the server is at work, the journal says %q", got)
			}
			g.open()
			h.until(childGone)
			if got := h.state(); got != c.want {
				t.Fatalf("the journal says %q, want %q", got, c.want)
			}
			if c.want == repair.Committed {
				h.requireDeletable(8)
				h.undo(h.only())
			}
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
		})
	}
}
