-- A repository belongs to a project that is gone. Any version.

INSERT INTO repository (name, project_id) VALUES ('gone/a', 4711);
