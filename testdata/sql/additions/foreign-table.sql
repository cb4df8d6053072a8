-- A foreign table; its wrapper cannot read, so nothing may try.

CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere OPTIONS (host 'db.example.com');
CREATE FOREIGN TABLE remote_project (project_id integer, name text) SERVER elsewhere;
