package repair_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// What operators do to a database: columns, triggers and policies of their own.

// A generated column follows from the others: it is nothing that a repair or
// its undo would write, or find changed.
func TestGeneratedColumnsFollowTheirRow(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		h := postgres(t, 180, fixture(t, "executions22.sql"))
		h.exec(`ALTER TABLE task ADD COLUMN ended boolean GENERATED ALWAYS AS (status_code = 3) STORED`)
		h.requireThereAndBack()
	})
	t.Run("PostgreSQL 18", func(t *testing.T) {
		h := newHarbor(t, dbtest.PostgreSQLMajor(t, 18), func(db *sql.DB) error {
			return harborsql.BuildPostgreSQL(t.Context(), db, 180)
		}, fixture(t, "executions22.sql"))
		h.exec(`ALTER TABLE task ADD COLUMN ended boolean GENERATED ALWAYS AS (status_code = 3) VIRTUAL`)
		h.requireThereAndBack()
	})
	t.Run("MariaDB", func(t *testing.T) {
		h := mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql"))
		h.exec(`ALTER TABLE replication_job ADD COLUMN ended int AS (status = 'finished') PERSISTENT, ADD COLUMN begun int AS (status = 'running') VIRTUAL`)
		h.requireThereAndBack()
	})
}

// A trigger that an operator has made fire always still does.
func TestHeldOffTriggerComesBackAsItWas(t *testing.T) {
	for _, state := range []string{"ENABLE", "ENABLE ALWAYS", "ENABLE REPLICA", "DISABLE"} {
		h := postgres(t, 3, fixture(t, "jobs.sql"))
		h.exec("ALTER TABLE replication_job " + state + " TRIGGER replication_job_update_time_at_modtime")
		const query = `SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'replication_job_update_time_at_modtime'`
		var before, after string
		h.query(query, nil, &before)
		h.requireThereAndBack()
		h.query(query, nil, &after)
		if after != before {
			t.Errorf("%s: tgenabled %q became %q", state, before, after)
		}
	}
}

// What the server keeps in another form than Harbor's columns would not be
// known by an undo.
func TestColumnOfAnotherTypeStopsTheRepair(t *testing.T) {
	h := mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql"))
	h.exec("ALTER TABLE replication_job MODIFY update_time timestamp(3) NULL")
	before := dbtest.Dump(t, h.raw)
	_, err := repair.Apply(t.Context(), h.db, h.journal, h.planReplication("8", repair.Options{}))
	requireFault(t, err, fault.Refused, "nothing was changed", "replication_job 1 is not what was written: update_time", "column type")
	h.requireNothingDone(before)
}

// Rows that a policy of the server hides are no reason to plan with the rest.
func TestRowsThatAreHiddenStopThePlan(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	role := "hidden_" + h.settings.Database
	h.exec("CREATE ROLE " + role + " LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role + `;
		ALTER TABLE task ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON task USING (id <> 2)`)
	h.finally("DROP OWNED BY " + role + "; DROP ROLE " + role)
	settings := h.settings
	settings.User = role
	_, err := repair.PlanReplication(t.Context(), open(t, settings), "8", repair.Options{})
	requireFault(t, err, fault.Failed, "row-level security", "owns Harbor's tables")
}

// Without a primary key MySQL would lock every row of the table.
func TestTableWithoutItsKeyIsNotLockedWhole(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.MariaDB(t), dbtest.MySQL56(t)} {
		h := mysql(t, server, "1.5.0", fixture(t, "jobs.sql"))
		h.exec("ALTER TABLE replication_job MODIFY id int NOT NULL, DROP PRIMARY KEY")
		before := dbtest.Dump(t, h.raw)
		_, err := repair.Apply(t.Context(), h.db, h.journal, h.planReplication("8", repair.Options{}))
		requireFault(t, err, fault.Refused, "nothing was changed", "replication_job", "primary key (id)")
		h.requireNothingDone(before)
	}
}

func TestViewIsNoTableOfHarbor(t *testing.T) {
	const asView = "ALTER TABLE replication_job RENAME TO jobs_of_old; CREATE VIEW replication_job AS SELECT * FROM jobs_of_old"
	for _, h := range []*harbor{postgres(t, 3, ""), mysql(t, dbtest.MariaDB(t), "1.5.0", "")} {
		h.exec(asView)
		_, err := repair.PlanReplication(t.Context(), h.db, "", repair.Options{})
		requireFault(t, err, fault.Refused, "no table of replication work")
	}
}

// A table that somebody holds altogether is not waited for without end, by a
// plan no more than by a change.
func TestPlanDoesNotWaitForALockWithoutEnd(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *harbor, table string) {
		id := h.apply(h.planReplication("8", repair.Options{}))
		settings := h.settings
		settings.LockTimeout = time.Second
		db := open(t, settings)
		other, err := h.raw.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lock := "BEGIN; LOCK TABLE " + table
		if table == "replication_job" {
			lock = "LOCK TABLES replication_job WRITE"
		}
		if _, err := other.ExecContext(t.Context(), lock); err != nil {
			t.Fatal(err)
		}
		_, err = repair.PlanReplication(t.Context(), db, "8", repair.Options{})
		requireFault(t, err, fault.Refused, table, "--lock-timeout")
		_, err = repair.PlanUndo(t.Context(), db, h.journal, id)
		requireFault(t, err, fault.Refused, table, "--lock-timeout")
		release := "ROLLBACK"
		if table == "replication_job" {
			release = "UNLOCK TABLES"
		}
		if _, err := other.ExecContext(t.Context(), release); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRoleThatMayNotReadIsToldWhichRoleMay(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	role := "blind_" + h.settings.Database
	h.exec("CREATE ROLE " + role + " LOGIN; GRANT SELECT ON schema_migrations, alembic_version, replication_policy, execution TO " + role)
	h.finally("DROP OWNED BY " + role + "; DROP ROLE " + role)
	settings := h.settings
	settings.User = role
	_, err := repair.PlanReplication(t.Context(), open(t, settings), "8", repair.Options{})
	requireFault(t, err, fault.Failed, "permission denied", "task", "owns Harbor's tables")
}

// After an upgrade of Harbor the tables of a repair may be others, or gone.
func TestUndoAfterAnUpgradeSaysWhatIsGone(t *testing.T) {
	h := postgres(t, 41, fixture(t, "executions18.sql"))
	id := h.apply(h.planReplication("8", repair.Options{}))
	for _, c := range []struct{ change, words string }{
		{"ALTER TABLE replication_task RENAME COLUMN operation TO op", "table replication_task has no column operation any more"},
		{"DROP TABLE replication_task", "no table replication_task any more"},
	} {
		h.exec(c.change)
		_, err := repair.PlanUndo(t.Context(), h.db, h.journal, id)
		requireFault(t, err, fault.Refused, c.words, "repair show")
	}
}

// An upgrade that adds columns, or makes one wider, leaves a repair that can be
// undone.
func TestUndoAfterAnUpgradeThatKeepsTheRows(t *testing.T) {
	h := postgres(t, 180, fixture(t, "executions22.sql"))
	before := h.cells()
	id := h.apply(h.planReplication("8", repair.Options{}))
	h.exec("ALTER TABLE task ADD COLUMN priority int NOT NULL DEFAULT 0, ALTER COLUMN status_code TYPE bigint, ALTER COLUMN status TYPE text")
	h.undo(id)
	h.raw = dbtest.Open(t, h.settings) // with no statement prepared for the table as it was
	after := h.cells()
	for cell, was := range before {
		if after[cell] != was {
			t.Errorf("%s is %q and was %q", cell, after[cell], was)
		}
	}
}
