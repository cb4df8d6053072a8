-- Harbor 1.8.0: replication is rebuilt. Targets become registries of any kind,
-- jobs become executions with tasks, and what is left of the job table holds
-- the cron entries. Robot accounts and OIDC users arrive.

INSERT INTO role (role_code, name) VALUES ('DRWS', 'master');

-- A daily scan of all images was a setting; it becomes a periodic job.
INSERT INTO admin_job (job_name, job_kind, cron_str, status)
SELECT 'IMAGE_SCAN_ALL', 'Periodic',
       json_build_object('type', 'Daily', 'cron',
           '0 ' || s.daily / 60 % 60 || ' ' || s.daily / 3600 % 24 || ' * * *')::text,
       'pending'
FROM (SELECT substring(v FROM '"daily_time"\s*:\s*([0-9]+)')::integer AS daily
      FROM properties WHERE k = 'scan_all_policy' AND v LIKE '%daily%') s
WHERE s.daily IS NOT NULL;
DELETE FROM properties WHERE k = 'scan_all_policy';

CREATE TABLE robot (
    id serial PRIMARY KEY,
    name varchar(255),
    description varchar(1024),
    project_id integer,
    expiresat bigint,
    disabled boolean NOT NULL DEFAULT false,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_robot UNIQUE (name, project_id)
);

CREATE TABLE oidc_user (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES harbor_user (user_id),
    secret varchar(255) NOT NULL,
    subiss varchar(255) NOT NULL UNIQUE,
    token text,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE replication_execution (
    id serial PRIMARY KEY,
    policy_id integer NOT NULL,
    status varchar(32),
    status_text text,
    total integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    succeed integer NOT NULL DEFAULT 0,
    in_progress integer NOT NULL DEFAULT 0,
    stopped integer NOT NULL DEFAULT 0,
    trigger varchar(64),
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp
);
CREATE INDEX execution_policy ON replication_execution (policy_id);

CREATE TABLE replication_task (
    id serial PRIMARY KEY,
    execution_id integer NOT NULL,
    resource_type varchar(64),
    src_resource varchar(256),
    dst_resource varchar(256),
    operation varchar(32),
    job_id varchar(64),
    status varchar(32),
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp
);
CREATE INDEX task_execution ON replication_task (execution_id);

CREATE TRIGGER robot_update_time_at_modtime BEFORE UPDATE ON robot
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER oidc_user_update_time_at_modtime BEFORE UPDATE ON oidc_user
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();

-- Policies that were deleted go for good, with their jobs.
DELETE FROM replication_job WHERE policy_id IN (SELECT id FROM replication_policy WHERE deleted);
DELETE FROM replication_policy WHERE deleted;

DROP TRIGGER replication_target_update_time_at_modtime ON replication_target;
ALTER TABLE replication_target RENAME TO registry;
ALTER TABLE registry RENAME COLUMN username TO access_key;
ALTER TABLE registry RENAME COLUMN password TO access_secret;
ALTER TABLE registry
    ALTER COLUMN url TYPE varchar(256),
    ALTER COLUMN access_secret TYPE varchar(4096),
    ADD COLUMN credential_type varchar(16),
    ADD COLUMN type varchar(32),
    ADD COLUMN description text,
    ADD COLUMN health varchar(16),
    DROP COLUMN target_type;
UPDATE registry SET type = 'harbor', credential_type = 'basic';

-- A policy belonged to one project. That project becomes a filter on the name;
-- filters that are not JSON make this step fail, as they did in Harbor.
UPDATE replication_policy p
SET filters = (COALESCE(NULLIF(p.filters, ''), '[]')::jsonb
               || jsonb_build_object('type', 'name', 'value', pr.name || '/**'))::text
FROM project pr
WHERE pr.project_id = p.project_id;
ALTER TABLE replication_policy RENAME COLUMN target_id TO dest_registry_id;
ALTER TABLE replication_policy RENAME COLUMN cron_str TO trigger;
ALTER TABLE replication_policy
    ALTER COLUMN dest_registry_id DROP NOT NULL,
    ADD COLUMN creator varchar(256),
    ADD COLUMN src_registry_id integer,
    ADD COLUMN dest_namespace varchar(256),
    ADD COLUMN override boolean,
    DROP COLUMN project_id;
UPDATE replication_policy SET override = true;

-- Each job becomes an execution with one task. The execution's status stays
-- empty: core computes it when the execution is next looked at. A status that
-- has no new word (stopped, canceled, retrying) is carried over as it is.
DO $$
DECLARE
    job record;
    execution integer;
BEGIN
    FOR job IN SELECT * FROM replication_job WHERE operation <> 'schedule' ORDER BY id LOOP
        INSERT INTO replication_execution (policy_id, start_time)
        VALUES (job.policy_id, job.creation_time)
        RETURNING id INTO execution;

        INSERT INTO replication_task (execution_id, resource_type, src_resource, dst_resource,
                                      operation, job_id, status, start_time, end_time)
        VALUES (execution, 'image',
                left(job.repository || COALESCE(':[' || NULLIF(job.tags, '') || ']', ''), 256),
                left(job.repository || COALESCE(':[' || NULLIF(job.tags, '') || ']', ''), 256),
                CASE job.operation WHEN 'delete' THEN 'deletion' ELSE 'copy' END,
                job.job_uuid,
                CASE job.status
                    WHEN 'pending' THEN 'Pending'
                    WHEN 'scheduled' THEN 'InProgress'
                    WHEN 'running' THEN 'InProgress'
                    WHEN 'error' THEN 'Failed'
                    WHEN 'finished' THEN 'Succeed'
                    ELSE left(job.status, 32)
                END,
                job.creation_time, job.update_time);
    END LOOP;
END
$$;
DELETE FROM replication_job WHERE operation <> 'schedule';

-- The sequence and the primary key keep the names of the old table.
DROP TRIGGER replication_job_update_time_at_modtime ON replication_job;
DROP INDEX policy;
DROP INDEX poid_uptime;
DROP INDEX poid_status;
ALTER TABLE replication_job RENAME TO replication_schedule_job;
ALTER TABLE replication_schedule_job RENAME COLUMN job_uuid TO job_id;
ALTER TABLE replication_schedule_job
    DROP COLUMN repository,
    DROP COLUMN operation,
    DROP COLUMN tags,
    DROP COLUMN op_uuid;

DROP TABLE replication_immediate_trigger;
