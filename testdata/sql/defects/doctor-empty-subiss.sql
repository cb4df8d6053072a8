-- A user of OIDC has no identity. Versions from 4 on.

INSERT INTO oidc_user (user_id, secret, subiss) VALUES (1, 'x', '');
