-- The table that must have one row has none. Versions from 40 on.

DELETE FROM data_migrations;
