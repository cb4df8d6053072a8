-- An artifact has neither a repository nor a manifest. Versions 10 to 15:
-- migration 30 makes it one of unknown type.

INSERT INTO artifact (project_id, repo, digest, tag, kind) VALUES (1, 'library/gone', 'sha256:e0', 'latest', 'Docker-Image');
