-- A table that inherits from one of Harbor's.

CREATE TABLE archived_repository (archived_at timestamp DEFAULT CURRENT_TIMESTAMP) INHERITS (repository);
