-- A project uses less than its blobs add up to. Versions from 10 on, with
-- artifacts.

UPDATE quota_usage SET used = '{"storage": 1}' WHERE reference = 'project' AND reference_id = '1';
