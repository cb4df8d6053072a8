GRANT MAINTAIN ON public.keys TO reader;
