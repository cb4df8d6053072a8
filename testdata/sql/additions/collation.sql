-- A collation of its own, and a column that sorts by it.

CREATE COLLATION plain (LOCALE = 'C');
CREATE TABLE sorted_name (name text COLLATE plain PRIMARY KEY);
INSERT INTO sorted_name VALUES ('b'), ('A'), ('ä');
