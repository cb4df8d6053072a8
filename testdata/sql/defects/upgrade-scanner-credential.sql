-- A scanner's credential was encrypted by 2.14.4 or 2.15.1. Versions 171 and
-- 180.

INSERT INTO scanner_registration (uuid, url, name, auth, access_cred) VALUES ('encrypted', 'http://scanner.example', 'encrypted', 'Bearer', '<enc-v1>c2VjcmV0');
