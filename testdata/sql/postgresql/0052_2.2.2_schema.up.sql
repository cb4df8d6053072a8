-- Harbor 2.2.2: schedules have a revision.

ALTER TABLE schedule ADD COLUMN IF NOT EXISTS revision integer;
UPDATE schedule SET revision = 0;
