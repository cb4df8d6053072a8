-- A quota belongs to a project that is no number. Versions 10 to 41: migration
-- 50 fails.

INSERT INTO quota (reference, reference_id, hard) VALUES ('project', 'library', '{"storage": -1}');
