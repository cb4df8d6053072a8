-- Harbor 2.6.0: files that Harbor keeps for itself, such as exported CVE
-- lists; indexes for garbage collection and audit logs.

CREATE TABLE IF NOT EXISTS system_artifact (
    id serial PRIMARY KEY,
    repository varchar(256) NOT NULL,
    digest varchar(255) NOT NULL DEFAULT '',
    size bigint NOT NULL DEFAULT 0,
    vendor varchar(255) NOT NULL DEFAULT '',
    type varchar(255) NOT NULL DEFAULT '',
    create_time timestamp DEFAULT CURRENT_TIMESTAMP,
    extra_attrs text NOT NULL DEFAULT '',
    UNIQUE (repository, digest, vendor)
);

CREATE INDEX IF NOT EXISTS idx_artifact_blob_digest_blob ON artifact_blob (digest_blob);
CREATE INDEX IF NOT EXISTS idx_artifact_digest_project_id ON artifact (digest, project_id);
CREATE INDEX IF NOT EXISTS idx_audit_log_project_id_optime ON audit_log (project_id, op_time);
CREATE INDEX IF NOT EXISTS idx_execution_vendor_type_vendor_id ON execution (vendor_type, vendor_id);
CREATE INDEX IF NOT EXISTS idx_execution_start_time ON execution (start_time);
CREATE INDEX IF NOT EXISTS idx_artifact_repository_name ON artifact (repository_name);

UPDATE project_metadata SET value = 'false'
WHERE name = 'public' AND COALESCE(value, '') NOT IN ('true', 'false');

-- The repair of 2.5.3 once more, for who comes from 2.5.2.
UPDATE execution e
SET status = 'Success', revision = COALESCE(e.revision, 0) + 1, end_time = t.end_time
FROM (SELECT execution_id, max(end_time) AS end_time
      FROM task GROUP BY execution_id HAVING bool_and(status = 'Success')) t
WHERE t.execution_id = e.id AND e.status = 'Running';
