-- A replication belongs to a policy that is gone. Versions from 50 on.

INSERT INTO execution (vendor_type, vendor_id, status, trigger) VALUES ('REPLICATION', 4711, 'Success', 'MANUAL');
