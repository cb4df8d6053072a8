-- A replication job has been running for a long time. Versions 1 to 3.

INSERT INTO replication_job (status, policy_id, repository, operation, tags) VALUES ('running', 1, 'library/a', 'transfer', 'latest');
ALTER TABLE replication_job DISABLE TRIGGER ALL;
UPDATE replication_job SET update_time = '2020-01-01' WHERE status = 'running';
ALTER TABLE replication_job ENABLE TRIGGER ALL;
