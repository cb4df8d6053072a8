-- A task that has ended has the code of one that runs. Versions from 50 on.

WITH made AS (
    INSERT INTO execution (vendor_type, vendor_id, status, trigger) VALUES ('REPLICATION', 1, 'Success', 'MANUAL') RETURNING id
)
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code) SELECT 'REPLICATION', id, 'a1', 'Success', 2 FROM made;
