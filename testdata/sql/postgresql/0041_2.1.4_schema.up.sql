-- Harbor 2.1.4: cron entries that 2.1.0 converted get a revision and the
-- status of their task. No change of the catalog.

UPDATE execution e
SET revision = 0,
    status = (SELECT t.status FROM task t WHERE t.execution_id = e.id ORDER BY t.id LIMIT 1)
WHERE e.vendor_type = 'SCHEDULER' AND e.revision IS NULL;
