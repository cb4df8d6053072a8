-- An artifact from before 2.0. Versions 10 to 15: a release from 2.9 on never
-- learns its type and size.

INSERT INTO repository (name, project_id) VALUES ('library/old', 1);
INSERT INTO blob (digest, content_type, size) VALUES ('sha256:f0', 'application/vnd.docker.distribution.manifest.v2+json', 500);
INSERT INTO artifact (project_id, repo, digest, tag, kind) VALUES (1, 'library/old', 'sha256:f0', 'latest', 'Docker-Image');
