-- A cron entry belongs to a schedule that is gone. Versions from 50 on.

WITH made AS (
    INSERT INTO execution (vendor_type, vendor_id, status, trigger) VALUES ('SCHEDULER', 4711, 'Running', 'MANUAL') RETURNING id
)
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code) SELECT 'SCHEDULER', id, 'a1', 'Running', 2 FROM made;
