-- Many deleted artifacts wait for a garbage collection. Versions from 30 on.

INSERT INTO artifact_trash (media_type, manifest_media_type, repository_name, digest)
SELECT 'x', 'y', 'library/a', 'sha256:' || n FROM generate_series(1, 10001) n;
