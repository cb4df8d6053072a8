-- Harbor 2.6.2: replication may copy large blobs in chunks.

ALTER TABLE replication_policy ADD COLUMN IF NOT EXISTS copy_by_chunk boolean;
