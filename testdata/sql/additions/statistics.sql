-- Extended statistics on one of Harbor's tables.

CREATE STATISTICS repository_names (dependencies) ON project_id, name FROM repository;
