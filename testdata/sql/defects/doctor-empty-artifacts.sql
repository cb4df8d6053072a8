-- An artifact has no size. Versions from 30 on, with artifacts.

UPDATE artifact SET size = 0 WHERE id = (SELECT min(id) FROM artifact);
