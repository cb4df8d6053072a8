-- Harbor 1.10.0: scanners are pluggable, so the tables that knew Clair alone
-- go; rules for immutable tags; robots that no list shows.

INSERT INTO role (role_code, name) VALUES ('LRS', 'limitedGuest');

DROP TABLE img_scan_job;
DROP TABLE img_scan_overview;
DROP TABLE clair_vuln_timestamp;

CREATE TABLE scanner_registration (
    id serial PRIMARY KEY,
    uuid varchar(64) NOT NULL UNIQUE,
    url varchar(256) NOT NULL UNIQUE,
    name varchar(128) NOT NULL UNIQUE,
    description varchar(1024),
    auth varchar(16) NOT NULL,
    access_cred varchar(512),
    disabled boolean NOT NULL DEFAULT false,
    is_default boolean NOT NULL DEFAULT false,
    use_internal_addr boolean NOT NULL DEFAULT false,
    immutable boolean NOT NULL DEFAULT false,
    skip_cert_verify boolean NOT NULL DEFAULT false,
    create_time timestamp DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE scan_report (
    id serial PRIMARY KEY,
    uuid varchar(64) NOT NULL UNIQUE,
    digest varchar(256) NOT NULL,
    registration_uuid varchar(64) NOT NULL,
    mime_type varchar(256) NOT NULL,
    job_id varchar(64),
    track_id varchar(64),
    requester varchar(64),
    status varchar(1024) NOT NULL,
    status_code integer DEFAULT 0,
    status_rev bigint DEFAULT 0,
    report json,
    start_time timestamp DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (digest, registration_uuid, mime_type)
);

CREATE TABLE immutable_tag_rule (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    tag_filter text,
    disabled boolean NOT NULL DEFAULT false,
    creation_time timestamp DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (project_id, tag_filter)
);

ALTER TABLE robot ADD COLUMN visible boolean NOT NULL DEFAULT true;
ALTER TABLE admin_job
    ADD COLUMN revision bigint DEFAULT 0,
    ADD COLUMN status_code integer DEFAULT 0;
