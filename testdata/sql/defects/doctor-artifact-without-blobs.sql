-- An artifact has no list of blobs. Versions from 10 on, with artifacts.

DELETE FROM artifact_blob WHERE digest_af = (SELECT digest FROM artifact ORDER BY id LIMIT 1);
