-- An exclusion constraint.

CREATE TABLE maintenance_window (during tsrange, EXCLUDE USING gist (during WITH &&));
INSERT INTO maintenance_window VALUES ('[2024-01-01 00:00, 2024-01-01 02:00)');
