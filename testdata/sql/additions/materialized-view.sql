-- A materialized view with an index and its rows, and one that was never
-- filled.

CREATE MATERIALIZED VIEW repository_pulls AS
SELECT repository_id, name, pull_count FROM repository;
CREATE UNIQUE INDEX repository_pulls_id ON repository_pulls (repository_id);

CREATE MATERIALIZED VIEW repository_stars AS
SELECT repository_id, star_count FROM repository
WITH NO DATA;
