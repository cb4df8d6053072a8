-- Replication of Harbor 1.8 to 2.1: policies 8 (nightly) and 9 (named 8), rows
-- of 77, which is gone, and a task of an execution that is gone.
INSERT INTO replication_policy (id, name, enabled, trigger) VALUES (8, 'nightly', true, '{"type":"manual"}'), (9, '8', false, NULL);
INSERT INTO replication_execution (id, policy_id, status, total, failed, succeed, in_progress, stopped, trigger, start_time, end_time) VALUES
	(1, 8, 'InProgress', 3, 0, 1, 2, 0, 'manual', '2019-08-01 10:00:00', NULL),
	(2, 8, 'InProgress', 0, 0, 0, 0, 0, 'scheduled', '2019-08-01 10:00:00', NULL),
	(3, 8, NULL, 0, 0, 0, 0, 0, '', '2019-08-01 10:00:00', NULL),
	(4, 8, 'Succeed', 2, 0, 1, 0, 0, 'manual', '2019-08-01 10:00:00', '2019-08-01 11:00:00'),
	(5, 8, 'Failed', 1, 1, 0, 0, 0, 'manual', '2019-08-01 10:00:00', '2019-08-01 11:00:00'),
	(6, 9, 'InProgress', 1, 0, 0, 1, 0, 'manual', '2019-08-01 10:00:00', NULL),
	(7, 77, 'InProgress', 1, 0, 0, 1, 0, 'manual', '2019-08-01 10:00:00', NULL),
	(8, 8, 'InProgress', 2, 0, 0, 2, 0, 'manual', '2019-08-01 10:00:00', NULL),
	(9, 8, '', 1, 0, 0, 0, 0, 'manual', '2019-08-01 10:00:00', NULL);
INSERT INTO replication_task (id, execution_id, resource_type, src_resource, dst_resource, operation, job_id, status, start_time, end_time) VALUES
	(1, 1, 'image', 'library/a:[v1]', 'copy/a:[v1]', 'copy', 'j1', 'Succeed', '2019-08-01 10:00:00', '2019-08-01 10:30:00'),
	(2, 1, 'image', 'library/b:[v1]', 'copy/b:[v1]', 'copy', 'j2', 'Pending', '2019-08-01 10:00:00', '0001-01-01 00:00:00'),
	(3, 1, 'image', 'library/c:[v1]', 'copy/c:[v1]', 'copy', '', 'InProgress', '2019-08-01 10:00:00', NULL),
	(4, 3, 'image', 'library/d:[v1]', 'copy/d:[v1]', 'copy', 'j4', 'retrying', '2018-05-04 01:00:00', '2018-05-04 01:10:00'),
	(5, 4, 'image', 'library/e:[v1]', 'copy/e:[v1]', 'copy', 'j5', 'canceled', '2018-05-04 01:00:00', NULL),
	(6, 4, 'image', 'library/f:[v1]', 'copy/f:[v1]', 'copy', 'j6', 'Succeed', '2019-08-01 10:00:00', '2019-08-01 11:00:00'),
	(7, 5, 'image', 'library/g:[v1]', 'copy/g:[v1]', 'copy', 'j7', 'Failed', '2019-08-01 10:00:00', '2019-08-01 11:00:00'),
	(8, 6, 'image', 'library/h:[v1]', 'copy/h:[v1]', 'copy', 'j8', 'Initialized', '2019-08-01 10:00:00', NULL),
	(9, 7, 'image', 'library/i:[v1]', 'copy/i:[v1]', 'copy', 'j9', 'InProgress', '2019-08-01 10:00:00', NULL),
	(10, 8, 'image', 'library/j:[v1]', 'copy/j:[v1]', 'copy', 'j10', 'Failed', '2019-08-01 10:00:00', '2019-08-01 10:20:00'),
	(11, 8, 'image', 'library/k:[v1]', 'copy/k:[v1]', 'copy', 'j11', NULL, '2019-08-01 10:00:00', NULL),
	(12, 9, 'image', 'library/l:[v1]', 'copy/l:[v1]', 'copy', 'j12', 'Succeed', '2019-08-01 10:00:00', '2019-08-01 10:40:00'),
	(13, 404, 'image', 'library/m:[v1]', 'copy/m:[v1]', 'copy', 'j13', 'stopped', '2019-08-01 10:00:00', NULL);
-- A replication that runs right now.
INSERT INTO replication_execution (id, policy_id, status, total, in_progress, trigger, start_time) VALUES (10, 8, 'InProgress', 2, 2, 'manual', '@hour ago@');
INSERT INTO replication_task (id, execution_id, resource_type, src_resource, dst_resource, operation, job_id, status, start_time) VALUES
	(14, 10, 'image', 'library/young:[v1]', 'copy/young:[v1]', 'copy', 'j14', 'InProgress', '@hour ago@'),
	(15, 10, 'image', 'library/young:[v2]', 'copy/young:[v2]', 'copy', 'j15', 'Pending', '@hour ago@');
