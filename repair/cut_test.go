package repair_test

import (
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
)

// commitGate makes a COMMIT wait, and starts a repair that comes to it over a
// proxy.
func commitGate(t *testing.T) (h *harbor, g gate, proxy *dbtest.Proxy, done chan error) {
	t.Helper()
	proxy = dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	h = postgres(t, 180, fixture(t, "executions22.sql"))
	g = h.closeGate("CREATE CONSTRAINT TRIGGER stop AFTER UPDATE ON execution INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate()")
	db := open(t, proxy.Settings(h.settings.Database))
	p := h.planReplication("8", repair.Options{})
	done = make(chan error, 1)
	go func() {
		_, err := repair.Apply(t.Context(), db, h.journal, p)
		done <- err
	}()
	h.until(childWaits)
	return h, g, proxy, done
}

// The server commits, and its answer is lost: the rows are asked.
func TestRepairWhoseCommitIsNotAnsweredIsFoundOut(t *testing.T) {
	h, g, proxy, done := commitGate(t)
	proxy.Pause()
	g.open()
	h.until(childGone)
	proxy.CutNow()
	proxy.Resume()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.requireDeletable(8)
	if s := h.state(); s != repair.Committed {
		t.Fatalf("the journal says %q", s)
	}
}

// The connection breaks before the server has committed; the driver then asks
// the server to give it up.
func TestRepairWhoseCommitIsGivenUpIsFoundOut(t *testing.T) {
	h, _, proxy, done := commitGate(t)
	before := dbtest.Dump(t, h.raw)
	proxy.CutNow()
	requireFault(t, <-done, fault.Failed, "nothing was changed", "broke during COMMIT")
	h.requireNothingDone(before)
}

func TestRepairWhoseServerIsGoneInCommitSaysThatItDoesNotKnow(t *testing.T) {
	h, g, proxy, done := commitGate(t)
	proxy.Down()
	requireFault(t, <-done, fault.Failed, "may or may not be made", "repair ls")
	g.open()
	h.until(childGone)
	if s := h.state(); s != repair.Committed {
		t.Fatalf("the journal says %q", s)
	}
	h.undo(h.only())
}

// The same for an undo.
func TestUndoWhoseCommitIsNotAnsweredIsFoundOut(t *testing.T) {
	proxy := dbtest.NewProxy(t, dbtest.PostgreSQL(t))
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := dbtest.Dump(t, h.raw)
	id := h.apply(h.planReplication("8", repair.Options{}))
	g := h.closeGate("CREATE CONSTRAINT TRIGGER stop AFTER UPDATE ON execution INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate()")
	db := open(t, proxy.Settings(h.settings.Database))
	u, err := repair.PlanUndo(t.Context(), db, h.journal, id)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := repair.Undo(t.Context(), db, h.journal, u, repair.Refuse)
		done <- err
	}()
	h.until(childWaits)
	proxy.Pause()
	g.open()
	h.until(childGone)
	proxy.CutNow()
	proxy.Resume()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
	if s := h.state(); s != repair.Undone {
		t.Fatalf("the journal says %q", s)
	}
}

// The connection is cut after every so many bytes: the repair is made or not,
// and the journal knows it.
func TestRepairOverAConnectionThatIsCutIsWholeOrNothing(t *testing.T) {
	t.Run("MariaDB", func(t *testing.T) {
		cutEverywhere(t, dbtest.MariaDB(t), mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		cutEverywhere(t, dbtest.PostgreSQL(t), postgres(t, 180, fixture(t, "executions22.sql")))
	})
}

func cutEverywhere(t *testing.T, server *dbtest.Server, h *harbor) {
	proxy := dbtest.NewProxy(t, server)
	db := open(t, proxy.Settings(h.settings.Database))
	before := dbtest.Dump(t, h.raw)
	attempt := func() (repair.ID, error) {
		p := h.planReplication("8", repair.Options{})
		result, err := repair.Apply(t.Context(), db, h.journal, p)
		return result.ID, err
	}
	proxy.CutNow() // as before each attempt below
	start := proxy.Passed(dbtest.ToServer)
	id, err := attempt()
	if err != nil {
		t.Fatal(err)
	}
	length := proxy.Passed(dbtest.ToServer) - start
	h.undo(id)
	made := 0
	for _, at := range cutPoints(length) {
		h.newJournal()
		proxy.CutAfter(dbtest.ToServer, at)
		id, err := attempt()
		switch s := h.state(); {
		case err == nil && s == repair.Committed:
			made++
			h.requireDeletable(8)
			h.undo(id)
		case err == nil || s != "" && s != repair.NotCommitted:
			t.Fatalf("cut after %d of %d bytes: the journal says %q, and the error is %v", at, length, s, err)
		}
		dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
	}
	if made == 0 {
		t.Fatal("no cut came after COMMIT")
	}
}

// cutPoints are some along the way and many at its end, around COMMIT.
func cutPoints(length int64) []int64 {
	var points []int64
	for i := range int64(10) {
		points = append(points, 1+i*length/10)
	}
	for back := int64(120); back >= 0; back -= 8 {
		points = append(points, length-back)
	}
	return points
}
