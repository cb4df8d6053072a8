-- Harbor 1.5.0, on MariaDB 10: labels, user groups; the last schema before
-- PostgreSQL.
--
-- A timestamp that says neither NULL nor a default is nullable where the server
-- takes it at its word (explicit_defaults_for_timestamp), else it is NOT NULL with
-- the zero date as default.

ALTER DATABASE CHARACTER SET utf8 COLLATE utf8_general_ci;

CREATE TABLE `access` (
    access_id int AUTO_INCREMENT PRIMARY KEY,
    access_code char(1),
    `comment` varchar(30)
);

CREATE TABLE `role` (
    role_id int AUTO_INCREMENT PRIMARY KEY,
    role_mask int NOT NULL DEFAULT 0,
    role_code varchar(20),
    name varchar(20)
);

CREATE TABLE `user` (
    user_id int AUTO_INCREMENT PRIMARY KEY,
    username varchar(255) UNIQUE,
    email varchar(255) UNIQUE,
    password varchar(40) NOT NULL,
    realname varchar(255) NOT NULL,
    `comment` varchar(30),
    deleted tinyint(1) NOT NULL DEFAULT 0,
    reset_uuid varchar(40),
    salt varchar(40),
    sysadmin_flag tinyint(1),
    creation_time timestamp,
    update_time timestamp
);

CREATE TABLE project (
    project_id int AUTO_INCREMENT PRIMARY KEY,
    owner_id int NOT NULL,
    name varchar(255) NOT NULL UNIQUE,
    creation_time timestamp,
    update_time timestamp,
    deleted tinyint(1) NOT NULL DEFAULT 0,
    FOREIGN KEY (owner_id) REFERENCES `user` (user_id)
);

CREATE TABLE project_member (
    id int AUTO_INCREMENT PRIMARY KEY,
    project_id int NOT NULL,
    entity_id int NOT NULL,
    entity_type char(1) NOT NULL,
    `role` int NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT unique_project_entity_type UNIQUE (project_id, entity_id, entity_type)
);

CREATE TABLE project_metadata (
    id int AUTO_INCREMENT PRIMARY KEY,
    project_id int NOT NULL,
    name varchar(255) NOT NULL,
    value varchar(255),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    deleted tinyint(1) NOT NULL DEFAULT 0,
    CONSTRAINT unique_project_id_and_name UNIQUE (project_id, name),
    FOREIGN KEY (project_id) REFERENCES project (project_id)
);

CREATE TABLE user_group (
    id int AUTO_INCREMENT PRIMARY KEY,
    group_name varchar(255) NOT NULL,
    group_type int DEFAULT 0,
    ldap_group_dn varchar(512) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE access_log (
    log_id int AUTO_INCREMENT PRIMARY KEY,
    username varchar(255) NOT NULL,
    project_id int NOT NULL,
    repo_name varchar(256),
    repo_tag varchar(128),
    GUID varchar(64),
    operation varchar(20) NOT NULL,
    op_time timestamp,
    INDEX pid_optime (project_id, op_time)
);

CREATE TABLE repository (
    repository_id int AUTO_INCREMENT PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    project_id int NOT NULL,
    description text,
    pull_count int NOT NULL DEFAULT 0,
    star_count int NOT NULL DEFAULT 0,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE harbor_label (
    id int AUTO_INCREMENT PRIMARY KEY,
    name varchar(128) NOT NULL,
    description text,
    color varchar(16),
    level char(1) NOT NULL,
    scope char(1) NOT NULL,
    project_id int,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT unique_label UNIQUE (name, scope, project_id)
);

CREATE TABLE harbor_resource_label (
    id int AUTO_INCREMENT PRIMARY KEY,
    label_id int NOT NULL,
    resource_id int,
    resource_name varchar(256),
    resource_type char(1) NOT NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT unique_label_resource UNIQUE (label_id, resource_id, resource_name, resource_type)
);

CREATE TABLE replication_policy (
    id int AUTO_INCREMENT PRIMARY KEY,
    name varchar(256),
    project_id int NOT NULL,
    target_id int NOT NULL,
    enabled tinyint(1) NOT NULL DEFAULT 1,
    description text,
    deleted tinyint(1) NOT NULL DEFAULT 0,
    cron_str varchar(256),
    filters varchar(1024),
    replicate_deletion tinyint(1) NOT NULL DEFAULT 0,
    start_time timestamp NULL,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE replication_target (
    id int AUTO_INCREMENT PRIMARY KEY,
    name varchar(64),
    url varchar(64),
    username varchar(255),
    password varchar(128),
    target_type tinyint(1) NOT NULL DEFAULT 0,
    insecure tinyint(1) NOT NULL DEFAULT 0,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE replication_job (
    id int AUTO_INCREMENT PRIMARY KEY,
    status varchar(64) NOT NULL,
    policy_id int NOT NULL,
    repository varchar(256) NOT NULL,
    operation varchar(64) NOT NULL,
    tags varchar(16384),
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    INDEX poid_status (policy_id, status),
    INDEX poid_uptime (policy_id, update_time),
    INDEX policy (policy_id)
);

CREATE TABLE replication_immediate_trigger (
    id int AUTO_INCREMENT PRIMARY KEY,
    policy_id int NOT NULL,
    namespace varchar(256) NOT NULL,
    on_push tinyint(1) NOT NULL DEFAULT 0,
    on_deletion tinyint(1) NOT NULL DEFAULT 0,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE img_scan_job (
    id int AUTO_INCREMENT PRIMARY KEY,
    status varchar(64) NOT NULL,
    repository varchar(256) NOT NULL,
    tag varchar(128) NOT NULL,
    digest varchar(128),
    job_uuid varchar(64),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    INDEX idx_digest (digest),
    INDEX idx_repository_tag (repository, tag),
    INDEX idx_status (status),
    INDEX idx_uuid (job_uuid)
);

CREATE TABLE img_scan_overview (
    id int AUTO_INCREMENT PRIMARY KEY,
    image_digest varchar(128) NOT NULL UNIQUE,
    scan_job_id int NOT NULL,
    severity int NOT NULL DEFAULT 0,
    components_overview varchar(2048),
    details_key varchar(128),
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);

CREATE TABLE clair_vuln_timestamp (
    id int AUTO_INCREMENT PRIMARY KEY,
    namespace varchar(128) NOT NULL UNIQUE,
    last_update timestamp NOT NULL
);

CREATE TABLE properties (
    id int AUTO_INCREMENT PRIMARY KEY,
    `k` varchar(64) NOT NULL UNIQUE,
    v varchar(128) NOT NULL
);

CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8;

INSERT INTO `access` (access_code, `comment`) VALUES
    ('M', 'manage the project'),
    ('R', 'read: pull'),
    ('W', 'write: push'),
    ('D', 'delete'),
    ('S', 'search');

INSERT INTO `role` (role_code, name) VALUES
    ('MDRWS', 'projectAdmin'),
    ('RWS', 'developer'),
    ('RS', 'guest');

INSERT INTO `user` (username, email, password, realname, `comment`, deleted, sysadmin_flag, creation_time, update_time) VALUES
    ('admin', 'admin@example.com', '', 'system admin', 'admin user', 0, 1, NOW(), NOW()),
    ('anonymous', 'anonymous@example.com', '', 'anonymous user', 'anonymous user', 1, 0, NOW(), NOW());

INSERT INTO project (owner_id, name, creation_time, update_time) VALUES (1, 'library', NOW(), NOW());
INSERT INTO project_member (project_id, entity_id, entity_type, `role`) VALUES (1, 1, 'u', 1);
INSERT INTO project_metadata (project_id, name, value) VALUES (1, 'public', 'true');

INSERT INTO alembic_version (version_num) VALUES ('1.5.0');
