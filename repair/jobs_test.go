package repair_test

import (
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/repair"
)

// eachJobServer runs a test on every engine that releases up to 1.7 ran on.
func eachJobServer(t *testing.T, each func(t *testing.T, h *harbor)) {
	script := fixture(t, "jobs.sql")
	t.Run("MySQL 5.6, Harbor 1.1", func(t *testing.T) { each(t, mysql(t, dbtest.MySQL56(t), "1.1.0", script)) })
	t.Run("MySQL 5.6, Harbor 1.5", func(t *testing.T) { each(t, mysql(t, dbtest.MySQL56(t), "1.5.0", script)) })
	t.Run("MariaDB, Harbor 1.5", func(t *testing.T) { each(t, mysql(t, dbtest.MariaDB(t), "1.5.0", script)) })
	t.Run("PostgreSQL, Harbor 1.6", func(t *testing.T) { each(t, postgres(t, 1, script)) })
	t.Run("PostgreSQL, Harbor 1.7", func(t *testing.T) { each(t, postgres(t, 3, script)) })
}

func TestJobsOfOnePolicyAreFinishedAndNothingElseChanges(t *testing.T) {
	eachJobServer(t, func(t *testing.T, h *harbor) {
		h.exec("DELETE FROM replication_job WHERE operation = 'schedule'") // see the next test
		h.requireRepair(func() *repair.Plan { return h.planReplication("8", repair.Options{}) }, 0, `
replication_job 1 status: pending → finished
replication_job 1 update_time: 2018-05-04 01:00:00 → now
replication_job 14 status: running → finished
replication_job 14 update_time: earlier → now
replication_job 2 status: running → finished
replication_job 2 update_time: 2018-05-04 04:00:00 → now
replication_job 3 status: retrying → finished
replication_job 3 update_time: 2018-05-04 01:00:00 → now
`, 8)
	})
}

func TestJobsOfAllPoliciesAreFinishedButTheYoungOnes(t *testing.T) {
	eachJobServer(t, func(t *testing.T, h *harbor) {
		h.exec("DELETE FROM replication_job WHERE operation = 'schedule'")
		options := repair.Options{OlderThan: repair.Day, As: repair.Stopped}
		h.requireRepair(func() *repair.Plan {
			p := h.planReplication("", options)
			if len(p.LeftAlone) != 1 || p.LeftAlone[0].ID != 14 {
				t.Fatalf("left alone: %+v", p.LeftAlone)
			}
			return p
		}, 0, `
replication_job 1 status: pending → stopped
replication_job 1 update_time: 2018-05-04 01:00:00 → now
replication_job 10 status: running → stopped
replication_job 10 update_time: 2018-05-04 01:00:00 → now
replication_job 11 status: pending → stopped
replication_job 11 update_time: 2018-05-04 01:00:00 → now
replication_job 12 status: pending → stopped
replication_job 12 update_time: 2018-05-04 01:00:00 → now
replication_job 2 status: running → stopped
replication_job 2 update_time: 2018-05-04 04:00:00 → now
replication_job 3 status: retrying → stopped
replication_job 3 update_time: 2018-05-04 01:00:00 → now
`, 9, 3, 77)
	})
}

// Up to 1.3 every row of a policy keeps it; from 1.4 on rows of the operation
// "schedule" are the cron table.
func TestScheduleRowsAreLeftWhereTheyAreTheCronTable(t *testing.T) {
	script := fixture(t, "jobs.sql")
	for _, c := range []struct {
		release string
		planned bool
	}{{"1.3.0", true}, {"1.4.0", false}} {
		t.Run(c.release, func(t *testing.T) {
			h := mysql(t, dbtest.MySQL56(t), c.release, script)
			planned := false
			for _, row := range h.planReplication("8", repair.Options{}).Rows {
				planned = planned || row.Operation == "schedule"
			}
			if planned != c.planned {
				t.Fatalf("planned: %v", planned)
			}
		})
	}
}
