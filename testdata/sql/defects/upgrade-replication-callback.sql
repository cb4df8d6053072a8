-- A schedule of replication does not name its policy by a number. Versions 50
-- to 111: migration 120 fails.

INSERT INTO schedule (vendor_type, vendor_id, cron, callback_func_name, callback_func_param)
VALUES ('REPLICATION', 4711, '0 0 0 * * *', 'REPLICATION_CALLBACK', 'nightly');
