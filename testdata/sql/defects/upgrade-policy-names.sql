-- Two replication policies have one name, which 1.7.0 forbids without renaming
-- them first. Version 1.

INSERT INTO replication_policy (name, project_id, target_id, enabled) VALUES ('twice', 1, 1, true), ('twice', 1, 1, true);
