-- Comments on things of Harbor, with what has to be quoted in them.

COMMENT ON TABLE project IS 'the team''s "projects"';
COMMENT ON COLUMN project.name IS E'two\nlines, a \\ and a 😀';
COMMENT ON INDEX project_pkey IS 'an index';
COMMENT ON CONSTRAINT project_name_key ON project IS 'a constraint';
COMMENT ON SEQUENCE harbor_label_id_seq IS 'a sequence';
COMMENT ON FUNCTION update_update_time_at_column() IS 'a function';
COMMENT ON TRIGGER project_update_time_at_modtime ON project IS 'a trigger';
COMMENT ON SCHEMA public IS 'where Harbor lives';
