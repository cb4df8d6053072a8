-- Harbor 2.5.3: executions that 2.5.2 left running although all their tasks
-- had succeeded. No change of the catalog.

UPDATE execution e
SET status = 'Success', revision = COALESCE(e.revision, 0) + 1, end_time = t.end_time
FROM (SELECT execution_id, max(end_time) AS end_time
      FROM task GROUP BY execution_id HAVING bool_and(status = 'Success')) t
WHERE t.execution_id = e.id AND e.status = 'Running';
