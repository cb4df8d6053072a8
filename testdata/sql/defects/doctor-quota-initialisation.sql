-- Core has filled in the quota of one project only. Versions 10 to 15, with
-- several projects.

DELETE FROM quota_usage WHERE reference = 'project' AND reference_id <> '1';
