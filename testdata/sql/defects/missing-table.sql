-- The version table itself is lost. Any version.

DROP TABLE schema_migrations;
