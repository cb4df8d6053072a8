-- Harbor 2.15.0: a registry may have its own CA.

ALTER TABLE registry ADD COLUMN IF NOT EXISTS ca_certificate text;
