-- Core has not read the artifacts from the registry yet. Versions 40 to 111.

UPDATE data_migrations SET version = 0;
INSERT INTO artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type)
VALUES (1, 'library/a', 4711, 'sha256:f1', 'IMAGE', 'x', 'y');
