-- What the converter of Harbor 1.6 made of a MySQL database of 1.5, as the
-- difference from the first schema of a new installation. It created the tables
-- through another library: sequences belong to no column and have other names,
-- one table lacks its sequence, and keys are called as they were on MySQL.

DO $$
DECLARE
    part record;
    new_name text;
    highest bigint;
BEGIN
    FOR part IN
        SELECT c.relname AS tbl, a.attname AS col, s.oid::regclass AS seq
        FROM pg_class s
        JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' AND d.classid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.refobjid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
        WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace
          AND c.relname NOT IN ('admin_job', 'access')
        ORDER BY c.relname
    LOOP
        new_name := part.tbl || '_' || part.col;
        EXECUTE format('CREATE SEQUENCE %I', new_name);
        EXECUTE format('SELECT max(%I) FROM %I', part.col, part.tbl) INTO highest;
        IF highest IS NOT NULL THEN
            PERFORM setval(new_name::regclass, highest);
        END IF;
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT nextval(%L)', part.tbl, part.col, new_name);
        EXECUTE format('DROP SEQUENCE %s', part.seq);
    END LOOP;
END
$$;

ALTER TABLE access ALTER COLUMN access_id DROP DEFAULT;
DROP SEQUENCE access_access_id_seq;

CREATE SEQUENCE schema_migrations_version_seq OWNED BY schema_migrations.version;
ALTER TABLE schema_migrations ALTER COLUMN version SET DEFAULT nextval('schema_migrations_version_seq');

ALTER TABLE harbor_label RENAME CONSTRAINT unique_label TO unique_name_and_scope;
ALTER TABLE project RENAME CONSTRAINT project_owner_id_fkey TO project_ibfk_1;
ALTER TABLE project_metadata RENAME CONSTRAINT project_metadata_project_id_fkey TO project_metadata_ibfk_1;

-- The moment of the conversion became the default of this one table.
DROP INDEX admin_job_status;
DROP INDEX admin_job_uuid;
CREATE INDEX status ON admin_job (job_uuid);
ALTER TABLE admin_job
    ALTER COLUMN creation_time SET DEFAULT '2018-09-10 08:15:30.123456',
    ALTER COLUMN update_time SET DEFAULT '2018-09-10 08:15:30.123456';

-- Zero dates of MySQL came over as the first day of the first year. The
-- triggers would write the current time over them.
ALTER TABLE harbor_user DISABLE TRIGGER USER;
ALTER TABLE project DISABLE TRIGGER USER;
UPDATE harbor_user
SET email = username || '@example.com', creation_time = '0001-01-01 00:00:00', update_time = '0001-01-01 00:00:00';
UPDATE project SET creation_time = '0001-01-01 00:00:00', update_time = '0001-01-01 00:00:00';
ALTER TABLE harbor_user ENABLE TRIGGER USER;
ALTER TABLE project ENABLE TRIGGER USER;
