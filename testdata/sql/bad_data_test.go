package harborsql

import (
	"fmt"
	"testing"
)

// badRows are rows on which Harbor's own migration to a version fails, by the
// version before.
var badRows = []struct {
	what     string
	from, to int
	insert   string
}{
	{"filters of a policy are not JSON", 3, 4, `
		INSERT INTO replication_policy (name, project_id, target_id, filters) VALUES ('p', 1, 1, 'not json')`},
	{"a schedule has no status", 31, 40, `INSERT INTO schedule (job_id) VALUES ('j')`},
	{"data of a retention policy are not JSON while there is a schedule", 31, 40, `
		INSERT INTO schedule (job_id, status) VALUES ('j', 'Pending');
		INSERT INTO retention_policy (data) VALUES ('x')`},
	{"two schedules of one vendor", 41, 50, `
		INSERT INTO schedule (vendor_type, vendor_id) VALUES ('RETENTION', 1), ('RETENTION', 1)`},
	{"two cron entries of one policy", 41, 50, `
		INSERT INTO replication_policy (name) VALUES ('p');
		INSERT INTO replication_schedule_job (status, policy_id) VALUES ('pending', 1), ('pending', 1)`},
	{"two periodic garbage collections", 41, 50, `
		INSERT INTO admin_job (job_name, job_kind, cron_str, status) VALUES
			('IMAGE_GC', 'Periodic', '{}', 'pending'), ('IMAGE_GC', 'Periodic', '{}', 'pending')`},
	{"a cron entry that is not JSON", 41, 50, `
		INSERT INTO admin_job (job_name, job_kind, cron_str, status) VALUES ('IMAGE_SCAN_ALL', 'Periodic', '', 'pending')`},
	{"parameters of a garbage collection are not JSON", 41, 50, `
		INSERT INTO admin_job (job_name, job_kind, job_parameters, status) VALUES ('IMAGE_GC', 'Generic', 'x', 'finished')`},
	{"a retention task has no status", 41, 50, `
		INSERT INTO retention_policy (data) VALUES ('{}');
		INSERT INTO retention_execution (policy_id, trigger) VALUES (1, 'Manual');
		INSERT INTO retention_task (execution_id) VALUES (1)`},
	{"a retention execution has no trigger", 41, 50, `
		INSERT INTO retention_policy (data) VALUES ('{}');
		INSERT INTO retention_execution (policy_id) VALUES (1)`},
	{"the lifetime of robots is no number", 41, 50, `
		INSERT INTO properties (k, v) VALUES ('robot_token_duration', 'a month')`},
	{"a quota of no number", 41, 50, `
		INSERT INTO quota (reference, reference_id, hard) VALUES ('project', 'library', '{}')`},
	{"targets of a webhook are empty", 100, 110, `
		INSERT INTO notification_policy (name, project_id, targets) VALUES ('h', 1, '')`},
	{"targets of a webhook are no array", 100, 110, `
		INSERT INTO notification_policy (name, project_id, targets) VALUES ('h', 1, '{"type":"http"}')`},
	{"two accessories of one subject", 100, 110, `
		INSERT INTO artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type) VALUES
			(1, 'r', 'd', '', 1, '', ''), (1, 's', 'd', '', 2, '', '');
		INSERT INTO artifact_accessory (artifact_id, subject_artifact_id) VALUES (1, 1), (1, 2)`},
	{"an escaped NUL in a task", 110, 111, `
		INSERT INTO execution (vendor_type, trigger) VALUES ('X', '');
		INSERT INTO task (vendor_type, execution_id, status, status_code, extra_attrs) VALUES ('X', 1, '', 0, '{"x":"\u0000"}')`},
	{"a callback of replication without policy", 111, 120, `
		INSERT INTO schedule (vendor_type, vendor_id, callback_func_param) VALUES ('REPLICATION', 1, 'x')`},
	{"a scan of an artifact without number", 111, 120, `
		INSERT INTO execution (vendor_type, trigger, extra_attrs) VALUES ('IMAGE_SCAN', '', '{"artifact":{"id":"x"}}')`},
}

func TestStepsFailOnBadRows(t *testing.T) {
	db := newPostgreSQL(t)
	for _, c := range badRows {
		build(t, db, c.from)
		t.Run(c.what, func(t *testing.T) {
			tx := begin(t, db)
			mustExec(t, tx, c.insert)
			if err := runSteps(t, tx, c.from, c.to); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestFailedStepLeavesItsVersionDirtyAndNothingElse(t *testing.T) {
	bad := badRows[0]
	db := atVersion(t, bad.from)
	mustExec(t, db, bad.insert)
	if err := BuildPostgreSQL(t.Context(), db, bad.to); err == nil {
		t.Fatal("no error")
	}
	if got, want := queryText(t, db, `SELECT version, dirty FROM schema_migrations`), fmt.Sprint(bad.to, " true"); got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
	requireVersion(t, db, bad.from)
}
