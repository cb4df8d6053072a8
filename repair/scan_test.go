package repair_test

import (
	"testing"

	"github.com/harbordb/harbordb/repair"
)

// On large tables a repair reads each of them once at most, and one of a single
// policy reads none of them whole where an index leads to its rows.
func TestLargeTablesAreReadOnceAtMost(t *testing.T) {
	for _, c := range []struct {
		name    string
		version int
		large   string // the table
		fill    string
		indexed bool // by policy
	}{
		{"1.7", 3, "replication_job", `
			INSERT INTO replication_policy (id, name, project_id, target_id) VALUES (1, 'nightly', 1, 1);
			INSERT INTO replication_job (id, status, policy_id, repository, operation, creation_time, update_time)
			SELECT i, CASE WHEN i % 6000 = 0 THEN 'running' ELSE 'finished' END, 1 + i % 50, 'library/a', 'transfer', '2018-05-04', '2018-05-04'
			FROM generate_series(1, 60000) i`, true},
		{"2.1", 41, "replication_task", `
			INSERT INTO replication_policy (id, name, enabled) VALUES (1, 'nightly', true);
			INSERT INTO replication_execution (id, policy_id, status) SELECT i, 1 + i % 50, CASE WHEN i % 600 = 0 THEN 'InProgress' ELSE 'Succeed' END FROM generate_series(1, 6000) i;
			INSERT INTO replication_task (id, execution_id, status) SELECT i, 1 + i / 10, CASE WHEN i % 6000 = 0 THEN 'InProgress' ELSE 'Succeed' END FROM generate_series(1, 59990) i`, true},
		{"2.2.0, without an index on tasks", 50, "task", newWork, false},
		{"2.15", 180, "task", newWork, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := postgres(t, c.version, c.fill)
			h.exec("ANALYZE")
			for _, policy := range []string{"", "1"} {
				before := h.read(c.large)
				id := h.apply(h.planReplication(policy, repair.Options{}))
				least, most := int64(59990), int64(60000)
				switch {
				case policy != "" && c.indexed:
					least, most = 0, 0
				case c.large == "replication_job":
					least = 0 // an index has the status
				}
				if rows := h.read(c.large) - before; rows < least || rows > most {
					t.Errorf("policy %q: %d rows of %s were read in sequential scans", policy, rows, c.large)
				}
				h.undo(id)
			}
		})
	}
}

const newWork = `
	INSERT INTO replication_policy (id, name, enabled) VALUES (1, 'nightly', true);
	INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, start_time, revision)
	SELECT i, 'REPLICATION', 1 + i % 50, CASE WHEN i % 600 = 0 THEN 'Running' ELSE 'Success' END, 'MANUAL', '2024-01-01', 1 FROM generate_series(1, 6000) i;
	INSERT INTO task (id, execution_id, vendor_type, status, status_code)
	SELECT i, 1 + i / 10, 'REPLICATION', CASE WHEN i % 6000 = 0 THEN 'Running' ELSE 'Success' END, CASE WHEN i % 6000 = 0 THEN 2 ELSE 3 END FROM generate_series(1, 59990) i`

// read is how many rows of a table sequential scans have read so far.
func (h *harbor) read(table string) (rows int64) {
	h.Helper()
	// The sessions of the repair report when they end.
	h.db.Close()
	h.until(`NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'harbordb')`)
	h.db = open(h, h.settings)
	h.query("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = $1", []any{table}, &rows)
	return rows
}
