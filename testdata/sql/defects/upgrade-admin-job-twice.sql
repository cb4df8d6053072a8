-- Garbage collection has two schedules. Any version up to 41: migration 50
-- fails.

INSERT INTO admin_job (job_name, job_kind, cron_str, status, job_uuid, deleted) VALUES
    ('IMAGE_GC', 'Periodic', '{"type":"Daily","cron":"0 0 0 * * *"}', 'pending', 'a1', false),
    ('IMAGE_GC', 'Periodic', '{"type":"Daily","cron":"0 0 1 * * *"}', 'pending', 'b2', false);
