-- Row security on one of Harbor's tables.

CREATE POLICY only_living ON project USING (NOT deleted);
ALTER TABLE project ENABLE ROW LEVEL SECURITY;
