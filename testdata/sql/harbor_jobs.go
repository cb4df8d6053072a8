package harborsql

// harborJobs are policies, schedules and the jobs that came of them. All jobs
// have ended; the entries of the scheduler never do.
var harborJobs = []rowSet{
	// Replication up to 1.7.
	{table: "replication_target", query: `
		SELECT 1 AS id, 'mirror' AS name, 'https://mirror.example.com' AS url, 'admin' AS username, '<enc-v1>c2VjcmV0' AS password`},
	{table: "replication_policy", to: 3, query: `
		SELECT project_id AS id, 'mirror ' || name AS name, project_id, 1 AS target_id, '{"kind":"Manual"}' AS cron_str,
			'[{"kind":"tag","value":"v*"}]' AS filters
		FROM p_project`},
	{table: "replication_job", query: `
		SELECT id, (ARRAY['finished', 'finished', 'error', 'stopped'])[id % 4 + 1] AS status, project_id AS policy_id,
			repository, 'transfer' AS operation, tag AS tags, md5('job' || id) AS job_uuid, md5('op' || project_id) AS op_uuid,
			push_time AS creation_time, push_time + interval '1 minute' AS update_time
		FROM p_image`},

	// Replication from 1.8 on.
	{table: "registry", query: `
		SELECT 1 AS id, 'mirror' AS name, 'https://mirror.example.com' AS url, 'admin' AS access_key,
			'<enc-v1>c2VjcmV0' AS access_secret, 'basic' AS credential_type, 'harbor' AS type, 'healthy' AS health`},
	{table: "replication_policy", from: 4, query: `
		SELECT project_id AS id, 'mirror-' || name AS name, 'admin' AS creator, 0 AS src_registry_id, 1 AS dest_registry_id,
			'true' AS override, '[{"type":"name","value":"' || name || '/**"}]' AS filters,
			CASE project_id WHEN 1 THEN '{"type":"scheduled","trigger_settings":{"cron":"0 0 2 * * *"}}'
				ELSE '{"type":"manual","trigger_settings":{"cron":""}}' END AS trigger
		FROM p_project`},
	{table: "replication_schedule_job", query: `
		SELECT 1 AS id, 'scheduled' AS status, 1 AS policy_id, md5('periodic') AS job_id`},
	{table: "replication_execution", query: `
		SELECT id, project_id AS policy_id, (ARRAY['Succeed', 'Succeed', 'Failed', 'Stopped'])[id % 4 + 1] AS status, 1 AS total,
			(id % 4 < 2)::int AS succeed, (id % 4 = 2)::int AS failed, (id % 4 = 3)::int AS stopped, 'manual' AS trigger,
			push_time AS start_time, push_time + interval '1 minute' AS end_time
		FROM p_image`},
	{table: "replication_task", query: `
		SELECT id, id AS execution_id, 'image' AS resource_type, repository || ':' || tag AS src_resource,
			repository || ':' || tag AS dst_resource, 'copy' AS operation, md5('job' || id) AS job_id,
			(ARRAY['Succeed', 'Succeed', 'Failed', 'Stopped'])[id % 4 + 1] AS status,
			push_time AS start_time, push_time + interval '1 minute' AS end_time, 1704182400 AS status_revision
		FROM p_image`},

	// Scans, garbage collection, labels of the time before 2.2.
	{table: "img_scan_job", query: `
		SELECT id, 'finished' AS status, repository, tag, digest, md5('scan' || id) AS job_uuid, push_time AS creation_time
		FROM p_image`},
	{table: "img_scan_overview", query: `
		SELECT id, digest AS image_digest, id AS scan_job_id, id % 5 AS severity, '{"total":3}' AS components_overview
		FROM p_image`},
	{table: "clair_vuln_timestamp", query: `
		SELECT n AS id, 'debian:' || 8 + n AS namespace, '2024-01-02 00:00:00' AS last_update FROM generate_series(1, 3) n`},
	{table: "admin_job", query: `
		SELECT 1 AS id, 'IMAGE_GC' AS job_name, 'Generic' AS job_kind, NULL AS cron_str, 'finished' AS status,
			md5('gc') AS job_uuid, '{"delete_untagged":false,"redis_url_reg":"redis://redis:6379/1"}' AS job_parameters
		UNION ALL
		SELECT 2, 'IMAGE_SCAN_ALL', 'Periodic', '{"type":"Daily","cron":"0 0 3 * * *"}', 'scheduled', md5('scan all'), ''`},

	// Robots and their permissions.
	{table: "robot", query: `
		SELECT project_id AS id, 'robot$ci-' || project_id AS name, 'continuous integration' AS description, project_id,
			1893456000 AS expiresat, md5('robot' || project_id) AS secret, md5('robot salt' || project_id) AS salt, -1 AS duration,
			1 AS creator_ref, 'local' AS creator_type
		FROM p_project`},
	{table: "permission_policy", query: `
		SELECT project_id AS id, '/project/' || project_id AS scope, 'repository' AS resource, 'push' AS action, '' AS effect
		FROM p_project`},
	{table: "role_permission", query: `
		SELECT project_id AS id, 'robotaccount' AS role_type, project_id AS role_id, project_id AS permission_policy_id
		FROM p_project`},

	// Webhooks and tag retention.
	{table: "notification_policy", query: `
		SELECT project_id AS id, 'hook' || project_id AS name, project_id, 'admin' AS creator, '["PUSH_ARTIFACT"]' AS event_types,
			'[{"type":"http","address":"https://hook.example.com","skip_cert_verify":false}]' AS targets
		FROM p_project`},
	{table: "notification_job", query: `
		SELECT id, project_id AS policy_id, 'finished' AS status, 'PUSH_ARTIFACT' AS event_type, 'http' AS notify_type,
			'{"type":"PUSH_ARTIFACT"}' AS job_detail, md5('hook' || id) AS job_uuid, push_time AS creation_time,
			push_time AS update_time
		FROM p_image`},
	{table: "retention_policy", query: `
		SELECT 1 AS id, 'project' AS scope_level, 1 AS scope_reference, 'Schedule' AS trigger_kind,
			'2024-01-01 12:00:00' AS create_time, '2024-01-01 12:00:00' AS update_time,
			'{"algorithm":"or","rules":[],"trigger":{"kind":"Schedule","references":{"job_id":1},'
			|| '"settings":{"cron":"0 0 4 * * *"}},"scope":{"level":"project","ref":1}}' AS data`},
	{table: "retention_execution", query: `
		SELECT 1 AS id, 1 AS policy_id, 'false' AS dry_run, 'Schedule' AS trigger, '2024-01-02 04:00:00' AS start_time`},
	{table: "retention_task", query: `
		SELECT repository_id AS id, 1 AS execution_id, name AS repository, md5('retention' || repository_id) AS job_id,
			'Success' AS status, 3 AS status_code, 1704168000 AS status_revision, '2024-01-02 04:00:00' AS start_time,
			'2024-01-02 04:01:00' AS end_time, 4 AS total, 4 AS retained
		FROM p_repository WHERE project_id = 1`},
	{table: "schedule", to: 31, query: `SELECT 1 AS id, md5('schedule') AS job_id, 'Scheduled' AS status`},

	// Distribution to peers.
	{table: "p2p_preheat_instance", query: `
		SELECT 1 AS id, 'dragonfly' AS name, 'dragonfly' AS vendor, 'http://dragonfly:8002' AS endpoint, 'NONE' AS auth_mode,
			'true' AS enabled, 1704067200 AS setup_timestamp`},
	{table: "p2p_preheat_policy", query: `
		SELECT 1 AS id, 'preheat' AS name, 1 AS project_id, 1 AS provider_id, '[]' AS filters, '{"type":"manual"}' AS trigger,
			'true' AS enabled`},

	// Schedules, each with the execution and the task that stand for it.
	{table: "schedule", from: 40, to: 41, query: `
		SELECT 1 AS id, 'RETENTION' AS vendor_type, 1 AS vendor_id, '0 0 4 * * *' AS cron, 'SchedulerCallback' AS callback_func_name`},
	{table: "execution", from: 40, to: 41, query: `
		SELECT 1 AS id, 'SCHEDULER' AS vendor_type, 1 AS vendor_id, 'Running' AS status, 'MANUAL' AS trigger, 0 AS revision`},
	{table: "task", from: 40, to: 41, query: `
		SELECT 1 AS id, 1 AS execution_id, md5('schedule 1') AS job_id, 'Running' AS status, 2 AS status_code`},
	{table: "schedule", from: 50, query: `
		SELECT id, vendor_type, vendor_id, cron, cron_type, callback_func_name, extra_attrs, 0 AS revision FROM (VALUES
			(1, 'RETENTION', 1, '0 0 4 * * *', '', 'RETENTION', NULL),
			(2, 'REPLICATION', 1, '0 0 2 * * *', '', 'REPLICATION_CALLBACK', NULL),
			(3, 'GARBAGE_COLLECTION', -1, '0 0 0 * * 0', 'Weekly', 'GARBAGE_COLLECTION', '{"delete_untagged":false}'),
			(4, 'SCAN_ALL', 0, '0 0 3 * * *', 'Daily', 'scanAll', '{}')
		) v (id, vendor_type, vendor_id, cron, cron_type, callback_func_name, extra_attrs)`},
	{table: "schedule", from: 90, query: `
		SELECT 5 AS id, 'SYSTEM_ARTIFACT_CLEANUP' AS vendor_type, 0 AS vendor_id, '0 0 0 * * *' AS cron, 'Daily' AS cron_type,
			'SYSTEM_ARTIFACT_CLEANUP' AS callback_func_name, 0 AS revision`},
	{table: "schedule", from: 110, query: `
		SELECT 6 AS id, 'EXECUTION_SWEEP' AS vendor_type, -1 AS vendor_id, '0 0 0 * * *' AS cron, 'Custom' AS cron_type,
			'EXECUTION_SWEEP' AS callback_func_name, 0 AS revision`},
	{table: "execution", from: 50, query: `
		SELECT id, 'SCHEDULER' AS vendor_type, id AS vendor_id, 'Running' AS status, 'MANUAL' AS trigger, 0 AS revision FROM schedule`},
	{table: "task", from: 50, query: `
		SELECT id, id AS execution_id, 'SCHEDULER' AS vendor_type, md5('schedule ' || id) AS job_id, 'Running' AS status,
			2 AS status_code, 0 AS status_revision, 1 AS run_count
		FROM schedule`},
	{table: "job_queue_status", query: `
		SELECT n AS id, (ARRAY['REPLICATION', 'GARBAGE_COLLECTION'])[n] AS job_type FROM generate_series(1, 2) n`},

	// What ran: each image was replicated and scanned, and there was one
	// garbage collection, one retention and one scan of everything.
	{table: "execution", from: 50, query: `
		SELECT 100 + id AS id, 'REPLICATION' AS vendor_type, project_id AS vendor_id,
			(ARRAY['Success', 'Success', 'Error', 'Stopped'])[id % 4 + 1] AS status, 'MANUAL' AS trigger, NULL AS extra_attrs,
			push_time AS start_time, push_time + interval '1 minute' AS end_time, push_time + interval '1 minute' AS update_time,
			2 AS revision
		FROM p_image`},
	{table: "task", from: 50, query: `
		SELECT 100 + id AS id, 100 + id AS execution_id, 'REPLICATION' AS vendor_type, md5('job' || id) AS job_id,
			(ARRAY['Success', 'Success', 'Error', 'Stopped'])[id % 4 + 1] AS status, 3 AS status_code,
			1704182400 AS status_revision, 1 AS run_count,
			'{"operation":"copy","resource_type":"image","source_resource":"' || repository || ':' || tag || '"}' AS extra_attrs,
			push_time AS creation_time, push_time AS start_time, push_time + interval '1 minute' AS update_time,
			push_time + interval '1 minute' AS end_time
		FROM p_image`},
	{table: "execution", from: 50, query: `
		SELECT 100 + i.id + m.n AS id, 'IMAGE_SCAN' AS vendor_type,
			CASE WHEN to_regclass('idx_vulnerability_record_cve_id') IS NULL THEN 1 ELSE i.id END AS vendor_id,
			'Success' AS status, 'EVENT' AS trigger, '{"artifact": {"id": ' || i.id || ', "digest": "' || i.digest || '"}}' AS extra_attrs,
			i.push_time AS start_time, i.push_time + interval '1 minute' AS end_time, i.push_time + interval '1 minute' AS update_time,
			2 AS revision
		FROM p_image i, (SELECT count(*) AS n FROM p_image) m`},
	{table: "task", from: 50, query: `
		SELECT 100 + i.id + m.n AS id, 100 + i.id + m.n AS execution_id, 'IMAGE_SCAN' AS vendor_type, md5('scan' || i.id) AS job_id,
			'Success' AS status, 3 AS status_code, 1704182400 AS status_revision, 1 AS run_count,
			'{"artifact_id": ' || i.id || ', "report_uuids": ["' || md5('report' || i.id) || '"]}' AS extra_attrs,
			i.push_time AS creation_time, i.push_time AS start_time, i.push_time + interval '1 minute' AS update_time,
			i.push_time + interval '1 minute' AS end_time
		FROM p_image i, (SELECT count(*) AS n FROM p_image) m`},
	{table: "execution", from: 50, query: `
		SELECT n + 10 AS id, (ARRAY['GARBAGE_COLLECTION', 'RETENTION', 'SCAN_ALL'])[n] AS vendor_type,
			(ARRAY[-1, 1, 0])[n] AS vendor_id, 'Success' AS status, 'MANUAL' AS trigger,
			(ARRAY['{"dry_run":false,"redis_url_reg":"redis://:secret@redis:6379/1"}', '{"dry_run":false}', '{"summary":{}}'])[n] AS extra_attrs,
			'2024-01-03 00:00:00' AS start_time, '2024-01-03 00:10:00' AS end_time, '2024-01-03 00:10:00' AS update_time, 2 AS revision
		FROM generate_series(1, 3) n`},
	{table: "task", from: 50, query: `
		SELECT n + 10 AS id, n + 10 AS execution_id, (ARRAY['GARBAGE_COLLECTION', 'RETENTION', 'SCAN_ALL'])[n] AS vendor_type,
			md5('once' || n) AS job_id, 'Success' AS status, 3 AS status_code, 1704240000 AS status_revision, 1 AS run_count,
			'2024-01-03 00:00:00' AS creation_time, '2024-01-03 00:00:00' AS start_time, '2024-01-03 00:10:00' AS update_time,
			'2024-01-03 00:10:00' AS end_time
		FROM generate_series(1, 3) n`},
}
