-- A password is stored in a way that no release knows. Versions from 11 on.

UPDATE harbor_user SET password_version = 'md5' WHERE user_id = 1;
