-- A setting is encrypted. Versions from 4 on.

INSERT INTO properties (k, v) VALUES ('oidc_client_secret', '<enc-v1>c2VjcmV0');
