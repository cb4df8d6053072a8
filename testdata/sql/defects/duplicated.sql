-- Two version rows, of which core reads one or the other. Any version.

INSERT INTO schema_migrations (version, dirty) SELECT version + 1, true FROM schema_migrations;
