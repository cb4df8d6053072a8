-- A task of tag retention has no status. Versions 10 to 41: migration 50 fails.

WITH policy AS (
    INSERT INTO retention_policy (data) VALUES ('{}') RETURNING id
), execution AS (
    INSERT INTO retention_execution (policy_id, dry_run, trigger) SELECT id, false, 'Manual' FROM policy RETURNING id
)
INSERT INTO retention_task (execution_id, repository, job_id, status) SELECT id, 'library/a', 'a1', NULL FROM execution;
