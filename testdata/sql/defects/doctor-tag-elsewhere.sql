-- A tag is listed in another repository than its artifact. Versions from 30 on,
-- with artifacts.

UPDATE tag SET repository_id = 4711 WHERE id = (SELECT min(id) FROM tag);
