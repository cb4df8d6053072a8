package repair_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// eachVersion runs a test on the lowest and the highest schema version of a
// generation, and on those between them that changed its tables.
func eachVersion(t *testing.T, versions []int, script string, each func(t *testing.T, h *harbor)) {
	for _, version := range versions {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			each(t, postgres(t, version, fixture(t, script)))
		})
	}
}

func TestExecutionsOf18OfOnePolicyAreStoppedWithTheirTasksCounted(t *testing.T) {
	eachVersion(t, []int{4, 10, 41}, "executions18.sql", func(t *testing.T, h *harbor) {
		h.requireRepair(func() *repair.Plan { return h.planReplication("8", repair.Options{}) }, 0, fixture(t, "executions18.one.txt"), 8)
	})
}

func TestExecutionsOf22OfOnePolicyAreStoppedWithTheirTasks(t *testing.T) {
	eachVersion(t, []int{50, 51, 82, 111, 180, 190}, "executions22.sql", func(t *testing.T, h *harbor) {
		h.requireRepair(func() *repair.Plan { return h.planReplication("8", repair.Options{}) }, 0, fixture(t, "executions22.one.txt"), 8)
	})
}

func TestExecutionsOfAllPoliciesAreRepairedButTheYoungOnes(t *testing.T) {
	for _, c := range []struct {
		name, script string
		version      int
		alone        int
		want         string
	}{
		{"1.8 to 2.1", "executions18.sql", 41, 3, "executions18.all.txt"},
		{"2.2", "executions22.sql", 50, 3, "executions22.all.txt"},
		{"2.3 and later", "executions22.sql", 180, 3, "executions22.all.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := postgres(t, c.version, fixture(t, c.script))
			options := repair.Options{OlderThan: repair.Day, As: repair.Failed}
			h.requireRepair(func() *repair.Plan {
				p := h.planReplication("", options)
				if len(p.LeftAlone) != c.alone {
					t.Fatalf("left alone: %+v", p.LeftAlone)
				}
				return p
			}, 0, fixture(t, c.want), 9, 77)
		})
	}
}

func TestExecutionsOfOtherKindsAreRepairedByType(t *testing.T) {
	for _, c := range []struct {
		types []string
		want  string
	}{
		{[]string{"GARBAGE_COLLECTION"}, `
execution 21 end_time: NULL → now
execution 21 revision: 1 → 2
execution 21 status: Running → Stopped
execution 21 update_time: 2023-03-01 10:00:00 → now
task 21 end_time: NULL → now
task 21 status: Running → Stopped
task 21 status_code: 2 → 3
task 21 update_time: 2023-03-01 10:00:00 → now
`},
		{[]string{"IMAGE_SCAN", "SCAN_ALL"}, `
execution 22 end_time: NULL → now
execution 22 revision: 1 → 2
execution 22 status: Running → Stopped
execution 22 update_time: 2023-03-01 10:00:00 → now
execution 23 end_time: NULL → now
execution 23 revision: 1 → 2
execution 23 status: Running → Stopped
execution 23 update_time: 2023-03-01 10:00:00 → now
task 22 end_time: NULL → now
task 22 status: Running → Stopped
task 22 status_code: 2 → 3
task 22 update_time: 2023-03-01 10:00:00 → now
task 23 end_time: NULL → now
task 23 status: Pending → Stopped
task 23 status_code: 0 → 3
task 23 update_time: 2023-03-01 10:00:00 → now
`},
	} {
		t.Run(c.types[0], func(t *testing.T) {
			h := postgres(t, 180, fixture(t, "executions22.sql"))
			h.requireRepair(func() *repair.Plan { return h.planExecutions(repair.Options{OlderThan: repair.Day}, c.types...) }, 0, c.want)
		})
	}
}

// Harbor 2.1 had executions and tasks for preheating alone, in tables with
// fewer columns and no index.
func TestPreheatingOf21IsRepaired(t *testing.T) {
	for _, version := range []int{40, 41} {
		h := postgres(t, version, `
			INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, start_time, revision) VALUES
				(1, 'P2P_PREHEAT', 3, 'Running', 'MANUAL', '2020-10-01', 0), (2, 'SCHEDULER', 1, NULL, 'MANUAL', '2020-10-01', 0);
			INSERT INTO task (id, execution_id, status, status_code, creation_time, end_time) VALUES
				(1, 1, 'Running', 2, '2020-10-01', NULL), (2, 1, 'Success', 3, '2020-10-01', '2020-10-02'), (3, 2, 'Scheduled', 1, '2020-10-01', NULL)`)
		h.requireRepair(func() *repair.Plan { return h.planExecutions(repair.Options{OlderThan: repair.Day}, "P2P_PREHEAT") }, 0, `
execution 1 end_time: NULL → now
execution 1 revision: 0 → 1
execution 1 status: Running → Stopped
task 1 end_time: NULL → now
task 1 status: Running → Stopped
task 1 status_code: 2 → 3
task 1 update_time: NULL → now
`)
	}
}

// What the dashboard's stop leaves is no reason to say that something is stuck.
func TestYoungTasksWithAWrongCodeAloneAreNotStuck(t *testing.T) {
	h := postgres(t, 180, `
		INSERT INTO execution (id, vendor_type, vendor_id, status, trigger) VALUES (1, 'REPLICATION', 8, 'Stopped', 'MANUAL');
		INSERT INTO task (execution_id, vendor_type, status, status_code) VALUES (1, 'REPLICATION', 'Stopped', 0)`)
	if p := h.planReplication("", repair.Options{OlderThan: repair.Day}); !p.Empty() || len(p.LeftAlone) > 0 {
		t.Fatalf("%+v, left alone %+v", p.Rows, p.LeftAlone)
	}
	if p := h.planReplication("8", repair.Options{}); len(p.Rows) != 1 {
		t.Fatalf("%+v", p.Rows)
	}
}

// A final execution whose tasks disagree with it blocks nothing, and stays as
// it is where only the code of a task is put right.
func TestFinalExecutionStaysWhereNoTaskGetsAnotherStatus(t *testing.T) {
	h := postgres(t, 180, `
		INSERT INTO execution (id, vendor_type, vendor_id, status, trigger) VALUES (1, 'RETENTION', 8, 'Success', 'Manual');
		INSERT INTO task (id, execution_id, vendor_type, status, status_code, creation_time) VALUES (1, 1, 'RETENTION', 'Error', 0, '2024-01-01')`)
	h.requireRepair(func() *repair.Plan { return h.planExecutions(repair.Options{OlderThan: repair.Day}, "RETENTION") }, 0, `
task 1 status_code: 0 → 3
`)
}

// An execution that somebody has worked on within the day is not stuck, though
// it began long ago.
func TestExecutionWhoseLastTaskHasJustEndedIsLeftAlone(t *testing.T) {
	h := postgres(t, 41, strings.ReplaceAll(`
		INSERT INTO replication_execution (id, policy_id, status, start_time) VALUES (1, 8, 'InProgress', '2020-01-01');
		INSERT INTO replication_task (id, execution_id, status, start_time, end_time) VALUES (1, 1, 'Succeed', '2020-01-01', '@now@')`,
		"@now@", time.Now().UTC().Format(time.DateTime)))
	if p := h.planReplication("", repair.Options{OlderThan: repair.Day}); !p.Empty() || len(p.LeftAlone) != 1 {
		t.Fatalf("%+v, left alone %+v", p.Rows, p.LeftAlone)
	}
}

func TestOldestAndNewestServersAreRepaired(t *testing.T) {
	for major, c := range map[int]struct {
		version int
		script  string
	}{10: {3, "jobs.sql"}, 18: {190, "executions22.sql"}} {
		h := newHarbor(t, dbtest.PostgreSQLMajor(t, major), func(db *sql.DB) error {
			return harborsql.BuildPostgreSQL(t.Context(), db, c.version)
		}, fixture(t, c.script))
		before := dbtest.Dump(t, h.raw)
		id := h.apply(h.planReplication("8", repair.Options{}))
		h.requireDeletable(8)
		h.undo(id)
		dbtest.RequireSame(t, before, dbtest.Dump(t, h.raw))
	}
}
