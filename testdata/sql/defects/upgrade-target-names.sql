-- Two replication targets have one name, which 1.7.0 forbids without renaming
-- them first. Version 1.

INSERT INTO replication_target (name, url, target_type) VALUES ('twice', 'http://a.example', 0), ('twice', 'http://b.example', 0);
