-- The row claims an older version than the catalog shows, as after a forced
-- version. Any version above 1.

UPDATE schema_migrations SET version = 1, dirty = false;
