-- An artifact's manifest has no row in blob. Versions 30 to 100: migration 110,
-- and 100 of 2.7, forget its layers.

INSERT INTO artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type, extra_attrs)
VALUES (1, 'library/a', 4711, 'sha256:d0', 'IMAGE', 'x', 'y', '{}');
INSERT INTO blob (digest, content_type, size) VALUES ('sha256:d1', 'application/octet-stream', 10);
INSERT INTO artifact_blob (digest_af, digest_blob) VALUES ('sha256:d0', 'sha256:d0'), ('sha256:d0', 'sha256:d1');
