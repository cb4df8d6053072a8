-- The numbers of the robots' table, or of any other with four bytes, are used
-- up. Versions from 4 on.

SELECT setval(pg_get_serial_sequence('robot', 'id'), 2147483000);
