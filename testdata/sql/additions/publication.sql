-- A publication of one of Harbor's tables.

CREATE PUBLICATION harbor_projects FOR TABLE project;
