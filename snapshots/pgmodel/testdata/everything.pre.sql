-- PostgreSQL 18. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA "Odd, ""schema""";
CREATE SCHEMA "select_";
CREATE SCHEMA "tools";
CREATE EXTENSION IF NOT EXISTS "citext" WITH SCHEMA "tools";
CREATE EXTENSION IF NOT EXISTS "plpgsql" WITH SCHEMA "pg_catalog";
CREATE SEQUENCE "Odd, ""schema"""."Odd.table_Id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."Renamed seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."Small" AS smallint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 32767 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."attached" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."fed_g_seq" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
CREATE UNLOGGED SEQUENCE "public"."unlogged_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE UNLOGGED SEQUENCE "public"."unlogged_sequence" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."unowned" AS bigint START WITH 4 INCREMENT BY -3 MINVALUE -100 MAXVALUE 5 CACHE 10 CYCLE;
CREATE TABLE "Odd, ""schema"""."Odd.table" (
    "Id" integer DEFAULT (nextval('"Odd, ""schema"""."Odd.table_Id_seq"'::regclass)) CONSTRAINT "Odd.table_Id_not_null" NOT NULL,
    "v" character varying(10)[] DEFAULT ('{}'::character varying[]),
    "w" numeric(10,2),
    "x" timestamp(3) with time zone,
    "y" interval day to second(2),
    "z" bit varying(5),
    "c" "char",
    "d" character(3),
    "e" time(0) without time zone,
    "f" double precision
);
CREATE TABLE "public"."TABLE" (
    "select" integer,
    "From" text,
    "a b" text,
    "q""uote" text,
    "new
line" text,
    "percent%d" text,
    "dollar$1" text,
    "ünïcödé 😀" text,
    "back\slash" text,
    "semi;colon" text
);
CREATE TABLE "public"."a123456789b123456789c123456789d123456789e123456789f123456789ghi" (
    "a123456789b123456789c123456789d123456789e123456789f123456789gh1" integer CONSTRAINT "a123456789b123456789c123456_a123456789b123456789c12345_not_null" NOT NULL
);
CREATE OR REPLACE FUNCTION "public"."plus_one"(integer)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT $1 + 1$function$;
CREATE TABLE "public"."calls" (
    "a" integer DEFAULT (public.plus_one(1)),
    "b" integer,
    CONSTRAINT "calls_b_check" CHECK ((public.plus_one(b) > 0))
);
CREATE TABLE "public"."cased" (
    "a" tools.citext
);
CREATE TABLE "public"."changed" (
    "c" integer,
    "d" text DEFAULT ('x'::text),
    "a" bigint DEFAULT 7
);
CREATE TABLE "public"."circle_a" (
    "id" integer CONSTRAINT "circle_a_id_not_null" NOT NULL,
    "b" integer
);
CREATE TABLE "public"."circle_b" (
    "id" integer CONSTRAINT "circle_b_id_not_null" NOT NULL,
    "a" integer
);
CREATE TABLE "public"."defaults" (
    "a" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "b" timestamp without time zone DEFAULT (now()),
    "c" text DEFAULT ('\ '' 
'::text),
    "d" boolean DEFAULT true,
    "e" integer DEFAULT ('-1'::integer),
    "f" text DEFAULT (NULL::character varying),
    "g" jsonb DEFAULT ('{"a": [1, "--"]}'::jsonb),
    "h" text DEFAULT CURRENT_USER,
    "i" bytea DEFAULT ('\x00ff'::bytea),
    "j" text[] DEFAULT (ARRAY['a'::text, 'b''c'::text]),
    "k" integer DEFAULT (((1 + 2) * 3)),
    "l" date DEFAULT ('infinity'::date),
    "m" text COLLATE "pg_catalog"."C" DEFAULT (('a'::text || 'b'::text)),
    "n" integer DEFAULT (
CASE
    WHEN true THEN 1
    ELSE 2
END) CONSTRAINT "defaults_n_not_null" NOT NULL,
    "o" regclass DEFAULT ('public.changed'::regclass),
    "p" point DEFAULT ('(1,2)'::point),
    "q" inet DEFAULT ('::1'::inet),
    "r" integer DEFAULT (length('a,b'::text))
);
CREATE TABLE "public"."fed" (
    "id" bigint DEFAULT (nextval('public.unowned'::regclass)),
    "other" bigint DEFAULT (nextval('public.unowned'::regclass)),
    "renamed" integer DEFAULT (nextval('public."Renamed seq"'::regclass)) CONSTRAINT "fed_s_not_null" NOT NULL,
    "g" bigint DEFAULT (nextval('public.fed_g_seq'::regclass)) CONSTRAINT "fed_g_not_null" NOT NULL
);
CREATE OR REPLACE FUNCTION "public"."generate"(integer, text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT $1::text || $2 $function$;
CREATE TABLE "public"."generated" (
    "a" integer,
    "b" text,
    "c" text GENERATED ALWAYS AS (public.generate(a, b)) STORED CONSTRAINT "generated_c_not_null" NOT NULL,
    "d" integer GENERATED ALWAYS AS (
CASE
    WHEN (a > 0) THEN a
    ELSE (- a)
END) STORED
);
CREATE TABLE "public"."identities" (
    "a" integer GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "public"."Identity of a" START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE) CONSTRAINT "identities_a_not_null" NOT NULL,
    "b" bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME "public"."identities_b_seq" START WITH 10 INCREMENT BY 5 MINVALUE 1 MAXVALUE 1000 CACHE 3 CYCLE) CONSTRAINT "identities_b_not_null" NOT NULL,
    "c" smallint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "public"."identities_c_seq") CONSTRAINT "identities_c_not_null" NOT NULL
);
CREATE TABLE "public"."keys" (
    "a" integer CONSTRAINT "keys_a_not_null" NOT NULL,
    "b" integer CONSTRAINT "keys_b_not_null" NOT NULL,
    "c" text,
    "during" tsrange,
    "d" integer,
    CONSTRAINT "Check, this" CHECK (((a > 0) AND ((c <> ')'::text) OR (c IS NULL)))),
    CONSTRAINT "local" CHECK ((b < 10)) NO INHERIT
);
CREATE TABLE "public"."lazy" (
    "a" integer,
    "b" integer
);
CREATE TABLE "public"."nothing" ();
CREATE TABLE "public"."periods" (
    "id" int4range CONSTRAINT "periods_id_not_null" NOT NULL,
    "during" tsrange CONSTRAINT "periods_during_not_null" NOT NULL
);
CREATE TABLE "public"."public" (
    "public" integer
);
CREATE TABLE "public"."replicated" (
    "a" integer CONSTRAINT "replicated_a_not_null" NOT NULL,
    "b" text COLLATE "pg_catalog"."C",
    "c" text COLLATE "pg_catalog"."POSIX" CONSTRAINT "replicated_c_not_null" NOT NULL
);
CREATE TABLE "public"."round" (
    "a" integer
);
CREATE TABLE "public"."sets" (
    "a" integer,
    "b" integer
);
CREATE TABLE "public"."table" (
    "with.point.in" text,
    "a" integer
);
CREATE TABLE "public"."table.with" (
    "a" integer,
    "point.in" integer
);
CREATE TABLE "public"."two" (
    "x" integer,
    "y" integer
);
CREATE UNLOGGED TABLE "public"."unlogged" (
    "id" integer DEFAULT (nextval('public.unlogged_id_seq'::regclass)) CONSTRAINT "unlogged_id_not_null" NOT NULL,
    "t" text
);
CREATE TABLE "public"."virtual" (
    "a" integer,
    "v" integer GENERATED ALWAYS AS ((a * 2)) VIRTUAL,
    "n" integer CONSTRAINT "Named not null" NOT NULL,
    "m" integer,
    CONSTRAINT "lax" CHECK ((a > 0)) NOT ENFORCED
);
CREATE TABLE "public"."within" (
    "id" int4range,
    "during" tsrange
);
CREATE OR REPLACE FUNCTION "public"."of_round"(r public.round)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$BEGIN RETURN 1; END$function$;
CREATE OR REPLACE FUNCTION "Odd, ""schema"""."f(x)"()
 RETURNS TABLE(a integer, "B" text)
 LANGUAGE sql
 ROWS 5
AS $function$ SELECT 1, 'x'::text $function$;
CREATE OR REPLACE FUNCTION "public"."fire"()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$BEGIN RETURN NEW; END$function$;
CREATE OR REPLACE FUNCTION "public"."of_row"(public.calls)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT $1.b$function$;
CREATE OR REPLACE FUNCTION "public"."plus_one"(a text, VARIADIC b integer[] DEFAULT '{1,2}'::integer[], OUT c text)
 RETURNS text
 LANGUAGE plpgsql
 PARALLEL SAFE STRICT SECURITY DEFINER COST 7
 SET search_path TO 'public', 'Odd, "schema"'
 SET work_mem TO '1MB'
AS $function$ BEGIN c := '$$; -- '; END $function$;
CREATE OR REPLACE PROCEDURE "public"."proc"(IN a integer, INOUT b text DEFAULT 'x'::text)
 LANGUAGE plpgsql
AS $procedure$BEGIN COMMIT; END$procedure$;
CREATE OR REPLACE FUNCTION "public"."returned"(x integer)
 RETURNS integer
 LANGUAGE sql
RETURN (x + public.plus_one(1));
CREATE OR REPLACE FUNCTION "public"."standard"(x integer)
 RETURNS bigint
 LANGUAGE sql
BEGIN ATOMIC
 SELECT count(*) AS count
    FROM public.keys
   WHERE (keys.a = standard.x);
 SELECT 2;
END;
ALTER SEQUENCE "Odd, ""schema"""."Odd.table_Id_seq" OWNED BY "Odd, ""schema"""."Odd.table"."Id";
ALTER SEQUENCE "public"."Renamed seq" OWNED BY "public"."fed"."renamed";
ALTER SEQUENCE "public"."attached" OWNED BY "public"."fed"."g";
ALTER SEQUENCE "public"."fed_g_seq" OWNED BY "public"."fed"."g";
ALTER SEQUENCE "public"."unlogged_id_seq" OWNED BY "public"."unlogged"."id";
ALTER TABLE "public"."changed" REPLICA IDENTITY NOTHING;
ALTER SEQUENCE "public"."identities_c_seq" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 5000000000 CACHE 1 NO CYCLE;
ALTER TABLE "public"."public" REPLICA IDENTITY FULL;
ALTER TABLE "public"."round" ALTER COLUMN "a" SET DEFAULT (public.of_round(NULL::public.round));
ALTER TABLE "public"."round" ADD CONSTRAINT "round_check" CHECK ((public.of_round(round.*) = 1));
ALTER TABLE "public"."unlogged" SET ("fillfactor"='50');
ALTER TABLE "public"."unlogged" SET ("autovacuum_enabled"='false');
ALTER TABLE "public"."unlogged" SET (toast."autovacuum_enabled"='false');
ALTER TABLE "public"."unlogged" ALTER COLUMN "t" SET STORAGE EXTERNAL;
ALTER TABLE "public"."unlogged" ALTER COLUMN "t" SET COMPRESSION pglz;
ALTER TABLE "public"."unlogged" ALTER COLUMN "t" SET STATISTICS 33;
ALTER TABLE "public"."unlogged" ALTER COLUMN "t" SET ("n_distinct"='-0.5');
