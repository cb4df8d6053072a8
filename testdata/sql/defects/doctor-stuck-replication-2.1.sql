-- A replication task has been under way for a long time. Versions 4 to 41.

WITH execution AS (
    INSERT INTO replication_execution (policy_id, status, total, in_progress, start_time) VALUES (1, 'InProgress', 1, 1, '2020-01-01') RETURNING id
)
INSERT INTO replication_task (execution_id, resource_type, src_resource, dst_resource, operation, job_id, status, start_time)
SELECT id, 'image', 'a', 'b', 'copy', 'a1', 'InProgress', '2020-01-01' FROM execution;
