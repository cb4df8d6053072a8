-- A replication has ended and its task has not. Versions from 50 on.

WITH made AS (
    INSERT INTO execution (vendor_type, vendor_id, status, trigger) VALUES ('REPLICATION', 1, 'Success', 'MANUAL') RETURNING id
)
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, creation_time)
SELECT 'REPLICATION', id, 'a1', 'Pending', 0, '2020-01-01' FROM made;
