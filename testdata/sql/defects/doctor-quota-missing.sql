-- A project has no quota. Versions from 10 on.

DELETE FROM quota WHERE reference = 'project' AND reference_id = '1';
