-- A rule that swallows deletions.

CREATE TABLE protected_project (name text PRIMARY KEY);
INSERT INTO protected_project VALUES ('library');
CREATE RULE keep AS ON DELETE TO protected_project DO INSTEAD NOTHING;
