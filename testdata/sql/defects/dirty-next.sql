-- The next migration failed and was rolled back, so that the catalog still is
-- that of the version before. Version 171: the failed step is that of 2.15.0.

UPDATE schema_migrations SET version = 180, dirty = true;
