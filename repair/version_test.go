package repair_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
	"github.com/harbordb/harbordb/schema"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func (h *harbor) planSchema(named string) *repair.Plan {
	h.Helper()
	p, err := repair.PlanSchema(h.Context(), h.db, named)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

// recorded is what the version table says.
func (h *harbor) recorded() string {
	h.Helper()
	rec, err := schema.Recorded(h.Context(), h.raw, h.db.Engine())
	if err != nil {
		h.Fatal(err)
	}
	return rec.String()
}

func TestVersionRowsAreSetRightAndPutBack(t *testing.T) {
	for _, c := range []struct {
		version int
		defect  string
		want    string
	}{
		{12, "dirty", "12"},
		{12, "lying", "12"},
		{12, "lying-newer", "12"},
		{31, "dirty", "30"}, // equal catalogs: to run migration 31 again costs nothing
		{120, "emptied", "120"},
		{120, "duplicated", "120"},
		{120, "missing-table", "120"},
		{171, "dirty-next", "170"},
		{180, "unknown-version", "180"},
	} {
		t.Run(fmt.Sprintf("%s at %d", c.defect, c.version), func(t *testing.T) {
			h := postgres(t, c.version, harborsql.Defect(c.defect))
			before := dbtest.Dump(t, h.raw)
			p := h.planSchema("")
			if p.Version == nil || len(p.Rows) != 1 || p.Rows[0].To.String() != c.want || len(p.Version.Decision.Why) == 0 {
				t.Fatalf("plan: %+v", p)
			}
			id := h.apply(p)
			if got := h.recorded(); got != c.want {
				t.Fatalf("recorded is %q, want %q", got, c.want)
			}
			if s := h.state(); s != repair.Committed {
				t.Fatalf("the journal says %q", s)
			}
			if again := h.planSchema(""); !again.Empty() {
				t.Fatalf("repaired, and to be repaired again: %+v", again.Version)
			}
			h.undo(id)
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
			if s := h.state(); s != repair.Undone {
				t.Fatalf("the journal says %q", s)
			}
		})
	}
}

func TestVersionOfTheMySQLEraIsSetRightAndPutBack(t *testing.T) {
	for name, wrong := range map[string]string{
		"another version": "UPDATE alembic_version SET version_num = '1.3.0'",
		"no row":          "DELETE FROM alembic_version",
		"two rows":        "INSERT INTO alembic_version VALUES ('1.4.0')",
	} {
		t.Run(name, func(t *testing.T) {
			h := mysql(t, dbtest.MariaDB(t), "1.5.0", wrong)
			before := dbtest.Dump(t, h.raw)
			id := h.apply(h.planSchema(""))
			if got := h.recorded(); got != "1.5.0" {
				t.Fatalf("recorded is %q", got)
			}
			h.undo(id)
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
		})
	}
}

func TestHonestVersionIsLeftAlone(t *testing.T) {
	for _, h := range []*harbor{postgres(t, 12, ""), postgres(t, 180, ""), mysql(t, dbtest.MariaDB(t), "1.5.0", "")} {
		p := h.planSchema("")
		if !p.Empty() || len(p.Notes) == 0 {
			t.Fatalf("plan: %+v", p)
		}
		before := dbtest.Dump(t, h.raw)
		if _, err := repair.Apply(t.Context(), h.db, h.journal, p); err != nil {
			t.Fatal(err)
		}
		h.requireNothingDone(before)
	}
}

// golang-migrate fails in a migration and goes on to the newest version once
// the row is right and the cause is gone.
func TestMigrationGoesOnAfterTheRepair(t *testing.T) {
	for _, failing := range []int{1, 50, 171} {
		h := newHarbor(t, dbtest.PostgreSQL(t), nothing, "")
		files := fstest.MapFS{}
		for _, m := range schema.Migrations() {
			files[m.File()] = &fstest.MapFile{Data: []byte(harborsql.Step(int(m.Version)))}
			if int(m.Version) == failing {
				files[m.File()].Data = append(files[m.File()].Data, ";\nselect 1/0;"...)
			}
		}
		if err := h.migrate(files); err == nil || !strings.Contains(err.Error(), "division by zero") {
			t.Fatalf("migration %d: %v", failing, err)
		}
		if err := h.migrate(harborsql.MigrationsFS()); err == nil || !strings.Contains(err.Error(), "Dirty database") {
			t.Fatalf("after the failure of %d: %v", failing, err)
		}
		h.apply(h.planSchema(""))
		if err := h.migrate(harborsql.MigrationsFS()); err != nil {
			t.Fatalf("after the repair of %d: %v", failing, err)
		}
	}
}

// migrate runs migrations as core does.
func (h *harbor) migrate(files fs.FS) error {
	h.Helper()
	driver, err := pgx.WithInstance(dbtest.Open(h, h.settings), &pgx.Config{})
	if err != nil {
		h.Fatal(err)
	}
	source, err := iofs.New(files, ".")
	if err != nil {
		h.Fatal(err)
	}
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		h.Fatal(err)
	}
	defer m.Close()
	return m.Up()
}

// data_version belongs to core, which loses its place without it.
func TestDataVersionIsKept(t *testing.T) {
	h := postgres(t, 30, "UPDATE schema_migrations SET dirty = true, data_version = 30")
	h.apply(h.planSchema(""))
	var data int
	h.query("SELECT data_version FROM schema_migrations WHERE version = 30 AND NOT dirty", nil, &data)
	if data != 30 {
		t.Fatalf("data_version is %d", data)
	}
}

func TestNamedVersionOverridesTheEvidenceWithAWarning(t *testing.T) {
	h := postgres(t, 120, harborsql.Defect("dirty"))
	p := h.planSchema("0111")
	if len(p.Notes) != 1 {
		t.Fatalf("notes: %q", p.Notes)
	}
	h.apply(p)
	if got := h.recorded(); got != "111" {
		t.Fatalf("recorded is %q", got)
	}
	for _, named := range []string{"v2.9.0", "-1", "0", "12x"} {
		_, err := repair.PlanSchema(t.Context(), h.db, named)
		requireFault(t, err, fault.Usage, named)
	}
	old := mysql(t, dbtest.MariaDB(t), "1.5.0", "")
	_, err := repair.PlanSchema(t.Context(), old.db, "140")
	requireFault(t, err, fault.Usage, "140", "1.5.0")
}

func TestVersionThatNothingShowsIsLeftToAPerson(t *testing.T) {
	h := postgres(t, 120, harborsql.Defect("merged")+"UPDATE schema_migrations SET dirty = true;")
	_, err := repair.PlanSchema(t.Context(), h.db, "")
	requireFault(t, err, fault.Refused, "left as it is", "--version")
}

// Whichever key a core takes, it and the repair exclude each other.
func TestMigrationThatRunsStopsTheRepairOfTheVersion(t *testing.T) {
	for i := range 3 {
		h := postgres(t, 120, harborsql.Defect("dirty"))
		before := dbtest.Dump(t, h.raw)
		p := h.planSchema("")
		core, err := h.raw.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer core.Close()
		mine := schema.LockKeys(h.settings.Database, "public")[i]
		if _, err := core.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", mine); err != nil {
			t.Fatal(err)
		}
		settings := h.settings
		settings.LockTimeout = 300 * time.Millisecond
		db := open(t, settings)
		_, err = repair.Apply(t.Context(), db, h.journal, p)
		requireFault(t, err, fault.Refused, "migration lock")
		_, err = repair.PlanSchema(t.Context(), db, "")
		requireFault(t, err, fault.Refused, "migration may still be running")
		h.requireNothingDone(before)
	}
}

func TestVersionThatChangedSinceThePlanStopsIt(t *testing.T) {
	h := postgres(t, 120, harborsql.Defect("dirty"))
	p := h.planSchema("")
	h.exec("UPDATE schema_migrations SET version = 130, dirty = false")
	before := dbtest.Dump(t, h.raw)
	_, err := repair.Apply(t.Context(), h.db, h.journal, p)
	requireFault(t, err, fault.Refused, "changed since", "130")
	h.requireNothingDone(before)
}

func TestUndoOfAVersionThatCoreHasChangedIsRefused(t *testing.T) {
	h := postgres(t, 120, harborsql.Defect("dirty"))
	id := h.apply(h.planSchema(""))
	h.exec("UPDATE schema_migrations SET version = 130, dirty = false")
	u, err := repair.PlanUndo(t.Context(), h.db, h.journal, id)
	if err != nil || len(u.Conflicts) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	_, err = repair.Undo(t.Context(), h.db, h.journal, u, repair.Refuse)
	requireFault(t, err, fault.Refused, "130 instead of 120")
}

func TestLockedVersionTableIsNotWaitedForWithoutEnd(t *testing.T) {
	h := postgres(t, 120, harborsql.Defect("dirty"))
	before := dbtest.Dump(t, h.raw)
	p := h.planSchema("")
	other, err := h.raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "LOCK TABLE schema_migrations IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	settings := h.settings
	settings.LockTimeout = 300 * time.Millisecond
	_, err = repair.Apply(t.Context(), open(t, settings), h.journal, p)
	requireFault(t, err, fault.Refused, "nothing was changed", "--lock-timeout")
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	h.requireNothingDone(before)
}

// Killed at each step, the version table tells what happened.
func TestKilledRepairOfTheVersionIsToldByTheTable(t *testing.T) {
	for name, h := range map[string]*harbor{
		"PostgreSQL": postgres(t, 120, harborsql.Defect("duplicated")),
		"MariaDB":    mysql(t, dbtest.MariaDB(t), "1.5.0", "UPDATE alembic_version SET version_num = '1.3.0'"),
	} {
		before := dbtest.Dump(t, h.raw)
		for at, want := range map[string]repair.State{
			"write plan.json":          "",
			"committed plan.json":      repair.NotCommitted,
			"create committed.json":    repair.Committed,
			"committed committed.json": repair.Committed,
		} {
			h.newJournal()
			requireKilled(t, h.child(orders{Schema: true, DieAt: at}))
			if got := h.state(); got != want {
				t.Fatalf("%s, killed at %q: the journal says %q, want %q", name, at, got, want)
			}
			if want == repair.Committed {
				h.undo(h.only())
			}
			dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
		}
	}
}
