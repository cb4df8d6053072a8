CREATE FUNCTION public.generate(integer, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1::text || $2 $$;
CREATE TABLE public.generated (a integer, b text, c text GENERATED ALWAYS AS (public.generate(a, b)) STORED NOT NULL,
    d integer GENERATED ALWAYS AS (CASE WHEN a > 0 THEN a ELSE -a END) STORED);
CREATE STATISTICS public.mcv (mcv) ON a, d FROM public.generated;
