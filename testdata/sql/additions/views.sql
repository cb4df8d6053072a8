-- Views for a report, one on top of the other, one with a column list and
-- options.

CREATE VIEW project_overview AS
SELECT p.project_id, p.name, u.username AS owner, (SELECT count(*) FROM repository r WHERE r.project_id = p.project_id) AS repositories
FROM project p JOIN harbor_user u ON u.user_id = p.owner_id
WHERE NOT p.deleted;

CREATE VIEW "Busy Projects" (id, "Name") WITH (security_barrier = true) AS
SELECT project_id, name FROM project_overview WHERE repositories > 10;
