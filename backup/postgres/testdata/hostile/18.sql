CREATE TABLE public.virtual (a integer, v integer GENERATED ALWAYS AS (a * 2) VIRTUAL, n integer CONSTRAINT "Named not null" NOT NULL, m integer);
ALTER TABLE public.virtual ADD CONSTRAINT not_valid_not_null NOT NULL m NOT VALID;
COMMENT ON CONSTRAINT "Named not null" ON public.virtual IS 'not null';
ALTER TABLE public.virtual ADD CONSTRAINT lax CHECK (a > 0) NOT ENFORCED;
CREATE TABLE public.periods (id int4range, during tsrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE public.within (id int4range, during tsrange, FOREIGN KEY (id, PERIOD during) REFERENCES public.periods (id, PERIOD during));
CREATE TABLE public.lazy (a integer, b integer, CONSTRAINT lazy_key FOREIGN KEY (a) REFERENCES public.circle_a NOT ENFORCED);
