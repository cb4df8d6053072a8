-- Harbor 2.3.4: no e-mail address is NULL, not an empty text, which would have
-- to be unique. No change of the catalog.

UPDATE harbor_user SET email = NULL WHERE email = '';
