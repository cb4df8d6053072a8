-- Harbor 2.7.0: the job dashboard can pause the queue of a kind of job.

CREATE TABLE IF NOT EXISTS job_queue_status (
    id serial PRIMARY KEY,
    job_type varchar(256) NOT NULL UNIQUE,
    paused boolean NOT NULL DEFAULT false,
    update_time timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

ALTER TABLE replication_policy ADD COLUMN IF NOT EXISTS copy_by_chunk boolean;
