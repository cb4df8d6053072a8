-- The sequence of the projects stands at its start, as after a load of rows
-- alone. Any version.

SELECT setval(pg_get_serial_sequence('project', 'project_id'), 1, false);
