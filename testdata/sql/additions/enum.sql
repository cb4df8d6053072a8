-- An enumeration whose order is not that of its creation, and a column of it.

CREATE TYPE tier AS ENUM ('bronze', 'gold');
ALTER TYPE tier ADD VALUE 'silver' BEFORE 'gold';
CREATE TABLE project_tier (project_id integer PRIMARY KEY, level tier NOT NULL DEFAULT 'bronze');
INSERT INTO project_tier VALUES (1, 'gold');
