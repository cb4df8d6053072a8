-- Harbor 2.14.0: permissions get 64-bit ids; at most one run of a replication
-- at a time; the status of a vulnerability.

ALTER TABLE replication_policy ADD COLUMN IF NOT EXISTS single_active_replication boolean;
ALTER TABLE vulnerability_record ADD COLUMN IF NOT EXISTS status text;

ALTER TABLE role_permission
    ALTER COLUMN id TYPE bigint,
    ALTER COLUMN permission_policy_id TYPE bigint;
ALTER SEQUENCE role_permission_id_seq AS bigint;
ALTER TABLE permission_policy ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE permission_policy_id_seq AS bigint;
