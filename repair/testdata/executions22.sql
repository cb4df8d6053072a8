-- Background work of Harbor 2.2 and later: replication policies 8 (nightly) and
-- 9 (named 8), rows of 77, which is gone, and work of other kinds.
INSERT INTO replication_policy (id, name, enabled, trigger) VALUES (8, 'nightly', true, '{"type":"manual"}'), (9, '8', false, NULL);
INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, end_time, revision, update_time) VALUES
	(1, 'REPLICATION', 8, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 3, '2023-03-01 10:30:00'),
	(2, 'REPLICATION', 8, 'Running', 'SCHEDULE', NULL, '2023-03-01 10:00:00', NULL, 0, '2023-03-01 10:00:00'),
	(3, 'REPLICATION', 8, NULL, 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, NULL, NULL),
	(4, 'REPLICATION', 8, 'Success', 'EVENT', '{}', '2023-03-01 10:00:00', '2023-03-01 11:00:00', 5, '2023-03-01 11:00:00'),
	(5, 'REPLICATION', 8, 'Error', 'MANUAL', '{}', '2023-03-01 10:00:00', '2023-03-01 11:00:00', 2, '2023-03-01 11:00:00'),
	(6, 'REPLICATION', 9, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 1, '2023-03-01 10:00:00'),
	(7, 'REPLICATION', 77, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 1, '2023-03-01 10:00:00'),
	(8, 'REPLICATION', 8, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 7, '2023-03-01 10:00:00'),
	(9, 'REPLICATION', 8, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 9, '2023-03-01 10:00:00'),
	(10, 'REPLICATION', 8, 'Stopped', 'MANUAL', '{}', '2023-03-01 10:00:00', '2023-03-01 11:00:00', 1, '2023-03-01 11:00:00'),
	(20, 'SCHEDULER', 5, NULL, 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 0, NULL),
	(21, 'GARBAGE_COLLECTION', -1, 'Running', 'SCHEDULE', '{"redis_url_reg":"redis://:secret@redis:6379/1"}', '2023-03-01 10:00:00', NULL, 1, '2023-03-01 10:00:00'),
	(22, 'IMAGE_SCAN', 1, 'Running', 'MANUAL', '{"artifact":{"repository_name":"library/scanned"}}', '2023-03-01 10:00:00', NULL, 1, '2023-03-01 10:00:00'),
	(23, 'SCAN_ALL', 0, 'Running', 'MANUAL', '{}', '2023-03-01 10:00:00', NULL, 1, '2023-03-01 10:00:00');
INSERT INTO task (id, execution_id, vendor_type, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, start_time, update_time, end_time) VALUES
	(1, 1, 'REPLICATION', 'j1', 'Success', 3, 1677664800, 1, '{"operation":"copy","source_resource":"library/a:[v1]"}', '2023-03-01 10:00:00', '2023-03-01 10:00:05', '2023-03-01 10:30:00', '2023-03-01 10:30:00'),
	(2, 1, 'REPLICATION', 'j2', 'Pending', 0, 0, 0, '{"operation":"copy","source_resource":"library/b:[v1]"}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', '0001-01-01 00:00:00'),
	(3, 1, 'REPLICATION', NULL, 'Running', 2, 1677664800, 1, NULL, '2023-03-01 10:00:00', '2023-03-01 10:00:05', '2023-03-01 10:00:05', NULL),
	(4, 3, 'REPLICATION', 'j4', 'Scheduled', 1, 0, 0, '{}', '2023-03-01 10:00:00', NULL, NULL, NULL),
	(5, 4, 'REPLICATION', 'j5', 'Pending', 0, NULL, NULL, '{}', '2023-03-01 10:00:00', NULL, NULL, NULL),
	(6, 4, 'REPLICATION', 'j6', 'Success', 3, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 11:00:00', '2023-03-01 11:00:00'),
	(7, 5, 'REPLICATION', 'j7', 'Error', 3, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 11:00:00', '2023-03-01 11:00:00'),
	(8, 6, 'REPLICATION', 'j8', 'Running', 2, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL),
	(9, 7, 'REPLICATION', 'j9', 'Running', 2, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL),
	(10, 8, 'REPLICATION', 'j10', 'Success', 3, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:20:00', '2023-03-01 10:20:00'),
	(11, 8, 'REPLICATION', 'j11', 'Success', 3, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:50:00', '2023-03-01 10:50:00'),
	(12, 9, 'REPLICATION', 'j12', 'Error', 3, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:20:00', '2023-03-01 10:20:00'),
	(13, 9, 'REPLICATION', 'j13', 'retrying', 0, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL),
	(14, 10, 'REPLICATION', 'j14', 'Stopped', 0, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 11:00:00', NULL),
	(20, 20, 'SCHEDULER', 'cron', 'Running', 2, 0, 0, '{}', '2023-03-01 10:00:00', NULL, NULL, NULL),
	(21, 21, 'GARBAGE_COLLECTION', 'gc', 'Running', 2, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL),
	(22, 22, 'IMAGE_SCAN', 'scan', 'Running', 2, 0, 1, '{"report_uuids":["u"]}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL),
	(23, 23, 'IMAGE_SCAN', 'all', 'Pending', 0, 0, 1, '{}', '2023-03-01 10:00:00', NULL, '2023-03-01 10:00:00', NULL);
-- A replication that runs right now.
INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, revision, update_time) VALUES
	(11, 'REPLICATION', 8, 'Running', 'MANUAL', '{}', '@hour ago@', 0, '@hour ago@');
INSERT INTO task (id, execution_id, vendor_type, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time) VALUES
	(15, 11, 'REPLICATION', 'j15', 'Running', 2, 0, 1, '{}', '@hour ago@', '@hour ago@'),
	(16, 11, 'REPLICATION', 'j16', 'Pending', 0, 0, 1, '{}', '@hour ago@', '@hour ago@');
