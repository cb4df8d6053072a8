-- One thing has two schedules. Versions 40 and 41: migration 50 fails.

INSERT INTO schedule (vendor_type, vendor_id, cron) VALUES ('RETENTION', 4711, '0 0 0 * * *'), ('RETENTION', 4711, '0 0 1 * * *');
