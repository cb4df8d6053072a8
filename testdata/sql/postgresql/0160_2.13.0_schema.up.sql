-- Harbor 2.13.0: an audit log of everything, beside the old one; the scope of
-- preheat policies moves into their attributes.

ALTER TABLE p2p_preheat_policy DROP COLUMN IF EXISTS scope;
ALTER TABLE p2p_preheat_policy ADD COLUMN IF NOT EXISTS extra_attrs text;

CREATE TABLE IF NOT EXISTS audit_log_ext (
    id bigserial PRIMARY KEY,
    project_id bigint,
    operation varchar(50),
    resource_type varchar(255),
    resource varchar(1024),
    username varchar(255),
    op_desc varchar(1024),
    op_result boolean DEFAULT true,
    payload text,
    source_ip varchar(50),
    op_time timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_audit_log_ext_op_time ON audit_log_ext (op_time);
CREATE INDEX IF NOT EXISTS idx_audit_log_ext_project_id_operation ON audit_log_ext (project_id, operation);
CREATE INDEX IF NOT EXISTS idx_audit_log_ext_project_id_optime ON audit_log_ext (project_id, op_time);
CREATE INDEX IF NOT EXISTS idx_audit_log_ext_project_id_resource_type ON audit_log_ext (project_id, resource_type);
