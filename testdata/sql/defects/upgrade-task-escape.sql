-- The attributes of a task hold an escaped NUL. Versions 50 to 110: migration
-- 111 fails, and 120 where 111 is not run.

WITH made AS (
    INSERT INTO execution (vendor_type, vendor_id, status, trigger) VALUES ('IMAGE_SCAN', 4711, 'Error', 'MANUAL') RETURNING id
)
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, extra_attrs)
SELECT 'IMAGE_SCAN', id, 'a1', 'Error', 3, '{"report": "broken \u0000 text"}' FROM made;
