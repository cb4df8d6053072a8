-- Harbor 2.8.1: scan tasks are found by the reports that they write. Attributes
-- with an escaped NUL are no jsonb, which makes this step fail.

CREATE INDEX IF NOT EXISTS idx_task_extra_attrs_report_uuids ON task USING gin ((extra_attrs::jsonb -> 'report_uuids'));
