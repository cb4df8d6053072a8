-- The migration to the recorded version is said to have failed, although it
-- was applied: core was killed between the step and its record. Any version.

UPDATE schema_migrations SET dirty = true;
