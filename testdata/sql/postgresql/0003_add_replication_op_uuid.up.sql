-- Harbor 1.7.0: jobs of one run of a replication share an id.

ALTER TABLE replication_job ADD COLUMN op_uuid varchar(64);
