-- A replication without any task is under way. Versions 4 to 41.

INSERT INTO replication_execution (policy_id, status, start_time) VALUES (1, 'InProgress', '2020-01-01');
