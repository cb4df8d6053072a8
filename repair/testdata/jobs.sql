-- Replication up to Harbor 1.7, on any engine: policies 8 (nightly), 9 (named
-- 8), 3 (deleted), and rows of 77, which is gone.
INSERT INTO replication_policy (id, name, project_id, target_id, enabled, deleted, cron_str) VALUES
	(8, 'nightly', 1, 1, true, false, '{"kind":"Manual"}'),
	(9, '8', 1, 1, false, false, '{"kind":"Immediate"}'),
	(3, 'old', 1, 1, true, true, '{"kind":"Manual"}');
INSERT INTO replication_job (id, status, policy_id, repository, operation, tags, creation_time, update_time) VALUES
	(1, 'pending', 8, 'library/a', 'transfer', 'v1,v2', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(2, 'running', 8, 'library/b', 'transfer', NULL, '2018-05-04 01:00:00', '2018-05-04 04:00:00'),
	(3, 'retrying', 8, 'library/c', 'delete', '', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(4, 'finished', 8, 'library/d', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(5, 'error', 8, 'library/e', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(6, 'stopped', 8, 'library/f', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(7, 'canceled', 8, 'library/g', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(8, 'scheduled', 8, 'library/h', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(9, 'pending', 8, '', 'schedule', NULL, '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(10, 'running', 9, 'library/i', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(11, 'pending', 3, 'library/j', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(12, 'pending', 77, 'library/k', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00'),
	(13, '', 8, 'library/l', 'transfer', 'v1', '2018-05-04 01:00:00', '2018-05-04 01:00:00');
-- A replication that runs right now.
INSERT INTO replication_job (id, status, policy_id, repository, operation, tags, creation_time, update_time) VALUES
	(14, 'running', 8, 'library/young', 'transfer', 'v1', '@hour ago@', '@hour ago@');
