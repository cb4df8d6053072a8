-- Functions in SQL and PL/pgSQL, one overloaded, one with settings; and a
-- trigger on a table of Harbor's that uses one.

CREATE FUNCTION project_size(id integer, factor numeric DEFAULT 1.5) RETURNS numeric
    LANGUAGE sql STABLE STRICT COST 50 SET search_path = public
AS 'SELECT count(*) * factor FROM repository WHERE project_id = id';
CREATE FUNCTION project_size(name text) RETURNS bigint
    LANGUAGE sql STABLE
AS 'SELECT count(*) FROM repository r WHERE r.name LIKE $1 || ''/%''';

CREATE TABLE deleted_project (name text, at timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE FUNCTION remember_project() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO deleted_project (name) VALUES (OLD.name || '; -- $$');
    RETURN OLD;
END
$body$;
CREATE TRIGGER remember_project BEFORE DELETE ON project
    FOR EACH ROW WHEN (OLD.name <> '') EXECUTE PROCEDURE remember_project();
