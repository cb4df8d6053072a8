-- A replication policy is to run on a schedule that is not there. Versions from
-- 50 on.

INSERT INTO replication_policy (name, enabled, dest_registry_id, trigger)
VALUES ('never runs', true, 0, '{"type":"scheduled","trigger_settings":{"cron":"0 0 0 * * *"}}');
