-- PostgreSQL 15. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS "plpgsql" WITH SCHEMA "pg_catalog";
CREATE SEQUENCE "public"."changefeed_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."tuf_files_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE TABLE "public"."change_category" (
    "category" character varying(20) NOT NULL
);
CREATE TABLE "public"."changefeed" (
    "id" integer DEFAULT (nextval('public.changefeed_id_seq'::regclass)) NOT NULL,
    "created_at" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "gun" character varying(255) NOT NULL,
    "version" integer NOT NULL,
    "sha256" character(64) NOT NULL,
    "category" character varying(20) DEFAULT ('update'::character varying) NOT NULL
);
CREATE TABLE "public"."schema_migrations" (
    "version" integer NOT NULL
);
CREATE TABLE "public"."tuf_files" (
    "id" integer DEFAULT (nextval('public.tuf_files_id_seq'::regclass)) NOT NULL,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "deleted_at" timestamp with time zone,
    "gun" character varying(255) NOT NULL,
    "role" character varying(255) NOT NULL,
    "version" integer NOT NULL,
    "data" bytea NOT NULL,
    "sha256" character(64)
);
ALTER SEQUENCE "public"."changefeed_id_seq" OWNED BY "public"."changefeed"."id";
ALTER SEQUENCE "public"."tuf_files_id_seq" OWNED BY "public"."tuf_files"."id";
