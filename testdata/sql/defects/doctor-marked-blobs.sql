-- The blobs of artifacts are marked for deletion. Versions from 40 on, with
-- artifacts.

UPDATE blob SET status = 'deletefailed' WHERE id = (SELECT min(id) FROM blob);
