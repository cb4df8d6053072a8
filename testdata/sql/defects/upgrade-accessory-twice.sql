-- An artifact is the accessory of two subjects with one digest. Versions 80 to
-- 100: migration 110 fails.

WITH made AS (
    INSERT INTO artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type)
    VALUES (1, 'library/a', 4711, 'sha256:c0', 'IMAGE', 'x', 'y'), (1, 'library/b', 4712, 'sha256:c0', 'IMAGE', 'x', 'y'),
           (1, 'library/a', 4711, 'sha256:c1', 'CNAB', 'x', 'y')
    RETURNING id, digest
)
INSERT INTO artifact_accessory (artifact_id, subject_artifact_id, type, size, digest)
SELECT signature.id, subject.id, 'signature.cosign', 1, signature.digest
FROM made signature, made subject
WHERE signature.digest = 'sha256:c1' AND subject.digest = 'sha256:c0';
