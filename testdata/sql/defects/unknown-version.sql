-- A version that no release ever had, as development builds wrote it. Any
-- version.

UPDATE schema_migrations SET version = 6, dirty = false;
