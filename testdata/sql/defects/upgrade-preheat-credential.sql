-- The credential of a preheat instance was encrypted by 2.14.4 or 2.15.1.
-- Versions 171 and 180.

INSERT INTO p2p_preheat_instance (name, vendor, endpoint, auth_data) VALUES ('encrypted', 'dragonfly', 'http://peer.example', '<enc-v1>c2VjcmV0');
