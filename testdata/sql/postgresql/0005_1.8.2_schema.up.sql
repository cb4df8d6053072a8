-- Harbor 1.8.2: names of user groups become unique, duplicates are numbered by
-- id; schedules that say "none" are deleted ones.

UPDATE user_group g
SET group_name = g.group_name || '_' || d.nth
FROM (SELECT id, row_number() OVER (PARTITION BY group_name ORDER BY id) AS nth
      FROM user_group) d
WHERE d.id = g.id AND d.nth > 1;
ALTER TABLE user_group ADD CONSTRAINT unique_group_name UNIQUE (group_name);

UPDATE admin_job SET deleted = true WHERE cron_str = '{"type":"none"}';
