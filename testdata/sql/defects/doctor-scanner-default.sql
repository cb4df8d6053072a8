-- Two scanners are the default. Versions from 15 on.

INSERT INTO scanner_registration (uuid, url, name, auth, is_default) VALUES
    ('one', 'http://one.example', 'one', 'None', true), ('two', 'http://two.example', 'two', 'None', true);
