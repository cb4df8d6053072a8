-- An artifact without a size has more than 2 GiB of layers. Versions 31 to 41:
-- migration 50 of 2.2.0 and 2.2.1 fails.

INSERT INTO artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type, size)
VALUES (1, 'library/huge', 4711, 'sha256:a0', 'IMAGE', 'UNKNOWN', 'UNKNOWN', 0);
INSERT INTO blob (digest, content_type, size) VALUES ('sha256:a0', 'application/vnd.oci.image.manifest.v1+json', 500), ('sha256:b0', 'application/octet-stream', 3000000000);
INSERT INTO artifact_blob (digest_af, digest_blob) VALUES ('sha256:a0', 'sha256:a0'), ('sha256:a0', 'sha256:b0');
