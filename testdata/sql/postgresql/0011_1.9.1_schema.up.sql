-- Harbor 1.9.1: passwords say how they were hashed; those that exist are SHA-1.

ALTER TABLE harbor_user ADD COLUMN password_version varchar(16) DEFAULT 'sha256';
UPDATE harbor_user SET password_version = 'sha1';
