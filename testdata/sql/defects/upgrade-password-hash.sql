-- A password was set by 2.15.2, in a form that no earlier release knows.
-- Version 180.

UPDATE harbor_user SET password_version = 'pbkdf2_sha256' WHERE user_id = 1;
