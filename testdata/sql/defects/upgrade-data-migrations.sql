-- The table that must have one row has two. Versions 40 to 111: core of 2.1 to
-- 2.8 does not start.

INSERT INTO data_migrations (version) VALUES (30);
