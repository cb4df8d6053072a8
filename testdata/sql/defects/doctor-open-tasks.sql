-- A garbage collection has been running for a long time. Versions from 50 on.

WITH made AS (
    INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time) VALUES ('GARBAGE_COLLECTION', -1, 'Running', 'MANUAL', '2020-01-01') RETURNING id
)
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, creation_time, start_time, update_time)
SELECT 'GARBAGE_COLLECTION', id, 'a1', 'Running', 2, '2020-01-01', '2020-01-01', '2020-01-01' FROM made;
