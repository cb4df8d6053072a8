-- The only scanner is one that an operator has registered. Versions from 15 on.

DELETE FROM scanner_registration;
INSERT INTO scanner_registration (uuid, url, name, auth, is_default, immutable) VALUES ('own', 'http://own.example', 'own', 'None', true, false);
