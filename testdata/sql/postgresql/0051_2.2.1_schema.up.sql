-- Harbor 2.2.1: tasks are found by execution; the one status of the old
-- retention that 2.2.0 left behind gets its new name.

CREATE INDEX IF NOT EXISTS task_execution_id_idx ON task (execution_id);
UPDATE execution SET status = 'Success' WHERE status = 'Succeed';
