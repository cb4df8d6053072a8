CREATE PROCEDURE public.proc(a integer, INOUT b text DEFAULT 'x') LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
COMMENT ON PROCEDURE public.proc(integer, INOUT text) IS 'procedure';
GRANT EXECUTE ON PROCEDURE public.proc(integer, INOUT text) TO reader;
CREATE UNIQUE INDEX keys_include ON public.keys (b) INCLUDE (c, d) WITH (fillfactor = 90) WHERE a > 0;
ALTER TABLE public.keys ADD CONSTRAINT keys_covering UNIQUE (d, b) INCLUDE (c);
CREATE INDEX keys_expression ON public.keys ((a * b), (b - a));
ALTER INDEX public.keys_expression ALTER COLUMN 2 SET STATISTICS 42;
