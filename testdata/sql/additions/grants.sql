-- Rights of a monitoring role, on tables, columns, sequences and what will be
-- created later. The roles are ones that every server has.

GRANT USAGE ON SCHEMA public TO pg_monitor;
GRANT SELECT ON project, repository TO pg_monitor;
GRANT SELECT (user_id, username) ON harbor_user TO pg_monitor;
GRANT SELECT, UPDATE ON project_metadata TO pg_signal_backend WITH GRANT OPTION;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO pg_monitor;
GRANT EXECUTE ON FUNCTION update_update_time_at_column() TO pg_monitor;
REVOKE EXECUTE ON FUNCTION update_update_time_at_column() FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO pg_monitor;
