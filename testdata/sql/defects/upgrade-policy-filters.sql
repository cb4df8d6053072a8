-- The filters of a replication policy are no JSON. Versions 1 to 3: migration 4
-- fails.

INSERT INTO replication_policy (name, project_id, target_id, enabled, filters) VALUES ('odd filters', 1, 1, true, 'library/**');
