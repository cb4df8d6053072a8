-- A schedule has no status. Versions 10 to 31: migration 40 fails.

INSERT INTO schedule (job_id, status) VALUES ('f2b1c0d9', NULL);
