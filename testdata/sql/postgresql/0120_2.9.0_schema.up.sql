-- Harbor 2.9.0: the security hub needs counts and indexes; scans belong to
-- their artifact, not to the scanner.

ALTER TABLE scan_report
    ADD COLUMN IF NOT EXISTS critical_cnt bigint,
    ADD COLUMN IF NOT EXISTS high_cnt bigint,
    ADD COLUMN IF NOT EXISTS medium_cnt bigint,
    ADD COLUMN IF NOT EXISTS low_cnt bigint,
    ADD COLUMN IF NOT EXISTS none_cnt bigint,
    ADD COLUMN IF NOT EXISTS unknown_cnt bigint,
    ADD COLUMN IF NOT EXISTS fixable_cnt bigint;

-- Scores, if no scanner has stored one so far.
UPDATE vulnerability_record
SET cvss_score_v3 = (vendor_attributes #>> '{CVSS,nvd,V3Score}')::float8
WHERE vendor_attributes #>> '{CVSS,nvd,V3Score}' IS NOT NULL
  AND NOT EXISTS (SELECT FROM vulnerability_record WHERE cvss_score_v3 IS NOT NULL);

-- Old reports are counted by severity; "none" and "fixable" stay unknown.
UPDATE scan_report r
SET critical_cnt = c.critical, high_cnt = c.high, medium_cnt = c.medium, low_cnt = c.low, unknown_cnt = c.unknown
FROM (SELECT s.uuid,
             count(*) FILTER (WHERE v.severity = 'Critical') AS critical,
             count(*) FILTER (WHERE v.severity = 'High') AS high,
             count(*) FILTER (WHERE v.severity = 'Medium') AS medium,
             count(*) FILTER (WHERE v.severity = 'Low') AS low,
             count(*) FILTER (WHERE v.severity = 'Unknown') AS unknown
      FROM scan_report s
      LEFT JOIN report_vulnerability_record rv ON rv.report_uuid = s.uuid
      LEFT JOIN vulnerability_record v ON v.id = rv.vuln_record_id
      GROUP BY s.uuid) c
WHERE c.uuid = r.uuid;

CREATE INDEX IF NOT EXISTS idx_vulnerability_record_cve_id ON vulnerability_record (cve_id);
CREATE INDEX IF NOT EXISTS idx_vulnerability_record_severity ON vulnerability_record (severity);
CREATE INDEX IF NOT EXISTS idx_vulnerability_record_package ON vulnerability_record (package);
CREATE INDEX IF NOT EXISTS idx_vulnerability_record_cvss_score_v3 ON vulnerability_record (cvss_score_v3);
CREATE INDEX IF NOT EXISTS idx_vulnerability_registration_uuid ON vulnerability_record (registration_uuid);
CREATE INDEX IF NOT EXISTS idx_report_vulnerability_record_vuln_record_id ON report_vulnerability_record (vuln_record_id);
CREATE INDEX IF NOT EXISTS idx_task_extra_attrs_report_uuids ON task USING gin ((extra_attrs::jsonb -> 'report_uuids'));

UPDATE execution
SET vendor_id = (extra_attrs #>> '{artifact,id}')::integer
WHERE vendor_type = 'IMAGE_SCAN' AND extra_attrs #>> '{artifact,id}' IS NOT NULL;

-- What the scheduler hands to replication was a number and becomes an object.
UPDATE schedule
SET callback_func_param = json_build_object('policy_id', callback_func_param::integer)::text
WHERE vendor_type = 'REPLICATION' AND callback_func_param NOT LIKE '%policy_id%';
