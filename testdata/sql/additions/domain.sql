-- A domain with a check, and a column of it.

CREATE DOMAIN percentage AS integer DEFAULT 0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE usage_share (project_id integer PRIMARY KEY, share percentage NOT NULL);
INSERT INTO usage_share VALUES (1, 50);
