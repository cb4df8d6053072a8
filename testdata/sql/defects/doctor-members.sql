-- A member of a project is a user who is gone. Any version.

INSERT INTO project_member (project_id, entity_id, entity_type, role) VALUES (1, 4711, 'u', 2);
