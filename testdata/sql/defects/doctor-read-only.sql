-- Harbor was left read-only. Any version.

DELETE FROM properties WHERE k = 'read_only';
INSERT INTO properties (k, v) VALUES ('read_only', 'true');
