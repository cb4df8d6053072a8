-- Harbor 1.6.0: the first schema on PostgreSQL, with the rows that every new
-- installation starts with. The seeded users carry no e-mail address, as from
-- 1.9.0 on; 1.6 to 1.8 wrote a placeholder address there.

CREATE FUNCTION update_update_time_at_column() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.update_time := NOW();
    RETURN NEW;
END
$$;

-- Users, projects and who may do what in them.

CREATE TABLE harbor_user (
    user_id serial PRIMARY KEY,
    username varchar(255) UNIQUE,
    email varchar(255) UNIQUE,
    password varchar(40) NOT NULL,
    realname varchar(255) NOT NULL,
    comment varchar(30),
    deleted boolean NOT NULL DEFAULT false,
    reset_uuid varchar(40) DEFAULT NULL,
    salt varchar(40) DEFAULT NULL,
    sysadmin_flag boolean NOT NULL DEFAULT false,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE project (
    project_id serial PRIMARY KEY,
    owner_id integer NOT NULL REFERENCES harbor_user (user_id),
    name varchar(255) NOT NULL UNIQUE,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    deleted boolean NOT NULL DEFAULT false
);

CREATE TABLE project_member (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    entity_id integer NOT NULL,
    entity_type char(1) NOT NULL,
    role integer NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_project_entity_type UNIQUE (project_id, entity_id, entity_type)
);

CREATE TABLE project_metadata (
    id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES project (project_id),
    name varchar(255) NOT NULL,
    value varchar(255),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    deleted boolean NOT NULL DEFAULT false,
    CONSTRAINT unique_project_id_and_name UNIQUE (project_id, name)
);

CREATE TABLE user_group (
    id serial PRIMARY KEY,
    group_name varchar(255) NOT NULL,
    group_type smallint DEFAULT 0,
    ldap_group_dn varchar(512) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE access (
    access_id serial PRIMARY KEY,
    access_code char(1),
    comment varchar(30)
);

CREATE TABLE role (
    role_id serial PRIMARY KEY,
    role_mask integer NOT NULL DEFAULT 0,
    role_code varchar(20),
    name varchar(20)
);

-- Repositories, their labels and the log of what was pulled and pushed. The
-- tags themselves are not in this schema; the registry alone knows them.

CREATE TABLE repository (
    repository_id serial PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    project_id integer NOT NULL,
    description text,
    pull_count integer NOT NULL DEFAULT 0,
    star_count integer NOT NULL DEFAULT 0,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE access_log (
    log_id serial PRIMARY KEY,
    username varchar(255) NOT NULL,
    project_id integer NOT NULL,
    repo_name varchar(256),
    repo_tag varchar(128),
    guid varchar(64),
    operation varchar(20) NOT NULL,
    op_time timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX pid_optime ON access_log (project_id, op_time);

CREATE TABLE harbor_label (
    id serial PRIMARY KEY,
    name varchar(128) NOT NULL,
    description text,
    color varchar(16),
    level char(1) NOT NULL,
    scope char(1) NOT NULL,
    project_id integer,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    deleted boolean NOT NULL DEFAULT false,
    CONSTRAINT unique_label UNIQUE (name, scope, project_id)
);

CREATE TABLE harbor_resource_label (
    id serial PRIMARY KEY,
    label_id integer NOT NULL,
    resource_id integer,
    resource_name varchar(256),
    resource_type char(1) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT unique_label_resource UNIQUE (label_id, resource_id, resource_name, resource_type)
);

-- Replication: a policy copies one project to one target, a job is one image
-- or, with operation "schedule", the policy's cron entry.

CREATE TABLE replication_policy (
    id serial PRIMARY KEY,
    name varchar(256),
    project_id integer NOT NULL,
    target_id integer NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text,
    deleted boolean NOT NULL DEFAULT false,
    cron_str varchar(256),
    filters varchar(1024),
    replicate_deletion boolean NOT NULL DEFAULT false,
    start_time timestamp,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE replication_target (
    id serial PRIMARY KEY,
    name varchar(64),
    url varchar(64),
    username varchar(255),
    password varchar(128),
    target_type smallint NOT NULL DEFAULT 0,
    insecure boolean NOT NULL DEFAULT false,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE replication_job (
    id serial PRIMARY KEY,
    status varchar(64) NOT NULL,
    policy_id integer NOT NULL,
    repository varchar(256) NOT NULL,
    operation varchar(64) NOT NULL,
    tags varchar(16384),
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX poid_status ON replication_job (policy_id, status);
CREATE INDEX poid_uptime ON replication_job (policy_id, update_time);
CREATE INDEX policy ON replication_job (policy_id);

CREATE TABLE replication_immediate_trigger (
    id serial PRIMARY KEY,
    policy_id integer NOT NULL,
    namespace varchar(256) NOT NULL,
    on_push boolean NOT NULL DEFAULT false,
    on_deletion boolean NOT NULL DEFAULT false,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

-- Clair's results, background jobs, settings, and the version mark of the
-- tool that migrated Harbor before 1.6.

CREATE TABLE img_scan_job (
    id serial PRIMARY KEY,
    status varchar(64) NOT NULL,
    repository varchar(256) NOT NULL,
    tag varchar(128) NOT NULL,
    digest varchar(128),
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_digest ON img_scan_job (digest);
CREATE INDEX idx_repository_tag ON img_scan_job (repository, tag);
CREATE INDEX idx_status ON img_scan_job (status);
CREATE INDEX idx_uuid ON img_scan_job (job_uuid);

CREATE TABLE img_scan_overview (
    id serial PRIMARY KEY,
    image_digest varchar(128) NOT NULL UNIQUE,
    scan_job_id integer NOT NULL,
    severity integer NOT NULL DEFAULT 0,
    components_overview varchar(2048),
    details_key varchar(128),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE clair_vuln_timestamp (
    id serial PRIMARY KEY,
    namespace varchar(128) NOT NULL UNIQUE,
    last_update timestamp NOT NULL
);

CREATE TABLE admin_job (
    id serial PRIMARY KEY,
    job_name varchar(64) NOT NULL,
    job_kind varchar(64) NOT NULL,
    cron_str varchar(256),
    status varchar(64) NOT NULL,
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP,
    deleted boolean NOT NULL DEFAULT false
);
CREATE INDEX admin_job_status ON admin_job (status);
CREATE INDEX admin_job_uuid ON admin_job (job_uuid);

CREATE TABLE properties (
    id serial PRIMARY KEY,
    k varchar(64) NOT NULL UNIQUE,
    v varchar(128) NOT NULL
);

CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL
);

CREATE TRIGGER harbor_user_update_time_at_modtime BEFORE UPDATE ON harbor_user
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER project_update_time_at_modtime BEFORE UPDATE ON project
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER project_member_update_time_at_modtime BEFORE UPDATE ON project_member
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER project_metadata_update_time_at_modtime BEFORE UPDATE ON project_metadata
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER user_group_update_time_at_modtime BEFORE UPDATE ON user_group
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER repository_update_time_at_modtime BEFORE UPDATE ON repository
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER replication_policy_update_time_at_modtime BEFORE UPDATE ON replication_policy
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER replication_target_update_time_at_modtime BEFORE UPDATE ON replication_target
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER replication_job_update_time_at_modtime BEFORE UPDATE ON replication_job
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER replication_immediate_trigger_update_time_at_modtime BEFORE UPDATE ON replication_immediate_trigger
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER img_scan_job_update_time_at_modtime BEFORE UPDATE ON img_scan_job
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER img_scan_overview_update_time_at_modtime BEFORE UPDATE ON img_scan_overview
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER harbor_label_update_time_at_modtime BEFORE UPDATE ON harbor_label
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER harbor_resource_label_update_time_at_modtime BEFORE UPDATE ON harbor_resource_label
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();
CREATE TRIGGER admin_job_update_time_at_modtime BEFORE UPDATE ON admin_job
    FOR EACH ROW EXECUTE PROCEDURE update_update_time_at_column();

INSERT INTO access (access_code, comment) VALUES
    ('M', 'manage the project'),
    ('R', 'read: pull'),
    ('W', 'write: push'),
    ('D', 'delete'),
    ('S', 'search');

INSERT INTO role (role_code, name) VALUES
    ('MDRWS', 'projectAdmin'),
    ('RWS', 'developer'),
    ('RS', 'guest');

-- The administrator's password is set when core starts for the first time.
INSERT INTO harbor_user (username, password, realname, comment, deleted, sysadmin_flag) VALUES
    ('admin', '', 'system admin', 'admin user', false, true),
    ('anonymous', '', 'anonymous user', 'anonymous user', true, false);

INSERT INTO project (owner_id, name) VALUES (1, 'library');
INSERT INTO project_member (project_id, entity_id, entity_type, role) VALUES (1, 1, 'u', 1);
INSERT INTO project_metadata (project_id, name, value) VALUES (1, 'public', 'true');

INSERT INTO alembic_version (version_num) VALUES ('1.6.0');
