-- An artifact is of unknown type. Versions from 30 on, with artifacts.

UPDATE artifact SET media_type = 'UNKNOWN' WHERE id = (SELECT min(id) FROM artifact);
