-- Core has not read the artifacts from the registry yet. Versions 40 to 111,
-- with artifacts.

UPDATE data_migrations SET version = 0;
UPDATE artifact SET extra_attrs = NULL WHERE id > 1;
