-- A layer has no row in blob. Versions from 10 on.

INSERT INTO blob (digest, content_type, size) VALUES ('sha256:a0', 'application/vnd.oci.image.manifest.v1+json', 10);
INSERT INTO artifact_blob (digest_af, digest_blob) VALUES ('sha256:a0', 'sha256:a0'), ('sha256:a0', 'sha256:b0');
