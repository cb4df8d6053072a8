-- A composite type and a range type, and columns of them.

CREATE TYPE address AS (street text, number integer);
CREATE TYPE float_range AS RANGE (SUBTYPE = float8);
CREATE TABLE office (place address, load float_range);
INSERT INTO office VALUES (ROW('Main "St", 1', 2), '[0.5,1.5)');
