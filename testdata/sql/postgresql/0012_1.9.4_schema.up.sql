-- Harbor 1.9.4: settings may be of any length.

ALTER TABLE properties ALTER COLUMN v TYPE text;
