-- A scan report belongs to an artifact that is gone. Versions from 50 on.

INSERT INTO scan_report (uuid, digest, registration_uuid, mime_type) VALUES ('gone', 'sha256:gone', 'gone', 'x');
