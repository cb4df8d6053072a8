-- Harbor 2.14.1: new installations keep the audit log out of the database. Who
-- has one keeps it, which the sequences of the two logs tell. No change of the
-- catalog.

INSERT INTO properties (k, v)
SELECT 'skip_audit_log_database', 'false'
WHERE (SELECT last_value FROM audit_log_id_seq) > 1
   OR (SELECT last_value FROM audit_log_ext_id_seq) > 1
ON CONFLICT (k) DO NOTHING;
