-- Harbor 2.0.3: repairs what 2.0.0 made of artifacts whose repository had no
-- row. No change of the catalog.

DELETE FROM tag t WHERE NOT EXISTS (SELECT FROM artifact a WHERE a.id = t.artifact_id);

-- Of tags that would become duplicates the newest stays.
DELETE FROM tag t
USING (SELECT tg.id, row_number() OVER (PARTITION BY a.repository_name, tg.name ORDER BY tg.id DESC) AS nth
       FROM tag tg JOIN artifact a ON a.id = tg.artifact_id) d
WHERE d.id = t.id AND d.nth > 1;

INSERT INTO repository (name, project_id)
SELECT a.repository_name, min(a.project_id)
FROM artifact a
WHERE NOT EXISTS (SELECT FROM repository r WHERE r.name = a.repository_name)
GROUP BY a.repository_name
ORDER BY min(a.id);

UPDATE artifact a
SET manifest_media_type = left(b.content_type, 255),
    media_type = CASE b.content_type
        WHEN 'application/vnd.docker.distribution.manifest.v2+json'
            THEN 'application/vnd.docker.container.image.v1+json'
        WHEN 'application/vnd.oci.image.manifest.v1+json'
            THEN 'application/vnd.oci.image.config.v1+json'
        ELSE left(b.content_type, 255)
    END
FROM blob b
WHERE b.digest = a.digest AND a.media_type = 'UNKNOWN';

-- An artifact may exist there already; then the tags move to that one, and
-- the copy stays behind with its negative number.
UPDATE artifact a SET repository_id = r.repository_id
FROM repository r
WHERE r.name = a.repository_name
  AND a.repository_id < 0
  AND a.id = (SELECT max(c.id) FROM artifact c
              WHERE c.repository_name = a.repository_name AND c.digest = a.digest AND c.repository_id < 0)
  AND NOT EXISTS (SELECT FROM artifact o WHERE o.repository_id = r.repository_id AND o.digest = a.digest);
UPDATE tag t SET artifact_id = o.id
FROM artifact a, artifact o
WHERE a.id = t.artifact_id AND a.repository_id < 0
  AND o.repository_name = a.repository_name AND o.digest = a.digest AND o.repository_id > 0;
UPDATE tag t SET repository_id = a.repository_id
FROM artifact a
WHERE a.id = t.artifact_id AND t.repository_id <> a.repository_id;
