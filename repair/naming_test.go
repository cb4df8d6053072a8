package repair_test

import (
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
)

// A number is an id before it is a name, the id of a policy that is gone too.
func TestPolicyIsFoundByIDFirstAndByNameThen(t *testing.T) {
	for _, c := range []struct {
		named, scope string
		rows         int
		notes        int
	}{
		{"8", "policy 8 (nightly)", 4, 1}, // another one is named 8
		{"nightly", "policy 8 (nightly)", 4, 0},
		{"9", "policy 9 (8)", 1, 0},
		{"3", "policy 3 (old), which is deleted", 1, 0},
		{"old", "policy 3 (old), which is deleted", 1, 0},
		{"77", "policy 77, which is gone", 1, 0},
		{"2024", "policy 10 (2024)", 0, 0}, // a name, where no such id exists
		{"008", "policy 11 (008)", 0, 0},   // no way to write an id
		{"99999999999", "policy 12 (99999999999)", 0, 0},
		{"twin", "policy 14 (twin)", 0, 0}, // and a deleted one that had the name before
	} {
		t.Run(c.named, func(t *testing.T) {
			h := mysql(t, dbtest.MariaDB(t), "1.5.0", fixture(t, "jobs.sql"))
			h.exec(`INSERT INTO replication_policy (id, name, project_id, target_id, enabled, deleted) VALUES (10, '2024', 1, 1, true, false),
				(11, '008', 1, 1, true, false), (12, '99999999999', 1, 1, true, false), (13, 'twin', 1, 1, true, true), (14, 'twin', 1, 1, true, false)`)
			p := h.planReplication(c.named, repair.Options{})
			if p.Scope != c.scope || len(p.Rows) != c.rows || len(p.Notes) != c.notes {
				t.Fatalf("%q, %d rows, notes %q", p.Scope, len(p.Rows), p.Notes)
			}
		})
	}
}

func TestPolicyThatIsGoneIsFoundInEveryGeneration(t *testing.T) {
	for version, script := range map[int]string{3: "jobs.sql", 4: "executions18.sql", 180: "executions22.sql"} {
		h := postgres(t, version, fixture(t, script))
		if p := h.planReplication("77", repair.Options{}); p.Scope != "policy 77, which is gone" || p.Policies[0].State != "gone" {
			t.Fatalf("schema %d: %q, %+v", version, p.Scope, p.Policies)
		}
	}
}

func TestUnknownPolicyIsRefusedWithTheOnesThatExist(t *testing.T) {
	for _, version := range []int{3, 41, 180} {
		h := postgres(t, version, "")
		for _, named := range []string{"2147483648", "-1", "99999999999999999999", "+1"} {
			_, err := repair.PlanReplication(t.Context(), h.db, named, repair.Options{})
			requireFault(t, err, fault.Usage, `no replication policy "`+named+`"`)
		}
	}
	h := postgres(t, 1, fixture(t, "jobs.sql"))
	h.exec(`INSERT INTO replication_policy (id, name, project_id, target_id, deleted) VALUES (20, 'twin', 1, 1, false), (21, 'twin', 1, 1, false), (22, 'old', 1, 1, true)`)
	for named, words := range map[string][]string{
		"404":     {`no replication policy "404"`, "8 (nightly)", "9 (8)", "3 (old) deleted"},
		"weekly":  {`no replication policy "weekly"`, "8 (nightly)"},
		"Nightly": {`no replication policy "Nightly"`, "8 (nightly)"},
		"twin":    {"2 replication policies", "20, 21"},
		"old":     {"2 replication policies", "3, 22"},
	} {
		_, err := repair.PlanReplication(t.Context(), h.db, named, repair.Options{})
		requireFault(t, err, fault.Usage, words...)
	}
}

func TestTypesAreNamedInAnyCaseAndSchedulerIsRefused(t *testing.T) {
	for name, want := range map[string]string{"garbage-collection": "GARBAGE_COLLECTION", "SCAN_ALL": "SCAN_ALL", "sbom": "SBOM"} {
		if got, err := repair.ParseVendorType(name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	_, err := repair.ParseVendorType("scheduler")
	requireFault(t, err, fault.Refused, "SCHEDULER", "cron table")
	_, err = repair.ParseVendorType("REPLICATION")
	requireFault(t, err, fault.Usage, "repair replication")
	_, err = repair.ParseVendorType("GC")
	requireFault(t, err, fault.Usage, `"GC"`, "GARBAGE_COLLECTION")
	_, err = repair.ParseOutcome("done")
	requireFault(t, err, fault.Usage, `"done"`, "finished, stopped or failed")
	h := postgres(t, 180, "")
	_, err = repair.PlanExecutions(t.Context(), h.db, []string{"SCHEDULER"}, repair.Options{})
	requireFault(t, err, fault.Usage, "SCHEDULER")
}

func TestDatabasesWithoutSuchWorkAreRefused(t *testing.T) {
	empty := newHarbor(t, dbtest.PostgreSQL(t), nothing, "")
	_, err := repair.PlanReplication(t.Context(), empty.db, "", repair.Options{})
	requireFault(t, err, fault.Failed, "no Harbor database")

	old := mysql(t, dbtest.MariaDB(t), "1.1.0", "DROP TABLE replication_job")
	_, err = repair.PlanReplication(t.Context(), old.db, "", repair.Options{})
	requireFault(t, err, fault.Refused, "no table of replication work")
	_, err = repair.PlanExecutions(t.Context(), old.db, []string{"RETENTION"}, repair.Options{})
	requireFault(t, err, fault.Refused, "older than 2.1")

	first := postgres(t, 40, "")
	_, err = repair.PlanExecutions(t.Context(), first.db, []string{"RETENTION"}, repair.Options{})
	requireFault(t, err, fault.Refused, "P2P_PREHEAT alone")

	merged := postgres(t, 41, "CREATE TABLE replication_job (id int PRIMARY KEY, status text)")
	_, err = repair.PlanReplication(t.Context(), merged.db, "", repair.Options{})
	requireFault(t, err, fault.Refused, "two generations", "schema status")
}
