CREATE FUNCTION public.standard(x integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM public.keys WHERE a = x; SELECT 2; END;
CREATE FUNCTION public.returned(x integer) RETURNS integer LANGUAGE sql RETURN x + public.plus_one(1);
CREATE FUNCTION public.of_key() RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC SELECT id FROM public.grouped; END;
ALTER TABLE public.unlogged ALTER COLUMN t SET COMPRESSION pglz;
CREATE STATISTICS public.expressions ON (a + d), b FROM public.generated;
ALTER STATISTICS public.expressions SET STATISTICS 12;
