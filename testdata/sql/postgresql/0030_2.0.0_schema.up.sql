-- Harbor 2.0.0: an artifact is a manifest of one repository, whatever its
-- kind; tags, labels and the children of an index refer to it. The audit log
-- replaces the access log.

ALTER TABLE admin_job ADD COLUMN job_parameters varchar(255) DEFAULT '';
ALTER TABLE replication_task
    ALTER COLUMN src_resource TYPE varchar(512),
    ALTER COLUMN dst_resource TYPE varchar(512);
ALTER TABLE schema_migrations ADD COLUMN data_version integer;

ALTER TABLE artifact RENAME COLUMN repo TO repository_name;
ALTER TABLE artifact RENAME COLUMN kind TO type;
ALTER TABLE artifact
    ADD COLUMN repository_id integer,
    ADD COLUMN media_type varchar(255),
    ADD COLUMN manifest_media_type varchar(255),
    ADD COLUMN size bigint,
    ADD COLUMN extra_attrs text,
    ADD COLUMN annotations jsonb;

-- The manifest's own blob tells the media types. Where the repository has no
-- row its number is the negative of the artifact's; where it has none, or the
-- manifest has no blob row, the types are UNKNOWN. Core reads the manifests
-- later and fills in the rest.
UPDATE artifact SET type = 'IMAGE', repository_id = -id, media_type = 'UNKNOWN', manifest_media_type = 'UNKNOWN';
UPDATE artifact a SET repository_id = r.repository_id
FROM repository r WHERE r.name = a.repository_name;
UPDATE artifact a
SET manifest_media_type = left(b.content_type, 255),
    media_type = CASE b.content_type
        WHEN 'application/vnd.docker.distribution.manifest.v2+json'
            THEN 'application/vnd.docker.container.image.v1+json'
        WHEN 'application/vnd.oci.image.manifest.v1+json'
            THEN 'application/vnd.oci.image.config.v1+json'
        ELSE left(b.content_type, 255)
    END
FROM blob b
WHERE b.digest = a.digest AND a.repository_id > 0;

CREATE TABLE tag (
    id serial PRIMARY KEY,
    repository_id integer NOT NULL,
    artifact_id integer NOT NULL REFERENCES artifact (id),
    name varchar(255) NOT NULL,
    push_time timestamp DEFAULT CURRENT_TIMESTAMP,
    pull_time timestamp,
    CONSTRAINT unique_tag UNIQUE (repository_id, name)
);

-- There was one row per tag. Of the rows with one digest in one repository the
-- first stays; all their tags point to it.
INSERT INTO tag (repository_id, artifact_id, name, push_time, pull_time)
SELECT repository_id, min(id) OVER (PARTITION BY repository_id, digest), tag, push_time, pull_time
FROM artifact
ORDER BY id;
ALTER TABLE artifact DROP CONSTRAINT unique_artifact;
DELETE FROM artifact a WHERE NOT EXISTS (SELECT FROM tag t WHERE t.artifact_id = a.id);
ALTER TABLE artifact
    ALTER COLUMN repository_id SET NOT NULL,
    ALTER COLUMN media_type SET NOT NULL,
    ALTER COLUMN manifest_media_type SET NOT NULL,
    DROP COLUMN tag,
    DROP COLUMN creation_time,
    ADD CONSTRAINT unique_artifact UNIQUE (repository_id, digest);

CREATE TABLE artifact_reference (
    id serial PRIMARY KEY,
    parent_id integer NOT NULL REFERENCES artifact (id),
    child_id integer NOT NULL REFERENCES artifact (id),
    child_digest varchar(255) NOT NULL,
    platform varchar(255),
    urls varchar(1024),
    annotations jsonb,
    CONSTRAINT unique_reference UNIQUE (parent_id, child_id)
);

CREATE TABLE artifact_trash (
    id serial PRIMARY KEY,
    media_type varchar(255) NOT NULL,
    manifest_media_type varchar(255) NOT NULL,
    repository_name varchar(255) NOT NULL,
    digest varchar(255) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_artifact_trash UNIQUE (repository_name, digest)
);

CREATE TABLE label_reference (
    id serial PRIMARY KEY,
    label_id integer NOT NULL REFERENCES harbor_label (id),
    artifact_id integer NOT NULL REFERENCES artifact (id),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_label_reference UNIQUE (label_id, artifact_id)
);

INSERT INTO label_reference (label_id, artifact_id, creation_time, update_time)
SELECT l.label_id, t.artifact_id, l.creation_time, l.update_time
FROM harbor_resource_label l
JOIN artifact a ON l.resource_name LIKE a.repository_name || ':%'
JOIN tag t ON t.artifact_id = a.id AND l.resource_name = a.repository_name || ':' || t.name
WHERE l.resource_type = 'i' AND l.label_id IN (SELECT id FROM harbor_label)
ORDER BY l.id
ON CONFLICT DO NOTHING;
DELETE FROM harbor_resource_label WHERE resource_type = 'i';

CREATE TABLE audit_log (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    operation varchar(20) NOT NULL,
    resource_type varchar(255) NOT NULL,
    resource varchar(1024) NOT NULL,
    username varchar(255) NOT NULL,
    op_time timestamp DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO audit_log (project_id, operation, resource_type, resource, username, op_time)
SELECT project_id, operation,
       CASE WHEN operation IN ('pull', 'push') OR (operation = 'delete' AND COALESCE(repo_tag, 'N/A') <> 'N/A')
                THEN 'artifact'
            WHEN repo_name LIKE '%/' OR repo_name IS NULL THEN 'project'
            ELSE 'repository'
       END,
       COALESCE(rtrim(repo_name, '/'), '') || COALESCE(':' || NULLIF(NULLIF(repo_tag, 'N/A'), ''), ''),
       username, op_time
FROM access_log
WHERE operation IN ('pull', 'push', 'delete', 'create')
ORDER BY log_id;
DROP TABLE access_log;

-- The number of artifacts is no longer limited.
UPDATE quota SET hard = hard - 'count';
UPDATE quota_usage SET used = used - 'count';

-- A project may have several webhooks, told apart by name; each hears of all.
ALTER TABLE notification_policy DROP CONSTRAINT unique_project_id;
UPDATE notification_policy
SET name = 'policy_' || id,
    event_types = '["DOWNLOAD_CHART","DELETE_CHART","UPLOAD_CHART","DELETE_ARTIFACT","PULL_ARTIFACT",'
               || '"PUSH_ARTIFACT","SCANNING_FAILED","SCANNING_COMPLETED","QUOTA_EXCEED","QUOTA_WARNING","REPLICATION"]';
ALTER TABLE notification_policy ADD UNIQUE (name);

-- Core registers scanners of these names itself.
UPDATE scanner_registration SET name = name || '-' || uuid
WHERE name IN ('Clair', 'Trivy') AND NOT immutable;
