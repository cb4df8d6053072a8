-- An unlogged table.

CREATE UNLOGGED TABLE scratch (id integer PRIMARY KEY, note text);
INSERT INTO scratch VALUES (1, 'not in the log');
