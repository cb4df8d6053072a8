package harborsql

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
)

// data is one check of what steps make of rows: insert at version from, step up
// to version to, ask.
type data struct {
	what     string
	from, to int
	insert   string
	query    string
	want     string
}

func TestStepsConvertRowsAsHarborDid(t *testing.T) {
	cases := slices.Concat(conversionsOf1x, conversionsOf2x)
	slices.SortStableFunc(cases, func(a, b data) int { return a.from - b.from })
	db := newPostgreSQL(t)
	for _, c := range cases {
		build(t, db, c.from)
		t.Run(c.what, func(t *testing.T) {
			tx := begin(t, db)
			mustExec(t, tx, c.insert)
			if err := runSteps(t, tx, c.from, c.to); err != nil {
				t.Fatal(err)
			}
			if got := queryText(t, tx, c.query); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// ownSequences gives a transaction sequences of its own, at the values where
// they are: nextval is not undone by a rollback, but what ALTER SEQUENCE
// replaced comes back.
const ownSequences = `
	DO $$
	DECLARE
		s record;
	BEGIN
		FOR s IN SELECT c.oid::regclass AS name, p.last_value, p.start_value
				FROM pg_class c JOIN pg_sequences p ON p.sequencename = c.relname
				WHERE c.relkind = 'S' AND c.relnamespace = current_schema()::regnamespace
		LOOP
			EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', s.name, COALESCE(s.last_value + 1, s.start_value));
		END LOOP;
	END
	$$`

// begin starts a transaction that is rolled back when the test ends, so that
// one database of a version serves many tests.
func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	mustExec(t, tx, ownSequences)
	return tx
}

// runSteps runs the steps above version from, up to version to.
func runSteps(t *testing.T, q database.Querier, from, to int) error {
	t.Helper()
	for _, version := range PostgreSQLVersions() {
		if version <= from || version > to {
			continue
		}
		if _, err := q.ExecContext(t.Context(), Step(version)); err != nil {
			return fmt.Errorf("step to %d: %w", version, err)
		}
	}
	return nil
}

const jobsOf17 = `
	INSERT INTO replication_target (name) VALUES ('t');
	INSERT INTO replication_policy (name, project_id, target_id, filters) VALUES ('p', 1, 1, '');
	INSERT INTO replication_job (status, policy_id, repository, operation, tags)
	SELECT s, 1, 'library/' || s, 'transfer', 'v1'
	FROM unnest(ARRAY['pending', 'running', 'scheduled', 'error', 'finished', 'stopped', 'canceled', 'retrying']) s;`

var conversionsOf1x = []data{
	{
		what: "duplicate names of policies, targets and groups are numbered", from: 1, to: 5,
		insert: `
			INSERT INTO replication_target (name) VALUES ('t'), ('t'), (NULL), (NULL);
			INSERT INTO replication_policy (name, project_id, target_id) VALUES ('p', 1, 1), ('q', 1, 1), ('p', 1, 1), ('p', 1, 1);
			INSERT INTO user_group (group_name, ldap_group_dn) VALUES ('g', ''), ('g', '');`,
		query: `SELECT (SELECT string_agg(name, ' ' ORDER BY id) FROM registry),
			(SELECT string_agg(name, ' ' ORDER BY id) FROM replication_policy),
			(SELECT string_agg(group_name, ' ' ORDER BY id) FROM user_group)`,
		want: "t t_2 p q p_2 p_3 g g_2",
	},
	{
		what: "jobs of 1.7 become tasks with the words of 1.8", from: 3, to: 5, insert: jobsOf17,
		query: `SELECT t.src_resource, t.status, e.status, e.total, e.end_time
			FROM replication_task t JOIN replication_execution e ON e.id = t.execution_id ORDER BY t.id`,
		want: strings.Join([]string{
			"library/pending:[v1] Pending NULL 0 NULL",
			"library/running:[v1] InProgress NULL 0 NULL",
			"library/scheduled:[v1] InProgress NULL 0 NULL",
			"library/error:[v1] Failed NULL 0 NULL",
			"library/finished:[v1] Succeed NULL 0 NULL",
			"library/stopped:[v1] stopped NULL 0 NULL",
			"library/canceled:[v1] canceled NULL 0 NULL",
			"library/retrying:[v1] retrying NULL 0 NULL",
		}, "\n"),
	},
	{
		what: "jobs of 1.7 end as executions, three of them running for ever", from: 3, to: 180, insert: jobsOf17,
		query: `SELECT t.extra_attrs ->> 'source_resource', e.status, t.status, t.status_code, e.vendor_id, e.trigger
			FROM task t JOIN execution e ON e.id = t.execution_id WHERE e.vendor_type = 'REPLICATION' ORDER BY t.id`,
		want: strings.Join([]string{
			"library/pending:[v1] Running Pending 0 1 MANUAL",
			"library/running:[v1] Running Running 2 1 MANUAL",
			"library/scheduled:[v1] Running Running 2 1 MANUAL",
			"library/error:[v1] Error Error 3 1 MANUAL",
			"library/finished:[v1] Success Success 3 1 MANUAL",
			"library/stopped:[v1] Running Pending 0 1 MANUAL",
			"library/canceled:[v1] Running Pending 0 1 MANUAL",
			"library/retrying:[v1] Running Pending 0 1 MANUAL",
		}, "\n"),
	},
	{
		what: "what core stored in 1.8 for a stopped job wins over its task", from: 5, to: 50,
		insert: `
			INSERT INTO registry (name) VALUES ('r');
			INSERT INTO replication_policy (name, trigger) VALUES ('p', '');
			INSERT INTO replication_execution (policy_id, status, trigger) VALUES (1, 'Succeed', 'event_based');
			INSERT INTO replication_task (execution_id, status) VALUES (1, 'stopped');`,
		query: `SELECT e.status, e.trigger, t.status, t.status_code FROM execution e JOIN task t ON t.execution_id = e.id`,
		want:  "Success EVENT Pending 0",
	},
	{
		what: "deleted policies go with their jobs, schedules stay, projects become filters", from: 3, to: 4,
		insert: `
			INSERT INTO replication_policy (name, project_id, target_id, deleted, filters) VALUES
				('gone', 1, 1, true, NULL), ('kept', 1, 1, false, '[{"kind":"tag","value":"v*"}]');
			INSERT INTO replication_job (status, policy_id, repository, operation, job_uuid) VALUES
				('pending', 1, 'a', 'transfer', 'x'), ('pending', 2, '', 'schedule', 'y');`,
		query: `SELECT string_agg(p.name || p.filters || p.override, ' '), (SELECT count(*) FROM replication_task),
			(SELECT string_agg(policy_id || status || job_id, ' ') FROM replication_schedule_job) FROM replication_policy p`,
		want: `kept[{"kind": "tag", "value": "v*"}, {"type": "name", "value": "library/**"}]true 0 2pendingy`,
	},
	{
		what: "a daily scan becomes a periodic job", from: 3, to: 5,
		insert: `INSERT INTO properties (k, v) VALUES ('scan_all_policy', '{"type":"daily","parameter":{"daily_time":7260}}')`,
		query:  `SELECT job_name, job_kind, cron_str, status, (SELECT count(*) FROM properties) FROM admin_job`,
		want:   `IMAGE_SCAN_ALL Periodic {"type" : "Daily", "cron" : "0 1 2 * * *"} pending 0`,
	},
	{
		what: "projects that live get a quota, deleted metadata goes, passwords are SHA-1", from: 5, to: 11,
		insert: `
			INSERT INTO project (owner_id, name, deleted) VALUES (1, 'gone#2', true), (1, 'team', false);
			INSERT INTO project_metadata (project_id, name, value, deleted) VALUES (3, 'public', 'true', true);`,
		query: `SELECT (SELECT string_agg(reference_id || hard, ' ' ORDER BY id) FROM quota),
			(SELECT string_agg(reference_id || used, ' ' ORDER BY id) FROM quota_usage),
			(SELECT count(*) FROM project_metadata), (SELECT string_agg(DISTINCT password_version, ' ') FROM harbor_user)`,
		want: `1{"count": -1, "storage": -1} 3{"count": -1, "storage": -1} ` +
			`1{"count": 0, "storage": 0} 3{"count": 0, "storage": 0} 1 sha1`,
	},
}

var conversionsOf2x = []data{
	{
		what: "tags of one image become tags of one artifact, what has no row is marked", from: 15, to: 30,
		insert: `
			INSERT INTO repository (name, project_id) VALUES ('library/app', 1);
			INSERT INTO blob (digest, content_type, size) VALUES ('sha256:a', 'application/vnd.docker.distribution.manifest.v2+json', 1);
			INSERT INTO artifact (project_id, repo, tag, digest, kind) VALUES
				(1, 'library/app', 'v1', 'sha256:a', 'Docker-Image'), (1, 'library/app', 'v2', 'sha256:a', 'Docker-Image'),
				(1, 'library/app', 'v3', 'sha256:b', 'Docker-Image'), (1, 'library/lost', 'v1', 'sha256:a', 'Docker-Image');`,
		query: `SELECT a.id, a.repository_id, a.type, a.media_type, a.manifest_media_type, string_agg(t.name, ',' ORDER BY t.name)
			FROM artifact a JOIN tag t ON t.artifact_id = a.id AND t.repository_id = a.repository_id GROUP BY a.id ORDER BY a.id`,
		want: strings.Join([]string{
			"1 1 IMAGE application/vnd.docker.container.image.v1+json application/vnd.docker.distribution.manifest.v2+json v1,v2",
			"3 1 IMAGE UNKNOWN UNKNOWN v3",
			"4 -4 IMAGE UNKNOWN UNKNOWN v1",
		}, "\n"),
	},
	{
		what: "repositories without row are made, and their artifacts moved there", from: 15, to: 31,
		insert: `
			INSERT INTO artifact (project_id, repo, tag, digest, kind) VALUES
				(1, 'library/lost', 'v1', 'sha256:a', 'x'), (1, 'library/lost', 'v2', 'sha256:b', 'x');`,
		query: `SELECT a.repository_id, r.name, a.media_type, t.name, t.repository_id FROM artifact a
			JOIN repository r USING (repository_id) JOIN tag t ON t.artifact_id = a.id ORDER BY a.id`,
		want: "1 library/lost UNKNOWN v1 1\n1 library/lost UNKNOWN v2 1",
	},
	{
		what: "labels, logs, quotas, webhooks and scanners move to 2.0", from: 15, to: 30,
		insert: `
			INSERT INTO repository (name, project_id) VALUES ('library/app', 1);
			INSERT INTO artifact (project_id, repo, tag, digest, kind) VALUES (1, 'library/app', 'v1', 'sha256:a', 'x');
			INSERT INTO harbor_label (name, level, scope) VALUES ('l', 'u', 'g');
			INSERT INTO harbor_resource_label (label_id, resource_name, resource_type) VALUES
				(1, 'library/app:v1', 'i'), (1, 'library/app:gone', 'i'), (1, 'library/app', 'r');
			INSERT INTO access_log (username, project_id, repo_name, repo_tag, operation) VALUES
				('u', 1, 'library/app', 'v1', 'push'), ('u', 1, 'library/', 'N/A', 'create'), ('u', 1, 'library/app', 'N/A', 'delete');
			INSERT INTO notification_policy (name, project_id, event_types) VALUES ('', 1, '["pushImage"]');
			INSERT INTO scanner_registration (uuid, url, name, auth, immutable) VALUES ('u1', 'a', 'Clair', '', false), ('u2', 'b', 'Trivy', '', true);`,
		query: `SELECT (SELECT string_agg(label_id || ':' || artifact_id, ' ') FROM label_reference),
			(SELECT string_agg(resource_type, '') FROM harbor_resource_label),
			(SELECT string_agg(operation || ' ' || resource_type || ' ' || resource, ', ' ORDER BY id) FROM audit_log),
			(SELECT hard FROM quota), (SELECT used FROM quota_usage), (SELECT name || (event_types LIKE '%PULL_ARTIFACT%') FROM notification_policy),
			(SELECT string_agg(name, ' ' ORDER BY id) FROM scanner_registration)`,
		want: `1:1 r push artifact library/app:v1, create project library, delete repository library/app ` +
			`{"storage": -1} {"storage": 0} policy_1true Clair-u1 Trivy`,
	},
	{
		what: "schedules of 2.0 get an execution without status", from: 31, to: 40, insert: scheduleOf20,
		query: `SELECT s.vendor_type, s.vendor_id, s.cron, s.callback_func_param, e.vendor_type, e.trigger, e.status, e.revision, t.status, t.status_code, t.job_id
			FROM schedule s JOIN execution e ON e.vendor_id = s.id JOIN task t ON t.execution_id = e.id`,
		want: `RETENTION 1 0 0 4 * * * {"PolicyID" : 1, "Trigger" : "Schedule"} SCHEDULER MANUAL NULL NULL Scheduled 1 j`,
	},
	{
		what: "2.1.4 gives those executions a status", from: 31, to: 41, insert: scheduleOf20,
		query: `SELECT status, revision FROM execution`, want: "Scheduled 0",
	},
	{
		what: "2.1 marks whether the manifests were read", from: 31, to: 40,
		insert: `INSERT INTO artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, extra_attrs)
			VALUES (1, 'r', 'd', 'IMAGE', 1, 'm', 'm', '{}');
			UPDATE role SET name = 'master' WHERE name = 'maintainer';
			INSERT INTO registry (name, type) VALUES ('q', 'quay-io');
			INSERT INTO project_metadata (project_id, name, value) VALUES (1, 'reuse_sys_cve_whitelist', 'true');`,
		query: `SELECT version, (SELECT string_agg(name, ' ' ORDER BY role_id) FROM role), (SELECT type FROM registry),
			(SELECT string_agg(name, ' ' ORDER BY id) FROM project_metadata) FROM data_migrations`,
		want: "30 projectAdmin developer guest maintainer limitedGuest quay public reuse_sys_cve_allowlist",
	},
	{
		what: "roles get the ids that core relies on", from: 41, to: 50,
		insert: `UPDATE role SET role_id = 100 + role_id WHERE role_id > 3;
			UPDATE role SET role_id = CASE name WHEN 'maintainer' THEN 5 ELSE 4 END WHERE role_id > 100;`,
		query: `SELECT string_agg(role_id || name, ' ' ORDER BY role_id) FROM role`,
		want:  "1projectAdmin 2developer 3guest 4maintainer 5limitedGuest",
	},
	{
		what: "retention, garbage collection and scans become executions", from: 41, to: 50, insert: jobsOf21,
		query: `SELECT e.vendor_type, e.vendor_id, e.status, e.trigger, e.extra_attrs, t.status, t.status_code, t.vendor_type
			FROM execution e LEFT JOIN task t ON t.execution_id = e.id ORDER BY e.vendor_type, e.id, t.id`,
		want: strings.Join([]string{
			`GARBAGE_COLLECTION -1 Success MANUAL {"redis_url_reg":"redis://:secret@redis"} Success 3 GARBAGE_COLLECTION`,
			`RETENTION 1 Succeed Manual {"dry_run" : true} Error 3 RETENTION`,
			`RETENTION 1 Succeed Manual {"dry_run" : true} Running 2 RETENTION`,
			`SCHEDULER 1 Running MANUAL NULL Running 2 SCHEDULER`,
			`SCHEDULER 2 Running MANUAL NULL Pending 0 SCHEDULER`,
		}, "\n"),
	},
	{
		what: "schedules of 2.1 move into one table", from: 41, to: 52, insert: jobsOf21,
		query: `SELECT vendor_type, vendor_id, cron, cron_type, callback_func_name, callback_func_param, revision FROM schedule ORDER BY vendor_type`,
		want: `REPLICATION 1 0 0 1 * * * NULL REPLICATION_CALLBACK 1 0` + "\n" +
			`SCAN_ALL 0 0 0 0 * * * Daily scanAll  0`,
	},
	{
		what: "2.2.1 corrects the word for retention that succeeded", from: 41, to: 51, insert: jobsOf21,
		query: `SELECT status FROM execution WHERE vendor_type = 'RETENTION'`, want: "Success",
	},
	{
		what: "2.2 counts sizes anew and drops what belongs to nothing", from: 41, to: 50,
		insert: `
			INSERT INTO project (owner_id, name, deleted) VALUES (1, 'gone#2', true);
			INSERT INTO quota (reference, reference_id, hard) VALUES ('project', '2', '{}');
			INSERT INTO quota_usage (reference, reference_id, used) VALUES ('project', '2', '{}');
			INSERT INTO blob (digest, content_type, size) VALUES ('a', '', 3000000000), ('b', '', 5);
			INSERT INTO artifact_blob (digest_af, digest_blob) VALUES ('a', 'a'), ('a', 'b');
			INSERT INTO artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, size) VALUES
				(1, 'r', 'a', 'IMAGE', 1, '', '', 0), (1, 'r', 'none', 'IMAGE', 1, '', '', 0), (1, 'r', 'kept', 'IMAGE', 1, '', '', 7);
			INSERT INTO properties (k, v) VALUES ('robot_token_duration', '43200');
			INSERT INTO scanner_registration (uuid, url, name, auth, immutable, is_default) VALUES ('c', 'a', 'Clair', '', true, true), ('t', 'b', 'Trivy', '', true, false);
			INSERT INTO scan_report (uuid, digest, registration_uuid, mime_type, status) VALUES ('r', 'a', 'c', 'm', 'Success');
			INSERT INTO replication_execution (policy_id, status) VALUES (99, 'InProgress');
			INSERT INTO replication_task (execution_id, status) VALUES (99, 'InProgress');`,
		query: `SELECT (SELECT string_agg(digest || '=' || COALESCE(size::text, 'NULL'), ' ' ORDER BY id) FROM artifact),
			(SELECT count(*) FROM quota), (SELECT count(*) FROM quota_usage), (SELECT v FROM properties),
			(SELECT string_agg(name || is_default, ' ') FROM scanner_registration), (SELECT count(*) FROM scan_report),
			(SELECT count(*) FROM execution), (SELECT count(*) FROM cve_allowlist WHERE project_id = 1)`,
		want: "a=3000000005 none=NULL kept=7 1 1 30 Trivytrue 0 0 1",
	},
	{
		what: "small repairs from 2.3 to 2.5", from: 53, to: 80,
		insert: `
			UPDATE harbor_user SET email = '' WHERE user_id = 1;
			INSERT INTO replication_policy (name, dest_namespace) VALUES ('p', 'x'), ('q', ''), ('r', NULL);
			INSERT INTO project_member (project_id, entity_id, entity_type, role) VALUES (1, 2, 'u', 1), (1, 2, 'g', 1);
			INSERT INTO retention_policy (create_time) VALUES ('12:30:00');`,
		query: `SELECT (SELECT count(*) FROM harbor_user WHERE email = ''),
			(SELECT string_agg(COALESCE(dest_namespace_replace_count::text, 'NULL'), ' ' ORDER BY id) FROM replication_policy),
			(SELECT string_agg(entity_id || entity_type, ' ' ORDER BY id) FROM project_member),
			(SELECT create_time = CURRENT_DATE + time '12:30' FROM retention_policy)`,
		want: "0 -1 NULL NULL 1u 2g true",
	},
	{
		what: "executions that 2.5.2 forgot are finished", from: 81, to: 82,
		insert: `
			INSERT INTO execution (vendor_type, status, trigger, revision) VALUES ('X', 'Running', '', 4), ('X', 'Running', '', 4), ('X', 'Running', '', 4);
			INSERT INTO task (vendor_type, execution_id, status, status_code, end_time) VALUES
				('X', 1, 'Success', 3, '2022-01-01'), ('X', 1, 'Success', 3, '2022-01-02'), ('X', 2, 'Success', 3, NULL), ('X', 2, 'Error', 3, NULL);`,
		query: `SELECT status, revision, end_time::date::text FROM execution ORDER BY id`,
		want:  "Success 5 2022-01-02\nRunning 4 NULL\nRunning 4 NULL",
	},
	{
		what: "2.8 moves webhooks and drops charts and loose blobs", from: 100, to: 110,
		insert: `
			INSERT INTO notification_policy (name, project_id, targets, event_types) VALUES
				('h', 1, '[{"type":"http","address":"x"},{"type":"slack"}]', '["UPLOAD_CHART","PUSH_ARTIFACT"]'), ('c', 1, NULL, '["DELETE_CHART"]');
			INSERT INTO notification_job (policy_id, status, event_type, notify_type, creation_time, job_uuid) VALUES
				(1, 'finished', 'PUSH', 'http', '2022-01-01', 'old'), (1, 'error', 'PUSH', 'http', '2022-01-02', 'new'),
				(1, 'pending', 'PUSH', 'http', '2022-01-03', 'open'), (1, 'stopped', 'PULL', 'slack', '2022-01-01', 'slack');
			INSERT INTO blob (digest, content_type, size) VALUES ('a', '', 1);
			INSERT INTO artifact_blob (digest_af, digest_blob) VALUES ('a', 'a'), ('lost', 'a');
			INSERT INTO artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type) VALUES
				(1, 'r', 'subject', 'IMAGE', 1, '', ''), (1, 'r', 'signature', 'SIGNATURE', 1, '', '');
			INSERT INTO artifact_accessory (artifact_id, subject_artifact_id) VALUES (2, 1);
			INSERT INTO permission_policy (scope, resource) VALUES ('s', 'helm-chart'), ('s', 'repository');
			INSERT INTO role_permission (role_type, role_id, permission_policy_id) VALUES ('r', 1, 1), ('r', 1, 2);
			INSERT INTO replication_policy (name, filters) VALUES ('p', '[{"type":"resource","value":"chart"}]'), ('q', '[]');`,
		query: `SELECT (SELECT string_agg(concat(targets, event_types, enabled), ' ' ORDER BY id) FROM notification_policy),
			(SELECT string_agg(e.vendor_type || e.vendor_id || e.status || t.job_id, ' ' ORDER BY t.job_id) FROM execution e JOIN task t ON t.execution_id = e.id),
			(SELECT string_agg(digest_af, ' ') FROM artifact_blob), (SELECT subject_artifact_digest || subject_artifact_repo FROM artifact_accessory),
			(SELECT string_agg(resource, ' ') FROM permission_policy), (SELECT count(*) FROM role_permission),
			(SELECT string_agg(name || enabled, ' ' ORDER BY id) FROM replication_policy)`,
		want: `[{"type": "http", "address": "x", "payload_format": "Default"}, {"type": "slack"}]["PUSH_ARTIFACT"]t []f ` +
			`WEBHOOK1Errornew SLACK1Stoppedslack a subjectr repository 1 pfalse qtrue`,
	},
	{
		what: "2.9 counts vulnerabilities and ties scans to artifacts", from: 111, to: 120,
		insert: `
			INSERT INTO scanner_registration (uuid, url, name, auth) VALUES ('s', 'u', 'n', '');
			INSERT INTO scan_report (uuid, digest, registration_uuid, mime_type) VALUES ('r', 'd', 's', 'm'), ('empty', 'e', 's', 'm');
			INSERT INTO vulnerability_record (cve_id, registration_uuid, severity, vendor_attributes) VALUES
				('1', 's', 'Critical', '{"CVSS":{"nvd":{"V3Score":9.8}}}'), ('2', 's', 'Low', NULL), ('3', 's', 'Low', NULL);
			INSERT INTO report_vulnerability_record (report_uuid, vuln_record_id) VALUES ('r', 1), ('r', 2), ('r', 3);
			INSERT INTO execution (vendor_type, vendor_id, trigger, extra_attrs) VALUES
				('IMAGE_SCAN', 1, '', '{"artifact":{"id":77}}'), ('IMAGE_SCAN', 1, '', NULL);
			INSERT INTO schedule (vendor_type, vendor_id, callback_func_param) VALUES ('REPLICATION', 7, '7'), ('REPLICATION', 8, '{"policy_id":8}');`,
		query: `SELECT (SELECT string_agg(concat_ws(',', uuid, critical_cnt, high_cnt, low_cnt, fixable_cnt), ' ' ORDER BY id) FROM scan_report),
			(SELECT cvss_score_v3 FROM vulnerability_record WHERE id = 1), (SELECT string_agg(vendor_id::text, ' ' ORDER BY id) FROM execution),
			(SELECT string_agg(callback_func_param, ' ' ORDER BY id) FROM schedule)`,
		want: `r,1,0,2 empty,0,0,0 9.8 77 1 {"policy_id" : 7} {"policy_id":8}`,
	},
	{
		what: "2.14.1 keeps the audit log where there is one", from: 170, to: 171,
		insert: `SELECT setval('audit_log_id_seq', 2)`,
		query:  `SELECT k, v FROM properties`, want: "skip_audit_log_database false",
	},
	{
		what: "2.14.1 says nothing of a log that was never used", from: 170, to: 171,
		insert: `SELECT setval('audit_log_id_seq', 1)`,
		query:  `SELECT count(*) FROM properties`, want: "0",
	},
}

const scheduleOf20 = `
	INSERT INTO schedule (job_id, status) VALUES ('j', 'Scheduled');
	INSERT INTO retention_policy (data) VALUES ('{"trigger":{"references":{"job_id":1},"settings":{"cron":"0 0 4 * * *"}}}');`

const jobsOf21 = `
	INSERT INTO retention_policy (data) VALUES ('{}');
	INSERT INTO retention_execution (policy_id, dry_run, trigger) VALUES (1, true, 'Manual'), (99, true, 'Manual');
	INSERT INTO retention_task (execution_id, status, status_code) VALUES (1, 'Error', 3), (1, 'Running', 2), (98, 'Running', 2);
	INSERT INTO admin_job (job_name, job_kind, cron_str, status, job_parameters) VALUES
		('IMAGE_GC', 'Generic', '', 'finished', '{"redis_url_reg":"redis://:secret@redis"}'),
		('IMAGE_SCAN_ALL', 'Periodic', '{"type":"Daily","cron":"0 0 0 * * *"}', 'pending', '');
	INSERT INTO replication_policy (name, trigger) VALUES ('p', '{"type":"scheduled","trigger_settings":{"cron":"0 0 1 * * *"}}');
	INSERT INTO replication_schedule_job (status, policy_id) VALUES ('running', 1), ('running', 99);`

// rerunFails are the steps that cannot run twice.
var rerunFails = []int{1, 2, 3, 4, 5, 10, 11, 15, 30, 50, 80}

func TestStepsRunTwiceAsHarborsDo(t *testing.T) {
	db := newPostgreSQL(t)
	for _, version := range PostgreSQLVersions() {
		build(t, db, version)
		_, err := db.ExecContext(t.Context(), Step(version))
		if failed, want := err != nil, slices.Contains(rerunFails, version); failed != want {
			t.Errorf("step %d for the second time: %v", version, err)
		}
		if version == 40 {
			mustExec(t, db, `ALTER TABLE notification_policy DROP CONSTRAINT notification_policy_name_project_id_key1`)
		}
		requireVersion(t, db, version)
	}
}
