-- Harbor 2.5.2: artifacts are found by the name of their repository.

CREATE INDEX IF NOT EXISTS idx_artifact_repository_name ON artifact (repository_name);
