-- Harbor 2.2.0: all background work is executions and tasks now: replication,
-- retention, garbage collection and scans move there, with their cron entries.
-- Robots get permissions of their own, vulnerabilities their own rows.

-- Core relies on these two ids; rights of members refer to them.
UPDATE role SET role_id = -role_id WHERE name IN ('maintainer', 'limitedGuest');
UPDATE role SET role_id = CASE name WHEN 'maintainer' THEN 4 ELSE 5 END
WHERE name IN ('maintainer', 'limitedGuest');

INSERT INTO cve_allowlist (project_id, items)
SELECT project_id, '[]' FROM project WHERE name = 'library'
ON CONFLICT (project_id) DO NOTHING;

DELETE FROM quota
WHERE reference = 'project' AND reference_id::integer IN (SELECT project_id FROM project WHERE deleted);
DELETE FROM quota_usage
WHERE reference = 'project' AND reference_id::integer IN (SELECT project_id FROM project WHERE deleted);

-- How long a robot lives was counted in minutes, now in days.
UPDATE properties SET v = GREATEST(v::integer / 1440, 1)::text WHERE k = 'robot_token_duration';

UPDATE artifact a
SET size = (SELECT sum(b.size) FROM artifact_blob ab JOIN blob b ON b.digest = ab.digest_blob
            WHERE ab.digest_af = a.digest)
WHERE a.size = 0;

ALTER TABLE execution
    ALTER COLUMN vendor_type TYPE varchar(64),
    ADD COLUMN update_time timestamp;
ALTER TABLE task ADD COLUMN vendor_type varchar(64);
UPDATE task t SET vendor_type = e.vendor_type FROM execution e WHERE e.id = t.execution_id;
ALTER TABLE task ALTER COLUMN vendor_type SET NOT NULL;
ALTER TABLE schedule
    ALTER COLUMN vendor_type TYPE varchar(64),
    ADD COLUMN cron_type varchar(64),
    ADD COLUMN extra_attrs json,
    ADD CONSTRAINT unique_schedule UNIQUE (vendor_type, vendor_id);

-- Replication. What belongs to nothing is not worth converting.
DELETE FROM replication_schedule_job WHERE policy_id NOT IN (SELECT id FROM replication_policy);
DELETE FROM replication_execution WHERE policy_id NOT IN (SELECT id FROM replication_policy);
DELETE FROM replication_task WHERE execution_id NOT IN (SELECT id FROM replication_execution);

-- Executions that did not say that they ended are judged by their tasks. A
-- status that nobody knows counts as being under way, and so stays for ever.
UPDATE replication_execution e
SET status = CASE
        WHEN t.open > 0 THEN 'InProgress'
        WHEN t.failed > 0 THEN 'Failed'
        WHEN t.stopped > 0 THEN 'Stopped'
        ELSE 'Succeed'
    END,
    end_time = CASE WHEN t.open > 0 THEN e.end_time ELSE COALESCE(t.end_time, e.end_time) END
FROM (SELECT x.id,
             count(k.id) FILTER (WHERE COALESCE(k.status, '') NOT IN ('Succeed', 'Failed', 'Stopped')) AS open,
             count(k.id) FILTER (WHERE k.status = 'Failed') AS failed,
             count(k.id) FILTER (WHERE k.status = 'Stopped') AS stopped,
             max(k.end_time) AS end_time
      FROM replication_execution x LEFT JOIN replication_task k ON k.execution_id = x.id
      GROUP BY x.id) t
WHERE t.id = e.id AND COALESCE(e.status, '') NOT IN ('Succeed', 'Failed', 'Stopped');

DO $$
DECLARE
    old record;
    new_execution integer;
BEGIN
    FOR old IN SELECT * FROM replication_execution ORDER BY id LOOP
        INSERT INTO execution (vendor_type, vendor_id, status, status_message, trigger,
                               start_time, end_time, revision, update_time)
        VALUES ('REPLICATION', old.policy_id,
                CASE old.status
                    WHEN 'Succeed' THEN 'Success'
                    WHEN 'Failed' THEN 'Error'
                    WHEN 'Stopped' THEN 'Stopped'
                    ELSE 'Running'
                END,
                old.status_text,
                CASE old.trigger
                    WHEN 'scheduled' THEN 'SCHEDULE'
                    WHEN 'event_based' THEN 'EVENT'
                    ELSE 'MANUAL'
                END,
                old.start_time, old.end_time, 0, COALESCE(old.end_time, old.start_time))
        RETURNING id INTO new_execution;

        INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, status_revision, run_count,
                          extra_attrs, creation_time, start_time, update_time, end_time)
        SELECT 'REPLICATION', new_execution, job_id,
               CASE status
                   WHEN 'InProgress' THEN 'Running'
                   WHEN 'Succeed' THEN 'Success'
                   WHEN 'Failed' THEN 'Error'
                   WHEN 'Stopped' THEN 'Stopped'
                   ELSE 'Pending'
               END,
               CASE WHEN status IN ('Succeed', 'Failed', 'Stopped') THEN 3
                    WHEN status = 'InProgress' THEN 2
                    ELSE 0
               END,
               COALESCE(status_revision, 0), 1,
               json_build_object('resource_type', resource_type, 'operation', operation,
                                 'source_resource', src_resource, 'destination_resource', dst_resource),
               start_time, start_time, COALESCE(end_time, start_time), end_time
        FROM replication_task
        WHERE execution_id = old.id
        ORDER BY id;
    END LOOP;
END
$$;

-- Retention. Its executions had no status; whatever their tasks say, all of
-- them become "Succeed", a word that 2.2.1 has to correct.
DELETE FROM retention_execution WHERE policy_id IS NULL OR policy_id NOT IN (SELECT id FROM retention_policy);
DELETE FROM retention_task WHERE execution_id IS NULL OR execution_id NOT IN (SELECT id FROM retention_execution);

DO $$
DECLARE
    old record;
    new_execution integer;
BEGIN
    FOR old IN
        SELECT e.*, (SELECT max(t.end_time) FROM retention_task t WHERE t.execution_id = e.id) AS end_time
        FROM retention_execution e ORDER BY e.id
    LOOP
        INSERT INTO execution (vendor_type, vendor_id, status, trigger, extra_attrs,
                               start_time, end_time, revision, update_time)
        VALUES ('RETENTION', old.policy_id, 'Succeed', old.trigger,
                json_build_object('dry_run', old.dry_run),
                old.start_time, old.end_time, 0, COALESCE(old.end_time, old.start_time))
        RETURNING id INTO new_execution;

        INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, status_revision, run_count,
                          extra_attrs, creation_time, start_time, update_time, end_time)
        SELECT 'RETENTION', new_execution, job_id, status, COALESCE(status_code, 0), COALESCE(status_revision, 0), 1,
               json_build_object('repository', repository, 'total', total, 'retained', retained),
               start_time, start_time, COALESCE(end_time, start_time), end_time
        FROM retention_task
        WHERE execution_id = old.id
        ORDER BY id;
    END LOOP;
END
$$;

-- Garbage collections and scans of everything that ran once. Their status is
-- in small letters.
DO $$
DECLARE
    job record;
    new_execution integer;
BEGIN
    FOR job IN
        SELECT *, CASE job_name WHEN 'IMAGE_SCAN_ALL' THEN 'SCAN_ALL' ELSE 'GARBAGE_COLLECTION' END AS vendor,
               CASE WHEN job_name = 'IMAGE_GC' THEN NULLIF(job_parameters, '')::json END AS attrs,
               CASE status
                   WHEN 'scheduled' THEN 'Scheduled'
                   WHEN 'running' THEN 'Running'
                   WHEN 'stopped' THEN 'Stopped'
                   WHEN 'error' THEN 'Error'
                   WHEN 'finished' THEN 'Success'
                   ELSE 'Pending'
               END AS new_status
        FROM admin_job
        WHERE job_name IN ('IMAGE_GC', 'IMAGE_SCAN_ALL') AND job_kind = 'Generic' AND NOT deleted
        ORDER BY id
    LOOP
        INSERT INTO execution (vendor_type, vendor_id, status, trigger, extra_attrs,
                               start_time, end_time, revision, update_time)
        VALUES (job.vendor, CASE job.vendor WHEN 'SCAN_ALL' THEN 0 ELSE -1 END,
                CASE WHEN job.new_status IN ('Stopped', 'Error', 'Success') THEN job.new_status ELSE 'Running' END,
                'MANUAL', job.attrs, job.creation_time,
                CASE WHEN job.new_status IN ('Stopped', 'Error', 'Success') THEN job.update_time END,
                0, job.update_time)
        RETURNING id INTO new_execution;

        INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, status_revision, run_count,
                          extra_attrs, creation_time, start_time, update_time, end_time)
        VALUES (job.vendor, new_execution, job.job_uuid, job.new_status,
                CASE job.new_status WHEN 'Pending' THEN 0 WHEN 'Scheduled' THEN 1 WHEN 'Running' THEN 2 ELSE 3 END,
                COALESCE(job.revision, 0), 1, job.attrs, job.creation_time, job.creation_time, job.update_time,
                CASE WHEN job.new_status IN ('Stopped', 'Error', 'Success') THEN job.update_time END);
    END LOOP;
END
$$;

-- Cron entries: of replication policies, and of what an administrator had
-- scheduled. There is one for each policy and each kind; a second one fails.
DO $$
DECLARE
    entry record;
    entry_cron text;
    new_schedule integer;
    new_execution integer;
BEGIN
    FOR entry IN
        SELECT 'REPLICATION' AS vendor, j.policy_id AS vendor_id, j.status, j.job_id, j.creation_time, j.update_time,
               'REPLICATION_CALLBACK' AS callback, j.policy_id::text AS param, NULL::text AS attrs,
               p.trigger AS settings
        FROM replication_schedule_job j JOIN replication_policy p ON p.id = j.policy_id
        UNION ALL
        SELECT CASE job_name WHEN 'IMAGE_SCAN_ALL' THEN 'SCAN_ALL' ELSE 'GARBAGE_COLLECTION' END,
               CASE job_name WHEN 'IMAGE_SCAN_ALL' THEN 0 ELSE -1 END,
               status, job_uuid, creation_time, update_time,
               CASE job_name WHEN 'IMAGE_SCAN_ALL' THEN 'scanAll' ELSE 'GARBAGE_COLLECTION' END,
               COALESCE(job_parameters, ''),
               CASE WHEN job_name = 'IMAGE_GC' THEN NULLIF(job_parameters, '') END,
               cron_str
        FROM admin_job
        WHERE job_name IN ('IMAGE_GC', 'IMAGE_SCAN_ALL') AND job_kind = 'Periodic' AND NOT deleted
    LOOP
        IF entry.vendor <> 'REPLICATION' THEN
            entry_cron := entry.settings::json ->> 'cron';
        ELSE
            -- What a policy says of its trigger was never checked by a step.
            BEGIN
                entry_cron := entry.settings::json #>> '{trigger_settings,cron}';
            EXCEPTION WHEN invalid_text_representation THEN
                entry_cron := NULL;
            END;
        END IF;

        INSERT INTO schedule (vendor_type, vendor_id, cron, cron_type, callback_func_name, callback_func_param,
                              extra_attrs, creation_time, update_time)
        VALUES (entry.vendor, entry.vendor_id, entry_cron,
                CASE WHEN entry.vendor = 'REPLICATION' THEN NULL ELSE entry.settings::json ->> 'type' END,
                entry.callback, entry.param, entry.attrs::json, entry.creation_time, entry.update_time)
        RETURNING id INTO new_schedule;

        INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time, revision, update_time)
        VALUES ('SCHEDULER', new_schedule, 'Running', 'MANUAL', entry.creation_time, 0, entry.update_time)
        RETURNING id INTO new_execution;

        INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, status_revision, run_count,
                          creation_time, start_time, update_time)
        VALUES ('SCHEDULER', new_execution, entry.job_id,
                CASE lower(entry.status) WHEN 'running' THEN 'Running' WHEN 'scheduled' THEN 'Scheduled' ELSE 'Pending' END,
                CASE lower(entry.status) WHEN 'running' THEN 2 WHEN 'scheduled' THEN 1 ELSE 0 END,
                0, 1, entry.creation_time, entry.creation_time, entry.update_time);
    END LOOP;
END
$$;

DROP TABLE replication_task;
DROP TABLE replication_execution;
DROP TABLE replication_schedule_job;
DROP TABLE retention_task;
DROP TABLE retention_execution;
DROP TABLE admin_job;

-- Clair is gone and Trivy takes its place. All images have to be scanned anew.
DELETE FROM scanner_registration WHERE name = 'Clair' AND immutable;
UPDATE scanner_registration SET is_default = true
WHERE name = 'Trivy' AND immutable AND NOT EXISTS (SELECT FROM scanner_registration WHERE is_default);
DELETE FROM scan_report;
ALTER TABLE scan_report
    DROP COLUMN job_id,
    DROP COLUMN track_id,
    DROP COLUMN requester,
    DROP COLUMN status,
    DROP COLUMN status_code,
    DROP COLUMN status_rev,
    DROP COLUMN start_time,
    DROP COLUMN end_time;

CREATE TABLE vulnerability_record (
    id serial PRIMARY KEY,
    cve_id text NOT NULL DEFAULT '',
    registration_uuid text NOT NULL DEFAULT '',
    package text NOT NULL DEFAULT '',
    package_version text NOT NULL DEFAULT '',
    package_type text NOT NULL DEFAULT '',
    severity text NOT NULL DEFAULT '',
    fixed_version text,
    urls text,
    cvss_score_v3 float8,
    cvss_score_v2 float8,
    cvss_vector_v3 text,
    cvss_vector_v2 text,
    description text,
    cwe_ids text,
    vendor_attributes json,
    UNIQUE (cve_id, registration_uuid, package, package_version),
    CONSTRAINT fk_registration_uuid FOREIGN KEY (registration_uuid) REFERENCES scanner_registration (uuid) ON DELETE CASCADE
);

CREATE TABLE report_vulnerability_record (
    id serial PRIMARY KEY,
    report_uuid text NOT NULL DEFAULT '',
    vuln_record_id bigint NOT NULL DEFAULT 0,
    UNIQUE (report_uuid, vuln_record_id),
    CONSTRAINT fk_report_uuid FOREIGN KEY (report_uuid) REFERENCES scan_report (uuid) ON DELETE CASCADE,
    CONSTRAINT fk_vuln_record_id FOREIGN KEY (vuln_record_id) REFERENCES vulnerability_record (id) ON DELETE CASCADE
);

CREATE TABLE permission_policy (
    id serial PRIMARY KEY,
    scope varchar(255) NOT NULL,
    resource varchar(255),
    action varchar(255),
    effect varchar(255),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_rbac_policy UNIQUE (scope, resource, action, effect)
);

CREATE TABLE role_permission (
    id serial PRIMARY KEY,
    role_type varchar(255) NOT NULL,
    role_id integer NOT NULL,
    permission_policy_id integer NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_role_permission UNIQUE (role_type, role_id, permission_policy_id)
);

ALTER TABLE robot
    ADD COLUMN secret varchar(2048),
    ADD COLUMN salt varchar(64),
    ADD COLUMN duration integer;
