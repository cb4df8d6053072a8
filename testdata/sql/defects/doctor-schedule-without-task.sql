-- A schedule has no cron entry. Versions from 40 on.

INSERT INTO schedule (vendor_type, vendor_id, cron) VALUES ('RETENTION', 4711, '0 0 0 * * *');
