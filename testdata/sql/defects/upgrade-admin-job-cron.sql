-- The schedule of garbage collection is a bare cron line instead of JSON. Any
-- version up to 41: migration 50 fails.

UPDATE admin_job SET deleted = true WHERE job_kind = 'Periodic';
INSERT INTO admin_job (job_name, job_kind, cron_str, status, job_uuid, deleted) VALUES ('IMAGE_GC', 'Periodic', '0 0 0 * * *', 'pending', 'a1', false);
