-- Harbor 2.8.0: an accessory names its subject by digest, so the subject may be
-- absent; webhooks run as executions and tasks; charts are no longer served.

DELETE FROM artifact_blob ab WHERE NOT EXISTS (SELECT FROM blob b WHERE b.digest = ab.digest_af);

ALTER TABLE artifact_accessory DROP CONSTRAINT IF EXISTS artifact_accessory_subject_artifact_id_fkey;
ALTER TABLE artifact_accessory
    ADD COLUMN IF NOT EXISTS subject_artifact_digest varchar(1024),
    ADD COLUMN IF NOT EXISTS subject_artifact_repo varchar(1024);
UPDATE artifact_accessory acc
SET subject_artifact_digest = a.digest, subject_artifact_repo = a.repository_name
FROM artifact a
WHERE a.id = acc.subject_artifact_id;
ALTER TABLE artifact_accessory DROP CONSTRAINT IF EXISTS unique_artifact_accessory;
ALTER TABLE artifact_accessory
    ADD CONSTRAINT unique_artifact_accessory UNIQUE (artifact_id, subject_artifact_digest);

-- Policies that copy charts have nothing left to do.
UPDATE replication_policy
SET enabled = false, description = 'disabled: charts are no longer supported'
WHERE filters ~ '"type"\s*:\s*"resource"\s*,\s*"value"\s*:\s*"chart"';
DELETE FROM role_permission
WHERE permission_policy_id IN (SELECT id FROM permission_policy WHERE resource LIKE 'helm-chart%');
DELETE FROM permission_policy WHERE resource LIKE 'helm-chart%';
UPDATE notification_policy
SET event_types = (SELECT COALESCE(jsonb_agg(e.name ORDER BY e.nth), '[]')::text
                   FROM jsonb_array_elements_text(event_types::jsonb) WITH ORDINALITY e (name, nth)
                   WHERE e.name NOT LIKE '%\_CHART')
WHERE event_types LIKE '%\_CHART"%';
UPDATE notification_policy
SET enabled = false, description = 'disabled: charts are no longer supported'
WHERE event_types = '[]';

-- Targets over HTTP choose the format of what they are sent. Targets that are
-- no JSON array make this step fail.
UPDATE notification_policy
SET targets = (SELECT COALESCE(jsonb_agg(CASE WHEN t.target ->> 'type' = 'http'
                                              THEN t.target || '{"payload_format": "Default"}'
                                              ELSE t.target END
                                         ORDER BY t.nth), '[]')::text
               FROM jsonb_array_elements(targets::jsonb) WITH ORDINALITY t (target, nth))
WHERE targets IS NOT NULL;

-- The newest job of each webhook and event that has ended is kept.
DO $$
DECLARE
    job record;
    new_execution integer;
BEGIN
    IF to_regclass('notification_job') IS NULL THEN
        RETURN;
    END IF;
    FOR job IN
        SELECT DISTINCT ON (policy_id, event_type) *,
               CASE notify_type WHEN 'slack' THEN 'SLACK' ELSE 'WEBHOOK' END AS vendor,
               CASE status WHEN 'finished' THEN 'Success' WHEN 'stopped' THEN 'Stopped' ELSE 'Error' END AS new_status,
               json_build_object('event_type', event_type, 'payload', job_detail) AS attrs
        FROM notification_job
        WHERE status IN ('finished', 'stopped', 'error')
        ORDER BY policy_id, event_type, creation_time DESC NULLS LAST, id DESC
    LOOP
        INSERT INTO execution (vendor_type, vendor_id, status, trigger, extra_attrs,
                               start_time, end_time, revision, update_time)
        VALUES (job.vendor, job.policy_id, job.new_status, 'EVENT', job.attrs,
                job.creation_time, job.update_time, 0, job.update_time)
        RETURNING id INTO new_execution;

        INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, status_revision, run_count,
                          extra_attrs, creation_time, start_time, update_time, end_time)
        VALUES (job.vendor, new_execution, job.job_uuid, job.new_status, 3, 0, 1,
                job.attrs, job.creation_time, job.creation_time, job.update_time, job.update_time);
    END LOOP;
END
$$;
DROP TABLE IF EXISTS notification_job;
