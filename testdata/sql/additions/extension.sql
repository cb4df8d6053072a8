-- An extension that comes with the server, where it was installed and may be
-- created, and a table that uses it.

DO $$
BEGIN
    CREATE EXTENSION pgcrypto;
    CREATE TABLE access_token (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, hash bytea DEFAULT digest('x', 'sha256'));
    INSERT INTO access_token DEFAULT VALUES;
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege THEN
    RAISE NOTICE 'pgcrypto cannot be created here';
END
$$;
