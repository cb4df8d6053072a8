-- The life of robot accounts is no number. Any version up to 41: migration 50
-- fails.

DELETE FROM properties WHERE k = 'robot_token_duration';
INSERT INTO properties (k, v) VALUES ('robot_token_duration', '30d');
