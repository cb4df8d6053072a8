-- A repository is gone while its artifacts are there. Versions from 30 on, with
-- artifacts.

DELETE FROM repository WHERE repository_id = (SELECT repository_id FROM artifact ORDER BY id LIMIT 1);
