-- The parameters of a garbage collection are no JSON. Versions 30 to 41:
-- migration 50 fails.

INSERT INTO admin_job (job_name, job_kind, cron_str, status, job_uuid, deleted, job_parameters) VALUES ('IMAGE_GC', 'Generic', '', 'finished', 'a1', false, 'delete_untagged');
