-- Harbor 1.7.0: names of policies and targets become unique, and job logs can
-- be kept in the database. Duplicates that exist are renamed to name_2, name_3
-- and so on first, the oldest row keeps its name (1.7.0 itself did not do that
-- and failed; 1.7.1 does).

CREATE TABLE job_log (
    log_id serial PRIMARY KEY,
    job_uuid varchar(64) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    content text
);
CREATE UNIQUE INDEX job_log_uuid ON job_log (job_uuid);

ALTER TABLE properties ALTER COLUMN v TYPE varchar(1024);
DELETE FROM properties WHERE k = 'scan_all_policy';

UPDATE replication_policy p
SET name = p.name || '_' || d.nth
FROM (SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS nth
      FROM replication_policy WHERE name IS NOT NULL) d
WHERE d.id = p.id AND d.nth > 1;
ALTER TABLE replication_policy ADD CONSTRAINT unique_policy_name UNIQUE (name);

UPDATE replication_target t
SET name = t.name || '_' || d.nth
FROM (SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS nth
      FROM replication_target WHERE name IS NOT NULL) d
WHERE d.id = t.id AND d.nth > 1;
ALTER TABLE replication_target ADD CONSTRAINT unique_target_name UNIQUE (name);
