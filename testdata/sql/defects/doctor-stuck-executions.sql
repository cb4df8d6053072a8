-- A replication without any task is under way. Versions from 50 on.

INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time) VALUES ('REPLICATION', 1, 'Running', 'MANUAL', '2020-01-01');
