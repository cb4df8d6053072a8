-- The queue of replication is paused. Versions from 100 on.

INSERT INTO job_queue_status (job_type, paused) VALUES ('REPLICATION', true) ON CONFLICT (job_type) DO UPDATE SET paused = true;
