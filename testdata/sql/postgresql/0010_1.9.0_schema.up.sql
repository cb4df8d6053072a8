-- Harbor 1.9.0: quotas (and with them the first tables of artifacts and
-- blobs, one artifact row per tag), tag retention, webhooks, a list of CVEs to
-- ignore, and cron entries in a table of their own.

CREATE TABLE artifact (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    repo varchar(255) NOT NULL,
    tag varchar(255) NOT NULL,
    digest varchar(255) NOT NULL,
    kind varchar(255) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    pull_time timestamp,
    push_time timestamp,
    CONSTRAINT unique_artifact UNIQUE (project_id, repo, tag)
);

CREATE TABLE blob (
    id serial PRIMARY KEY,
    digest varchar(255) NOT NULL UNIQUE,
    content_type varchar(1024) NOT NULL,
    size bigint NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE artifact_blob (
    id serial PRIMARY KEY,
    digest_af varchar(255) NOT NULL,
    digest_blob varchar(255) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_artifact_blob UNIQUE (digest_af, digest_blob)
);

CREATE TABLE project_blob (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    blob_id integer NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_project_blob UNIQUE (project_id, blob_id)
);

CREATE TABLE quota (
    id serial PRIMARY KEY,
    reference varchar(255) NOT NULL,
    reference_id varchar(255) NOT NULL,
    hard jsonb NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (reference, reference_id)
);

CREATE TABLE quota_usage (
    id serial PRIMARY KEY,
    reference varchar(255) NOT NULL,
    reference_id varchar(255) NOT NULL,
    used jsonb NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (reference, reference_id)
);

CREATE TABLE retention_policy (
    id serial PRIMARY KEY,
    scope_level varchar(20),
    scope_reference integer,
    trigger_kind varchar(20),
    data text,
    create_time time,
    update_time time
);

CREATE TABLE retention_execution (
    id serial PRIMARY KEY,
    policy_id integer,
    dry_run boolean,
    trigger varchar(20),
    start_time timestamp
);

CREATE TABLE retention_task (
    id serial PRIMARY KEY,
    execution_id integer,
    repository varchar(255),
    job_id varchar(64),
    status varchar(32),
    status_code integer,
    status_revision integer,
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp DEFAULT CURRENT_TIMESTAMP,
    total integer,
    retained integer
);

CREATE TABLE schedule (
    id serial PRIMARY KEY,
    job_id varchar(64),
    status varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE notification_policy (
    id serial PRIMARY KEY,
    name varchar(256),
    project_id integer NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    targets text,
    event_types text,
    creator varchar(256),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_project_id UNIQUE (project_id)
);

CREATE TABLE notification_job (
    id serial PRIMARY KEY,
    policy_id integer NOT NULL,
    status varchar(32),
    event_type varchar(256),
    notify_type varchar(256),
    job_detail text,
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE cve_whitelist (
    id serial PRIMARY KEY,
    project_id integer UNIQUE,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    expires_at bigint,
    items text NOT NULL
);

ALTER TABLE replication_task ADD COLUMN status_revision integer DEFAULT 0;

DELETE FROM project_metadata WHERE deleted;
ALTER TABLE project_metadata DROP COLUMN deleted;

-- No project had a limit so far; what it uses is counted later, by core.
INSERT INTO quota (reference, reference_id, hard)
SELECT 'project', project_id::text, '{"count": -1, "storage": -1}'
FROM project WHERE NOT deleted ORDER BY project_id;
INSERT INTO quota_usage (reference, reference_id, used)
SELECT 'project', project_id::text, '{"count": 0, "storage": 0}'
FROM project WHERE NOT deleted ORDER BY project_id;
