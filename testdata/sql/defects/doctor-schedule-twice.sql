-- The scan of all images has two schedules. Versions from 40 on.

INSERT INTO schedule (vendor_type, vendor_id, cron) VALUES ('SCAN_ALL', 4711, '0 0 0 * * *'), ('SCAN_ALL', NULL, '0 0 1 * * *');
