-- PostgreSQL 15. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS "plpgsql" WITH SCHEMA "pg_catalog";
CREATE SEQUENCE "public"."access_access_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."artifact_accessory_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."artifact_blob_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."artifact_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."artifact_reference_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."artifact_trash_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."audit_log_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."blob_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."cve_whitelist_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."data_migrations_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."execution_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."harbor_label_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."harbor_resource_label_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."harbor_user_user_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."immutable_tag_rule_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."job_log_log_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."job_queue_status_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."label_reference_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."notification_job_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."notification_policy_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."oidc_user_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."p2p_preheat_instance_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."p2p_preheat_policy_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."permission_policy_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."project_blob_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."project_member_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."project_metadata_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."project_project_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."properties_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."quota_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."quota_usage_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."replication_policy_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."replication_target_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."report_vulnerability_record_id_seq" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."repository_repository_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."retention_policy_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."robot_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."role_permission_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."role_role_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."scan_report_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."scanner_registration_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."schedule_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."system_artifact_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."tag_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."task_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."user_group_id_seq" AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
CREATE SEQUENCE "public"."vulnerability_record_id_seq" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
CREATE TABLE "public"."access" (
    "access_id" integer DEFAULT (nextval('public.access_access_id_seq'::regclass)) NOT NULL,
    "access_code" character(1),
    "comment" character varying(30)
);
CREATE TABLE "public"."alembic_version" (
    "version_num" character varying(32) NOT NULL
);
CREATE TABLE "public"."artifact" (
    "id" integer DEFAULT (nextval('public.artifact_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "repository_name" character varying(255) NOT NULL,
    "digest" character varying(255) NOT NULL,
    "type" character varying(255) NOT NULL,
    "pull_time" timestamp without time zone,
    "push_time" timestamp without time zone,
    "repository_id" integer NOT NULL,
    "media_type" character varying(255) NOT NULL,
    "manifest_media_type" character varying(255) NOT NULL,
    "size" bigint,
    "extra_attrs" text,
    "annotations" jsonb,
    "icon" character varying(255)
);
CREATE TABLE "public"."artifact_accessory" (
    "id" integer DEFAULT (nextval('public.artifact_accessory_id_seq'::regclass)) NOT NULL,
    "artifact_id" bigint,
    "subject_artifact_id" bigint,
    "type" character varying(256),
    "size" bigint,
    "digest" character varying(1024),
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."artifact_blob" (
    "id" integer DEFAULT (nextval('public.artifact_blob_id_seq'::regclass)) NOT NULL,
    "digest_af" character varying(255) NOT NULL,
    "digest_blob" character varying(255) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."artifact_reference" (
    "id" integer DEFAULT (nextval('public.artifact_reference_id_seq'::regclass)) NOT NULL,
    "parent_id" integer NOT NULL,
    "child_id" integer NOT NULL,
    "child_digest" character varying(255) NOT NULL,
    "platform" character varying(255),
    "urls" character varying(1024),
    "annotations" jsonb
);
CREATE TABLE "public"."artifact_trash" (
    "id" integer DEFAULT (nextval('public.artifact_trash_id_seq'::regclass)) NOT NULL,
    "media_type" character varying(255) NOT NULL,
    "manifest_media_type" character varying(255) NOT NULL,
    "repository_name" character varying(255) NOT NULL,
    "digest" character varying(255) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."audit_log" (
    "id" integer DEFAULT (nextval('public.audit_log_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "operation" character varying(20) NOT NULL,
    "resource_type" character varying(255) NOT NULL,
    "resource" character varying(1024) NOT NULL,
    "username" character varying(255) NOT NULL,
    "op_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."blob" (
    "id" integer DEFAULT (nextval('public.blob_id_seq'::regclass)) NOT NULL,
    "digest" character varying(255) NOT NULL,
    "content_type" character varying(1024) NOT NULL,
    "size" bigint NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "status" character varying(255) DEFAULT ('none'::character varying),
    "version" bigint DEFAULT 0
);
CREATE TABLE "public"."cve_allowlist" (
    "id" integer DEFAULT (nextval('public.cve_whitelist_id_seq'::regclass)) NOT NULL,
    "project_id" integer,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "expires_at" bigint,
    "items" text NOT NULL
);
CREATE TABLE "public"."data_migrations" (
    "id" integer DEFAULT (nextval('public.data_migrations_id_seq'::regclass)) NOT NULL,
    "version" integer,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."execution" (
    "id" integer DEFAULT (nextval('public.execution_id_seq'::regclass)) NOT NULL,
    "vendor_type" character varying(64) NOT NULL,
    "vendor_id" integer,
    "status" character varying(16),
    "status_message" text,
    "trigger" character varying(16) NOT NULL,
    "extra_attrs" json,
    "start_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "end_time" timestamp without time zone,
    "revision" integer,
    "update_time" timestamp without time zone
);
CREATE TABLE "public"."harbor_label" (
    "id" integer DEFAULT (nextval('public.harbor_label_id_seq'::regclass)) NOT NULL,
    "name" character varying(128) NOT NULL,
    "description" text,
    "color" character varying(16),
    "level" character(1) NOT NULL,
    "scope" character(1) NOT NULL,
    "project_id" integer,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "deleted" boolean DEFAULT false NOT NULL
);
CREATE TABLE "public"."harbor_resource_label" (
    "id" integer DEFAULT (nextval('public.harbor_resource_label_id_seq'::regclass)) NOT NULL,
    "label_id" integer NOT NULL,
    "resource_id" integer,
    "resource_name" character varying(256),
    "resource_type" character(1) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."harbor_user" (
    "user_id" integer DEFAULT (nextval('public.harbor_user_user_id_seq'::regclass)) NOT NULL,
    "username" character varying(255),
    "email" character varying(255),
    "password" character varying(40) NOT NULL,
    "realname" character varying(255) NOT NULL,
    "comment" character varying(30),
    "deleted" boolean DEFAULT false NOT NULL,
    "reset_uuid" character varying(40) DEFAULT (NULL::character varying),
    "salt" character varying(40) DEFAULT (NULL::character varying),
    "sysadmin_flag" boolean DEFAULT false NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "password_version" character varying(16) DEFAULT ('sha256'::character varying)
);
CREATE TABLE "public"."immutable_tag_rule" (
    "id" integer DEFAULT (nextval('public.immutable_tag_rule_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "tag_filter" text,
    "disabled" boolean DEFAULT false NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."job_log" (
    "log_id" integer DEFAULT (nextval('public.job_log_log_id_seq'::regclass)) NOT NULL,
    "job_uuid" character varying(64) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "content" text
);
CREATE TABLE "public"."job_queue_status" (
    "id" integer DEFAULT (nextval('public.job_queue_status_id_seq'::regclass)) NOT NULL,
    "job_type" character varying(256) NOT NULL,
    "paused" boolean DEFAULT false NOT NULL,
    "update_time" timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE "public"."label_reference" (
    "id" integer DEFAULT (nextval('public.label_reference_id_seq'::regclass)) NOT NULL,
    "label_id" integer NOT NULL,
    "artifact_id" integer NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."notification_job" (
    "id" integer DEFAULT (nextval('public.notification_job_id_seq'::regclass)) NOT NULL,
    "policy_id" integer NOT NULL,
    "status" character varying(32),
    "event_type" character varying(256),
    "notify_type" character varying(256),
    "job_detail" text,
    "job_uuid" character varying(64),
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."notification_policy" (
    "id" integer DEFAULT (nextval('public.notification_policy_id_seq'::regclass)) NOT NULL,
    "name" character varying(256),
    "project_id" integer NOT NULL,
    "enabled" boolean DEFAULT true NOT NULL,
    "description" text,
    "targets" text,
    "event_types" text,
    "creator" character varying(256),
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."oidc_user" (
    "id" integer DEFAULT (nextval('public.oidc_user_id_seq'::regclass)) NOT NULL,
    "user_id" integer NOT NULL,
    "secret" character varying(255) NOT NULL,
    "subiss" character varying(255) NOT NULL,
    "token" text,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."p2p_preheat_instance" (
    "id" integer DEFAULT (nextval('public.p2p_preheat_instance_id_seq'::regclass)) NOT NULL,
    "name" character varying(255) NOT NULL,
    "description" character varying(255),
    "vendor" character varying(255) NOT NULL,
    "endpoint" character varying(255) NOT NULL,
    "auth_mode" character varying(255),
    "auth_data" text,
    "enabled" boolean,
    "is_default" boolean,
    "insecure" boolean,
    "setup_timestamp" integer
);
CREATE TABLE "public"."p2p_preheat_policy" (
    "id" integer DEFAULT (nextval('public.p2p_preheat_policy_id_seq'::regclass)) NOT NULL,
    "name" character varying(255) NOT NULL,
    "description" character varying(1024),
    "project_id" integer NOT NULL,
    "provider_id" integer NOT NULL,
    "filters" character varying(1024),
    "trigger" character varying(255),
    "enabled" boolean,
    "creation_time" timestamp without time zone,
    "update_time" timestamp without time zone
);
CREATE TABLE "public"."permission_policy" (
    "id" integer DEFAULT (nextval('public.permission_policy_id_seq'::regclass)) NOT NULL,
    "scope" character varying(255) NOT NULL,
    "resource" character varying(255),
    "action" character varying(255),
    "effect" character varying(255),
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."project" (
    "project_id" integer DEFAULT (nextval('public.project_project_id_seq'::regclass)) NOT NULL,
    "owner_id" integer NOT NULL,
    "name" character varying(255) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "deleted" boolean DEFAULT false NOT NULL,
    "registry_id" integer
);
CREATE TABLE "public"."project_blob" (
    "id" integer DEFAULT (nextval('public.project_blob_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "blob_id" integer NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."project_member" (
    "id" integer DEFAULT (nextval('public.project_member_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "entity_id" integer NOT NULL,
    "entity_type" character(1) NOT NULL,
    "role" integer NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."project_metadata" (
    "id" integer DEFAULT (nextval('public.project_metadata_id_seq'::regclass)) NOT NULL,
    "project_id" integer NOT NULL,
    "name" character varying(255) NOT NULL,
    "value" character varying(255),
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."properties" (
    "id" integer DEFAULT (nextval('public.properties_id_seq'::regclass)) NOT NULL,
    "k" character varying(64) NOT NULL,
    "v" text NOT NULL
);
CREATE TABLE "public"."quota" (
    "id" integer DEFAULT (nextval('public.quota_id_seq'::regclass)) NOT NULL,
    "reference" character varying(255) NOT NULL,
    "reference_id" character varying(255) NOT NULL,
    "hard" jsonb NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "version" bigint DEFAULT 0
);
CREATE TABLE "public"."quota_usage" (
    "id" integer DEFAULT (nextval('public.quota_usage_id_seq'::regclass)) NOT NULL,
    "reference" character varying(255) NOT NULL,
    "reference_id" character varying(255) NOT NULL,
    "used" jsonb NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "version" bigint DEFAULT 0
);
CREATE TABLE "public"."registry" (
    "id" integer DEFAULT (nextval('public.replication_target_id_seq'::regclass)) NOT NULL,
    "name" character varying(64),
    "url" character varying(256),
    "access_key" character varying(255),
    "access_secret" character varying(4096),
    "insecure" boolean DEFAULT false NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "credential_type" character varying(16),
    "type" character varying(32),
    "description" text,
    "health" character varying(16)
);
CREATE TABLE "public"."replication_policy" (
    "id" integer DEFAULT (nextval('public.replication_policy_id_seq'::regclass)) NOT NULL,
    "name" character varying(256),
    "dest_registry_id" integer,
    "enabled" boolean DEFAULT true NOT NULL,
    "description" text,
    "deleted" boolean DEFAULT false NOT NULL,
    "trigger" character varying(256),
    "filters" character varying(1024),
    "replicate_deletion" boolean DEFAULT false NOT NULL,
    "start_time" timestamp without time zone,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "creator" character varying(256),
    "src_registry_id" integer,
    "dest_namespace" character varying(256),
    "override" boolean,
    "dest_namespace_replace_count" integer,
    "speed_kb" integer,
    "copy_by_chunk" boolean
);
CREATE TABLE "public"."report_vulnerability_record" (
    "id" bigint DEFAULT (nextval('public.report_vulnerability_record_id_seq'::regclass)) NOT NULL,
    "report_uuid" text DEFAULT (''::text) NOT NULL,
    "vuln_record_id" bigint DEFAULT 0 NOT NULL
);
CREATE TABLE "public"."repository" (
    "repository_id" integer DEFAULT (nextval('public.repository_repository_id_seq'::regclass)) NOT NULL,
    "name" character varying(255) NOT NULL,
    "project_id" integer NOT NULL,
    "description" text,
    "pull_count" integer DEFAULT 0 NOT NULL,
    "star_count" integer DEFAULT 0 NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."retention_policy" (
    "id" integer DEFAULT (nextval('public.retention_policy_id_seq'::regclass)) NOT NULL,
    "scope_level" character varying(20),
    "scope_reference" integer,
    "trigger_kind" character varying(20),
    "data" text,
    "create_time" timestamp without time zone,
    "update_time" timestamp without time zone
);
CREATE TABLE "public"."robot" (
    "id" integer DEFAULT (nextval('public.robot_id_seq'::regclass)) NOT NULL,
    "name" character varying(255),
    "description" character varying(1024),
    "project_id" integer,
    "expiresat" bigint,
    "disabled" boolean DEFAULT false NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "visible" boolean DEFAULT true NOT NULL,
    "secret" character varying(2048),
    "salt" character varying(64),
    "duration" integer
);
CREATE TABLE "public"."role" (
    "role_id" integer DEFAULT (nextval('public.role_role_id_seq'::regclass)) NOT NULL,
    "role_mask" integer DEFAULT 0 NOT NULL,
    "role_code" character varying(20),
    "name" character varying(20)
);
CREATE TABLE "public"."role_permission" (
    "id" integer DEFAULT (nextval('public.role_permission_id_seq'::regclass)) NOT NULL,
    "role_type" character varying(255) NOT NULL,
    "role_id" integer NOT NULL,
    "permission_policy_id" integer NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."scan_report" (
    "id" integer DEFAULT (nextval('public.scan_report_id_seq'::regclass)) NOT NULL,
    "uuid" character varying(64) NOT NULL,
    "digest" character varying(256) NOT NULL,
    "registration_uuid" character varying(64) NOT NULL,
    "mime_type" character varying(256) NOT NULL,
    "report" json
);
CREATE TABLE "public"."scanner_registration" (
    "id" integer DEFAULT (nextval('public.scanner_registration_id_seq'::regclass)) NOT NULL,
    "uuid" character varying(64) NOT NULL,
    "url" character varying(256) NOT NULL,
    "name" character varying(128) NOT NULL,
    "description" character varying(1024),
    "auth" character varying(16) NOT NULL,
    "access_cred" character varying(512),
    "disabled" boolean DEFAULT false NOT NULL,
    "is_default" boolean DEFAULT false NOT NULL,
    "use_internal_addr" boolean DEFAULT false NOT NULL,
    "immutable" boolean DEFAULT false NOT NULL,
    "skip_cert_verify" boolean DEFAULT false NOT NULL,
    "create_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."schedule" (
    "id" integer DEFAULT (nextval('public.schedule_id_seq'::regclass)) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "vendor_type" character varying(64),
    "vendor_id" integer,
    "cron" character varying(64),
    "callback_func_name" character varying(128),
    "callback_func_param" text,
    "cron_type" character varying(64),
    "extra_attrs" json,
    "revision" integer
);
CREATE TABLE "public"."schema_migrations" (
    "version" bigint NOT NULL,
    "dirty" boolean NOT NULL
);
CREATE TABLE "public"."system_artifact" (
    "id" integer DEFAULT (nextval('public.system_artifact_id_seq'::regclass)) NOT NULL,
    "repository" character varying(256) NOT NULL,
    "digest" character varying(255) DEFAULT (''::character varying) NOT NULL,
    "size" bigint DEFAULT 0 NOT NULL,
    "vendor" character varying(255) DEFAULT (''::character varying) NOT NULL,
    "type" character varying(255) DEFAULT (''::character varying) NOT NULL,
    "create_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "extra_attrs" text DEFAULT (''::text) NOT NULL
);
CREATE TABLE "public"."tag" (
    "id" integer DEFAULT (nextval('public.tag_id_seq'::regclass)) NOT NULL,
    "repository_id" integer NOT NULL,
    "artifact_id" integer NOT NULL,
    "name" character varying(255) NOT NULL,
    "push_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "pull_time" timestamp without time zone
);
CREATE TABLE "public"."task" (
    "id" integer DEFAULT (nextval('public.task_id_seq'::regclass)) NOT NULL,
    "execution_id" integer NOT NULL,
    "job_id" character varying(64),
    "status" character varying(16) NOT NULL,
    "status_code" integer NOT NULL,
    "status_revision" integer,
    "status_message" text,
    "run_count" integer,
    "extra_attrs" json,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "start_time" timestamp without time zone,
    "update_time" timestamp without time zone,
    "end_time" timestamp without time zone,
    "vendor_type" character varying(64) NOT NULL
);
CREATE TABLE "public"."user_group" (
    "id" integer DEFAULT (nextval('public.user_group_id_seq'::regclass)) NOT NULL,
    "group_name" character varying(255) NOT NULL,
    "group_type" smallint DEFAULT 0,
    "ldap_group_dn" character varying(512) NOT NULL,
    "creation_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    "update_time" timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "public"."vulnerability_record" (
    "id" bigint DEFAULT (nextval('public.vulnerability_record_id_seq'::regclass)) NOT NULL,
    "cve_id" text DEFAULT (''::text) NOT NULL,
    "registration_uuid" text DEFAULT (''::text) NOT NULL,
    "package" text DEFAULT (''::text) NOT NULL,
    "package_version" text DEFAULT (''::text) NOT NULL,
    "package_type" text DEFAULT (''::text) NOT NULL,
    "severity" text DEFAULT (''::text) NOT NULL,
    "fixed_version" text,
    "urls" text,
    "cvss_score_v3" double precision,
    "cvss_score_v2" double precision,
    "cvss_vector_v3" text,
    "cvss_vector_v2" text,
    "description" text,
    "cwe_ids" text,
    "vendor_attributes" json
);
CREATE OR REPLACE FUNCTION "public"."update_update_time_at_column"()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.update_time := NOW();
    RETURN NEW;
END
$function$;
ALTER SEQUENCE "public"."access_access_id_seq" OWNED BY "public"."access"."access_id";
ALTER SEQUENCE "public"."artifact_accessory_id_seq" OWNED BY "public"."artifact_accessory"."id";
ALTER SEQUENCE "public"."artifact_blob_id_seq" OWNED BY "public"."artifact_blob"."id";
ALTER SEQUENCE "public"."artifact_id_seq" OWNED BY "public"."artifact"."id";
ALTER SEQUENCE "public"."artifact_reference_id_seq" OWNED BY "public"."artifact_reference"."id";
ALTER SEQUENCE "public"."artifact_trash_id_seq" OWNED BY "public"."artifact_trash"."id";
ALTER SEQUENCE "public"."audit_log_id_seq" OWNED BY "public"."audit_log"."id";
ALTER SEQUENCE "public"."blob_id_seq" OWNED BY "public"."blob"."id";
ALTER SEQUENCE "public"."cve_whitelist_id_seq" OWNED BY "public"."cve_allowlist"."id";
ALTER SEQUENCE "public"."data_migrations_id_seq" OWNED BY "public"."data_migrations"."id";
ALTER SEQUENCE "public"."execution_id_seq" OWNED BY "public"."execution"."id";
ALTER SEQUENCE "public"."harbor_label_id_seq" OWNED BY "public"."harbor_label"."id";
ALTER SEQUENCE "public"."harbor_resource_label_id_seq" OWNED BY "public"."harbor_resource_label"."id";
ALTER SEQUENCE "public"."harbor_user_user_id_seq" OWNED BY "public"."harbor_user"."user_id";
ALTER SEQUENCE "public"."immutable_tag_rule_id_seq" OWNED BY "public"."immutable_tag_rule"."id";
ALTER SEQUENCE "public"."job_log_log_id_seq" OWNED BY "public"."job_log"."log_id";
ALTER SEQUENCE "public"."job_queue_status_id_seq" OWNED BY "public"."job_queue_status"."id";
ALTER SEQUENCE "public"."label_reference_id_seq" OWNED BY "public"."label_reference"."id";
ALTER SEQUENCE "public"."notification_job_id_seq" OWNED BY "public"."notification_job"."id";
ALTER SEQUENCE "public"."notification_policy_id_seq" OWNED BY "public"."notification_policy"."id";
ALTER SEQUENCE "public"."oidc_user_id_seq" OWNED BY "public"."oidc_user"."id";
ALTER SEQUENCE "public"."p2p_preheat_instance_id_seq" OWNED BY "public"."p2p_preheat_instance"."id";
ALTER SEQUENCE "public"."p2p_preheat_policy_id_seq" OWNED BY "public"."p2p_preheat_policy"."id";
ALTER SEQUENCE "public"."permission_policy_id_seq" OWNED BY "public"."permission_policy"."id";
ALTER SEQUENCE "public"."project_blob_id_seq" OWNED BY "public"."project_blob"."id";
ALTER SEQUENCE "public"."project_member_id_seq" OWNED BY "public"."project_member"."id";
ALTER SEQUENCE "public"."project_metadata_id_seq" OWNED BY "public"."project_metadata"."id";
ALTER SEQUENCE "public"."project_project_id_seq" OWNED BY "public"."project"."project_id";
ALTER SEQUENCE "public"."properties_id_seq" OWNED BY "public"."properties"."id";
ALTER SEQUENCE "public"."quota_id_seq" OWNED BY "public"."quota"."id";
ALTER SEQUENCE "public"."quota_usage_id_seq" OWNED BY "public"."quota_usage"."id";
ALTER SEQUENCE "public"."replication_policy_id_seq" OWNED BY "public"."replication_policy"."id";
ALTER SEQUENCE "public"."replication_target_id_seq" OWNED BY "public"."registry"."id";
ALTER SEQUENCE "public"."report_vulnerability_record_id_seq" OWNED BY "public"."report_vulnerability_record"."id";
ALTER SEQUENCE "public"."repository_repository_id_seq" OWNED BY "public"."repository"."repository_id";
ALTER SEQUENCE "public"."retention_policy_id_seq" OWNED BY "public"."retention_policy"."id";
ALTER SEQUENCE "public"."robot_id_seq" OWNED BY "public"."robot"."id";
ALTER SEQUENCE "public"."role_permission_id_seq" OWNED BY "public"."role_permission"."id";
ALTER SEQUENCE "public"."role_role_id_seq" OWNED BY "public"."role"."role_id";
ALTER SEQUENCE "public"."scan_report_id_seq" OWNED BY "public"."scan_report"."id";
ALTER SEQUENCE "public"."scanner_registration_id_seq" OWNED BY "public"."scanner_registration"."id";
ALTER SEQUENCE "public"."schedule_id_seq" OWNED BY "public"."schedule"."id";
ALTER SEQUENCE "public"."system_artifact_id_seq" OWNED BY "public"."system_artifact"."id";
ALTER SEQUENCE "public"."tag_id_seq" OWNED BY "public"."tag"."id";
ALTER SEQUENCE "public"."task_id_seq" OWNED BY "public"."task"."id";
ALTER SEQUENCE "public"."user_group_id_seq" OWNED BY "public"."user_group"."id";
ALTER SEQUENCE "public"."vulnerability_record_id_seq" OWNED BY "public"."vulnerability_record"."id";
