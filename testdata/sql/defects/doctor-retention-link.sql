-- A project refers to a retention policy that is gone. Versions from 10 on.

DELETE FROM project_metadata WHERE name = 'retention_id';
INSERT INTO project_metadata (project_id, name, value) VALUES (1, 'retention_id', '4711');
