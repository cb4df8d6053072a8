-- The manifest of an artifact has no row in blob. Versions from 30 on.

INSERT INTO artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type, size)
SELECT 1, 'library/a', -1, 'sha256:a0', 'IMAGE', 'x', 'y', 1;
