-- One replication policy has two schedules. Versions 4 to 41: migration 50
-- fails.

WITH policy AS (
    INSERT INTO replication_policy (name, dest_registry_id, enabled, trigger)
    VALUES ('scheduled twice', 1, true, '{"type":"scheduled","trigger_settings":{"cron":"0 0 0 * * *"}}')
    RETURNING id
)
INSERT INTO replication_schedule_job (status, policy_id, job_id)
SELECT 'scheduled', id, job FROM policy, unnest(ARRAY['a1', 'b2']) job;
