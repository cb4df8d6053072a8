-- The blobs of artifacts do not count for their project. Versions from 10 on,
-- with artifacts.

DELETE FROM project_blob WHERE blob_id = (SELECT max(blob_id) FROM project_blob);
