-- The row claims the newest released version, whatever the catalog shows: a
-- migration that was forced instead of run. Versions below 180.

UPDATE schema_migrations SET version = 180, dirty = false;
