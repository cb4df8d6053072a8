-- Announced for Harbor 2.16.0: robots get 64-bit ids, at most what a JSON
-- number holds exactly; long access keys; where an accessory came from.

ALTER TABLE robot
    ALTER COLUMN id TYPE bigint,
    ALTER COLUMN creator_ref TYPE bigint;
ALTER SEQUENCE robot_id_seq AS bigint MAXVALUE 9007199254740991;
ALTER TABLE role_permission ALTER COLUMN role_id TYPE bigint;

ALTER TABLE registry ALTER COLUMN access_key TYPE varchar(4096);
ALTER TABLE artifact_accessory ADD COLUMN IF NOT EXISTS source varchar(50) DEFAULT 'local';
