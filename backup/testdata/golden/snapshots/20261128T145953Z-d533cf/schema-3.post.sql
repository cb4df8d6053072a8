-- PostgreSQL 15. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE UNIQUE INDEX "private_keys_key_id_key" ON "public"."private_keys" USING btree (key_id);
ALTER TABLE "public"."private_keys" ADD CONSTRAINT "private_keys_key_id_key" UNIQUE USING INDEX "private_keys_key_id_key";
CREATE UNIQUE INDEX "private_keys_pkey" ON "public"."private_keys" USING btree (id);
ALTER TABLE "public"."private_keys" ADD CONSTRAINT "private_keys_pkey" PRIMARY KEY USING INDEX "private_keys_pkey";
CREATE UNIQUE INDEX "schema_migrations_pkey" ON "public"."schema_migrations" USING btree (version);
ALTER TABLE "public"."schema_migrations" ADD CONSTRAINT "schema_migrations_pkey" PRIMARY KEY USING INDEX "schema_migrations_pkey";
ALTER DATABASE :"DBNAME" OWNER TO "postgres";
ALTER SCHEMA public OWNER TO "pg_database_owner";
ALTER TABLE "public"."private_keys" OWNER TO "postgres";
ALTER TABLE "public"."schema_migrations" OWNER TO "postgres";
