-- A password is stored in a way that releases before 2.15.2 do not know.
-- Versions 11 to 171.

UPDATE harbor_user SET password_version = 'pbkdf2_sha256' WHERE user_id = 1;
