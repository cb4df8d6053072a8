-- Harbor 2.4.0: quotas are updated optimistically, by version; replication can
-- be slowed down; members whose user is gone go, too.

ALTER TABLE quota ADD COLUMN IF NOT EXISTS version bigint DEFAULT 0;
ALTER TABLE quota_usage ADD COLUMN IF NOT EXISTS version bigint DEFAULT 0;
ALTER TABLE replication_policy ADD COLUMN IF NOT EXISTS speed_kb integer;

DELETE FROM project_member
WHERE entity_type = 'u' AND entity_id IN (SELECT user_id FROM harbor_user WHERE deleted);
UPDATE vulnerability_record SET severity = 'None' WHERE severity = 'Negligible';
