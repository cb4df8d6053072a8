-- Harbor 2.1.0: executions and tasks for every kind of background work, with
-- all cron entries first; distribution to peers (P2P preheat), proxy-cache
-- projects, garbage collection that blocks nobody.

ALTER TABLE project ADD COLUMN IF NOT EXISTS registry_id integer;
ALTER TABLE artifact ADD COLUMN IF NOT EXISTS icon varchar(255);
ALTER TABLE blob
    ADD COLUMN IF NOT EXISTS update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    ADD COLUMN IF NOT EXISTS status varchar(255) DEFAULT 'none',
    ADD COLUMN IF NOT EXISTS version bigint DEFAULT 0;
CREATE INDEX IF NOT EXISTS idx_status ON blob (status);
CREATE INDEX IF NOT EXISTS idx_version ON blob (version);

CREATE TABLE IF NOT EXISTS p2p_preheat_instance (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    description varchar(255),
    vendor varchar(255) NOT NULL,
    endpoint varchar(255) NOT NULL,
    auth_mode varchar(255),
    auth_data text,
    enabled boolean,
    is_default boolean,
    insecure boolean,
    setup_timestamp integer
);

CREATE TABLE IF NOT EXISTS p2p_preheat_policy (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    description varchar(1024),
    project_id integer NOT NULL,
    provider_id integer NOT NULL,
    filters varchar(1024),
    trigger varchar(255),
    enabled boolean,
    creation_time timestamp,
    update_time timestamp,
    UNIQUE (name, project_id)
);

UPDATE role SET name = 'maintainer' WHERE name = 'master';
UPDATE registry SET type = 'quay' WHERE type = 'quay-io';

ALTER TABLE IF EXISTS cve_whitelist RENAME TO cve_allowlist;
UPDATE project_metadata SET name = 'reuse_sys_cve_allowlist' WHERE name = 'reuse_sys_cve_whitelist';

-- Names of webhooks are unique within their project. The constraint has no
-- name here: to run this step again adds a second one, as it did in Harbor.
ALTER TABLE notification_policy DROP CONSTRAINT IF EXISTS notification_policy_name_key;
ALTER TABLE notification_policy ADD UNIQUE (name, project_id);

CREATE TABLE IF NOT EXISTS execution (
    id serial PRIMARY KEY,
    vendor_type varchar(16) NOT NULL,
    vendor_id integer,
    status varchar(16),
    status_message text,
    trigger varchar(16) NOT NULL,
    extra_attrs json,
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp,
    revision integer
);

CREATE TABLE IF NOT EXISTS task (
    id serial PRIMARY KEY,
    execution_id integer NOT NULL REFERENCES execution (id),
    job_id varchar(64),
    status varchar(16) NOT NULL,
    status_code integer NOT NULL,
    status_revision integer,
    status_message text,
    run_count integer,
    extra_attrs json,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    start_time timestamp,
    update_time timestamp,
    end_time timestamp
);

ALTER TABLE schedule
    ADD COLUMN IF NOT EXISTS vendor_type varchar(16),
    ADD COLUMN IF NOT EXISTS vendor_id integer,
    ADD COLUMN IF NOT EXISTS cron varchar(64),
    ADD COLUMN IF NOT EXISTS callback_func_name varchar(128),
    ADD COLUMN IF NOT EXISTS callback_func_param text;

-- Every cron entry is one execution that never ends, with one task. Only tag
-- retention had entries in this table; its policies say which.
DO $$
DECLARE
    entry record;
    policy record;
    new_execution integer;
BEGIN
    IF NOT EXISTS (SELECT FROM information_schema.columns
                   WHERE table_schema = current_schema() AND table_name = 'schedule' AND column_name = 'job_id') THEN
        RETURN;
    END IF;
    FOR entry IN SELECT * FROM schedule ORDER BY id LOOP
        FOR policy IN
            SELECT id, data::json #>> '{trigger,settings,cron}' AS cron
            FROM retention_policy
            WHERE (data::json #>> '{trigger,references,job_id}')::integer = entry.id
            ORDER BY id
        LOOP
            UPDATE schedule
            SET vendor_type = 'RETENTION', vendor_id = policy.id, cron = policy.cron,
                callback_func_name = 'SchedulerCallback',
                callback_func_param = json_build_object('PolicyID', policy.id, 'Trigger', 'Schedule')::text
            WHERE id = entry.id;
        END LOOP;

        INSERT INTO execution (vendor_type, vendor_id, trigger)
        VALUES ('SCHEDULER', entry.id, 'MANUAL')
        RETURNING id INTO new_execution;

        INSERT INTO task (execution_id, job_id, status, status_code, status_revision, run_count)
        VALUES (new_execution, entry.job_id, entry.status,
                CASE entry.status
                    WHEN 'Scheduled' THEN 1
                    WHEN 'Running' THEN 2
                    WHEN 'Stopped' THEN 3
                    WHEN 'Error' THEN 3
                    WHEN 'Success' THEN 3
                    ELSE 0
                END,
                0, 0);
    END LOOP;
END
$$;
ALTER TABLE schedule
    DROP COLUMN IF EXISTS job_id,
    DROP COLUMN IF EXISTS status;

CREATE TABLE IF NOT EXISTS data_migrations (
    id serial PRIMARY KEY,
    version integer,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

-- 30: core of 2.0 has read every manifest already. 0: it still has to.
INSERT INTO data_migrations (version)
SELECT CASE WHEN EXISTS (SELECT FROM artifact WHERE COALESCE(extra_attrs, '') <> '') THEN 30 ELSE 0 END
WHERE NOT EXISTS (SELECT FROM data_migrations);
ALTER TABLE schema_migrations DROP COLUMN IF EXISTS data_version;
