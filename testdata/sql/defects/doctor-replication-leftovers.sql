-- A replication task kept its status of 1.7. Versions 4 to 41.

WITH execution AS (
    INSERT INTO replication_execution (policy_id, start_time) VALUES (1, '2020-01-01') RETURNING id
)
INSERT INTO replication_task (execution_id, resource_type, src_resource, dst_resource, operation, job_id, status, start_time)
SELECT id, 'image', 'a', 'b', 'copy', 'a1', 'canceled', '2020-01-01' FROM execution;
