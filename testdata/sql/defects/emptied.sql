-- The version row is lost; core would start again with the first migration and
-- fail. Any version.

DELETE FROM schema_migrations;
