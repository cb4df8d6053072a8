-- A newer schema was restored over an older one without emptying it first:
-- tables of 2.13 exist beside what 2.10 dropped, and the row is the old
-- one. Version 120.

CREATE TABLE audit_log_ext (id bigserial PRIMARY KEY, project_id bigint, operation varchar(50));
CREATE TABLE sbom_report (id serial PRIMARY KEY, uuid varchar(64) NOT NULL UNIQUE, report json);
ALTER TABLE robot ADD COLUMN creator_ref integer DEFAULT 0, ADD COLUMN creator_type varchar(255);
