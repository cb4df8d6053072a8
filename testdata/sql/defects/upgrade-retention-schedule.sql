-- A retention policy names its schedule by something that is no number.
-- Versions 10 to 31: migration 40 fails.

INSERT INTO schedule (job_id, status) VALUES ('f2b1c0d9', 'Pending');
INSERT INTO retention_policy (data) VALUES ('{"trigger": {"kind": "Schedule", "references": {"job_id": "nightly"}, "settings": {"cron": "0 0 0 * * *"}}}');
