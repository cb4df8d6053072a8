-- A replication policy refers to a registry that is gone. Versions from 4 on.

INSERT INTO replication_policy (name, enabled, dest_registry_id, trigger) VALUES ('to nowhere', false, 4711, '{"type":"manual"}');
