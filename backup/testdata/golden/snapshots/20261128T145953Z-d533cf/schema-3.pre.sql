-- PostgreSQL 15. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS "plpgsql" WITH SCHEMA "pg_catalog";
CREATE SEQUENCE "public"."private_keys_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE TABLE "public"."private_keys" (
    "id" integer DEFAULT (nextval('public.private_keys_id_seq'::regclass)) NOT NULL,
    "created_at" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "updated_at" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" timestamp without time zone,
    "key_id" character varying(255) NOT NULL,
    "encryption_alg" character varying(255) NOT NULL,
    "keywrap_alg" character varying(255) NOT NULL,
    "algorithm" character varying(50) NOT NULL,
    "passphrase_alias" character varying(50) NOT NULL,
    "public" bytea NOT NULL,
    "private" bytea NOT NULL,
    "gun" character varying(255) NOT NULL,
    "role" character varying(255) NOT NULL,
    "last_used" timestamp without time zone
);
CREATE TABLE "public"."schema_migrations" (
    "version" integer NOT NULL
);
ALTER SEQUENCE "public"."private_keys_id_seq" OWNED BY "public"."private_keys"."id";
