ALTER TABLE public.keys ADD CONSTRAINT keys_nulls UNIQUE NULLS NOT DISTINCT (d, c);
CREATE UNIQUE INDEX index_nulls ON public.keys (a, d) NULLS NOT DISTINCT WHERE a < 9;
CREATE TABLE public.sets (a integer, b integer, FOREIGN KEY (a, b) REFERENCES public.keys (a, b) ON DELETE SET NULL (b));
CREATE VIEW public.invoker WITH (security_invoker = true, check_option = cascaded) AS SELECT a FROM public.changed WHERE a > 2;
CREATE UNLOGGED SEQUENCE public.unlogged_sequence;
