-- Harbor 2.5.0: signatures and other accessories of artifacts; the records of
-- vulnerabilities get 64-bit ids; times of retention policies that were only
-- times of day become timestamps of today.

CREATE TABLE artifact_accessory (
    id serial PRIMARY KEY,
    artifact_id bigint REFERENCES artifact (id),
    subject_artifact_id bigint REFERENCES artifact (id),
    type varchar(256),
    size bigint,
    digest varchar(1024),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_artifact_accessory UNIQUE (artifact_id, subject_artifact_id)
);

ALTER TABLE vulnerability_record ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE vulnerability_record_id_seq AS bigint;
ALTER TABLE report_vulnerability_record ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE report_vulnerability_record_id_seq AS bigint;

ALTER TABLE retention_policy
    ALTER COLUMN create_time TYPE timestamp USING CURRENT_DATE + create_time,
    ALTER COLUMN update_time TYPE timestamp USING CURRENT_DATE + update_time;

CREATE INDEX idx_task_job_id ON task (job_id);
