-- An execution of tag retention has no trigger. Versions 10 to 41: migration 50
-- fails.

WITH policy AS (
    INSERT INTO retention_policy (data) VALUES ('{}') RETURNING id
)
INSERT INTO retention_execution (policy_id, dry_run, trigger) SELECT id, false, NULL FROM policy;
