-- Harbor 2.11.0: software bills of materials, and the artifact type of OCI 1.1.

CREATE TABLE IF NOT EXISTS sbom_report (
    id serial PRIMARY KEY,
    uuid varchar(64) NOT NULL UNIQUE,
    artifact_id integer NOT NULL,
    registration_uuid varchar(64) NOT NULL,
    mime_type varchar(256) NOT NULL,
    media_type varchar(256) NOT NULL,
    report json,
    UNIQUE (artifact_id, registration_uuid, mime_type, media_type)
);

ALTER TABLE artifact ADD COLUMN IF NOT EXISTS artifact_type varchar(255);
UPDATE artifact SET artifact_type = media_type WHERE artifact_type IS NULL;
ALTER TABLE artifact ALTER COLUMN artifact_type SET NOT NULL;
