-- A large object, which is in no table.

SELECT lo_from_bytea(424242, '\x00ff5c2e');
