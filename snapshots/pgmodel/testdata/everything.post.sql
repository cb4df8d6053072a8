-- PostgreSQL 18. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE UNIQUE INDEX "Odd.table_pkey" ON "Odd, ""schema"""."Odd.table" USING btree ("Id");
ALTER TABLE "Odd, ""schema"""."Odd.table" ADD CONSTRAINT "Odd.table_pkey" PRIMARY KEY USING INDEX "Odd.table_pkey";
CREATE UNIQUE INDEX "a123456789b123456789c123456789d123456789e123456789f1234567_pkey" ON "public"."a123456789b123456789c123456789d123456789e123456789f123456789ghi" USING btree (a123456789b123456789c123456789d123456789e123456789f123456789gh1);
ALTER TABLE "public"."a123456789b123456789c123456789d123456789e123456789f123456789ghi" ADD CONSTRAINT "a123456789b123456789c123456789d123456789e123456789f1234567_pkey" PRIMARY KEY USING INDEX "a123456789b123456789c123456789d123456789e123456789f1234567_pkey";
CREATE INDEX "calls_index" ON "public"."calls" USING btree (public.plus_one(b)) WHERE (public.plus_one(a) > 2);
CREATE UNIQUE INDEX "circle_a_pkey" ON "public"."circle_a" USING btree (id);
ALTER TABLE "public"."circle_a" ADD CONSTRAINT "circle_a_pkey" PRIMARY KEY USING INDEX "circle_a_pkey";
CREATE UNIQUE INDEX "circle_b_pkey" ON "public"."circle_b" USING btree (id);
ALTER TABLE "public"."circle_b" ADD CONSTRAINT "circle_b_pkey" PRIMARY KEY USING INDEX "circle_b_pkey";
CREATE UNIQUE INDEX "identities_pkey" ON "public"."identities" USING btree (c);
ALTER TABLE "public"."identities" ADD CONSTRAINT "identities_pkey" PRIMARY KEY USING INDEX "identities_pkey";
CREATE INDEX "Index, odd" ON "public"."keys" USING btree (lower(c) text_pattern_ops DESC NULLS LAST, ((a + b)) DESC) WITH ("fillfactor"='80') WHERE ((c IS NOT NULL) AND (a > 1));
ALTER TABLE "public"."keys" ADD CONSTRAINT "apart" EXCLUDE USING gist (during WITH &&) WITH (fillfactor='60') WHERE ((a > 5)) DEFERRABLE;
CREATE UNIQUE INDEX "index_nulls" ON "public"."keys" USING btree (a, d) NULLS NOT DISTINCT WHERE (a < 9);
CREATE INDEX "keys_brin" ON "public"."keys" USING brin (a) WITH ("pages_per_range"='16');
CREATE INDEX "keys_collated" ON "public"."keys" USING btree (c COLLATE "C");
ALTER TABLE "public"."keys" CLUSTER ON "keys_collated";
CREATE UNIQUE INDEX "keys_covering" ON "public"."keys" USING btree (d, b) INCLUDE (c);
ALTER TABLE "public"."keys" ADD CONSTRAINT "keys_covering" UNIQUE USING INDEX "keys_covering";
CREATE UNIQUE INDEX "keys_deferrable" ON "public"."keys" USING btree (c, a);
ALTER TABLE "public"."keys" ADD CONSTRAINT "keys_deferrable" UNIQUE USING INDEX "keys_deferrable" DEFERRABLE;
CREATE UNIQUE INDEX "keys_deferred" ON "public"."keys" USING btree (a);
ALTER TABLE "public"."keys" ADD CONSTRAINT "keys_deferred" UNIQUE USING INDEX "keys_deferred" DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "keys_expression" ON "public"."keys" USING btree (((a * b)), ((b - a)));
ALTER INDEX "public"."keys_expression" ALTER COLUMN 2 SET STATISTICS 42;
CREATE UNIQUE INDEX "keys_filled" ON "public"."keys" USING btree (d) WITH ("fillfactor"='70');
ALTER TABLE "public"."keys" ADD CONSTRAINT "keys_filled" UNIQUE USING INDEX "keys_filled";
CREATE INDEX "keys_gin" ON "public"."keys" USING gin (to_tsvector('simple'::regconfig, c)) WITH ("fastupdate"='off');
CREATE INDEX "keys_hash" ON "public"."keys" USING hash (c);
CREATE UNIQUE INDEX "keys_include" ON "public"."keys" USING btree (b) INCLUDE (c, d) WITH ("fillfactor"='90') WHERE (a > 0);
CREATE UNIQUE INDEX "keys_nulls" ON "public"."keys" USING btree (d, c) NULLS NOT DISTINCT;
ALTER TABLE "public"."keys" ADD CONSTRAINT "keys_nulls" UNIQUE USING INDEX "keys_nulls";
CREATE UNIQUE INDEX "primary" ON "public"."keys" USING btree (b, a);
ALTER TABLE "public"."keys" ADD CONSTRAINT "primary" PRIMARY KEY USING INDEX "primary";
ALTER TABLE "public"."periods" ADD CONSTRAINT "periods_pkey" PRIMARY KEY (id, during WITHOUT OVERLAPS);
CREATE UNIQUE INDEX "replicated_a" ON "public"."replicated" USING btree (a);
ALTER TABLE "public"."replicated" REPLICA IDENTITY USING INDEX "replicated_a";
CREATE UNIQUE INDEX "unlogged_pkey" ON "public"."unlogged" USING btree (id);
ALTER TABLE "public"."unlogged" ADD CONSTRAINT "unlogged_pkey" PRIMARY KEY USING INDEX "unlogged_pkey";
ALTER TABLE "public"."circle_a" ADD CONSTRAINT "to_b" FOREIGN KEY ("b") REFERENCES "public"."circle_b" ("id") ON UPDATE CASCADE ON DELETE SET NULL NOT VALID;
ALTER TABLE "public"."circle_a" ADD CONSTRAINT "to_itself" FOREIGN KEY ("b") REFERENCES "public"."circle_a" ("id") ON UPDATE NO ACTION ON DELETE SET DEFAULT NOT VALID;
ALTER TABLE "public"."circle_b" ADD CONSTRAINT "circle_b_a_fkey" FOREIGN KEY ("a") REFERENCES "public"."circle_a" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE "public"."lazy" ADD CONSTRAINT "lazy_key" FOREIGN KEY ("a") REFERENCES "public"."circle_a" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION NOT ENFORCED;
ALTER TABLE "public"."sets" ADD CONSTRAINT "sets_a_b_fkey" FOREIGN KEY ("a", "b") REFERENCES "public"."keys" ("a", "b") ON UPDATE NO ACTION ON DELETE SET NULL ("b") NOT VALID;
ALTER TABLE "public"."two" ADD CONSTRAINT "two_y_x_fkey" FOREIGN KEY ("y", "x") REFERENCES "public"."keys" ("a", "b") MATCH FULL ON UPDATE NO ACTION ON DELETE RESTRICT DEFERRABLE NOT VALID;
ALTER TABLE "public"."within" ADD CONSTRAINT "within_id_during_fkey" FOREIGN KEY ("id", PERIOD "during") REFERENCES "public"."periods" ("id", PERIOD "during") ON UPDATE NO ACTION ON DELETE NO ACTION NOT VALID;
ALTER TABLE "public"."circle_a" VALIDATE CONSTRAINT "to_b";
ALTER TABLE "public"."circle_b" VALIDATE CONSTRAINT "circle_b_a_fkey";
ALTER TABLE "public"."sets" VALIDATE CONSTRAINT "sets_a_b_fkey";
ALTER TABLE "public"."two" VALIDATE CONSTRAINT "two_y_x_fkey";
ALTER TABLE "public"."within" VALIDATE CONSTRAINT "within_id_during_fkey";
ALTER TABLE "public"."keys" ADD CONSTRAINT "not_yet" CHECK ((d > 0)) NOT VALID;
ALTER TABLE "public"."virtual" ADD CONSTRAINT "not_valid_not_null" NOT NULL "m" NOT VALID;
CREATE VIEW "public"."grouped" ("id", "b", "count") AS
SELECT id,
    b,
    count(*) AS count
   FROM public.circle_a
  GROUP BY id;
CREATE OR REPLACE FUNCTION "public"."of_key"()
 RETURNS SETOF integer
 LANGUAGE sql
BEGIN ATOMIC
 SELECT grouped.id
    FROM public.grouped;
END;
CREATE VIEW "public"."z_first" ("A", "b") WITH ("security_barrier"='true', "check_option"='local') AS
SELECT a AS "A",
    b
   FROM public.keys
  WHERE (a > 1);
ALTER VIEW "public"."z_first" ALTER COLUMN "b" SET DEFAULT 5;
CREATE VIEW "public"."a_second" ("x", "n") AS
SELECT ("A" + 1) AS x,
    ( SELECT count(*) AS count
           FROM public."table") AS n
   FROM public.z_first;
CREATE OR REPLACE FUNCTION "public"."of_view"(public.a_second)
 RETURNS bigint
 LANGUAGE sql
AS $function$SELECT $1.x::bigint$function$;
CREATE MATERIALIZED VIEW "public"."z_filled" ("A") AS
SELECT "A"
   FROM public.z_first
WITH NO DATA;
CREATE MATERIALIZED VIEW "public"."b_filled" ("A", "x") AS
SELECT z_filled."A",
    a_second.x
   FROM public.z_filled,
    public.a_second
WITH NO DATA;
ALTER MATERIALIZED VIEW "public"."b_filled" SET ("fillfactor"='50');
CREATE MATERIALIZED VIEW "public"."a_empty" ("A", "x") AS
SELECT "A",
    x
   FROM public.b_filled
WITH NO DATA;
CREATE VIEW "public"."calls_function" ("y") AS
SELECT public.of_view(a_second.*) AS y
   FROM public.a_second;
CREATE VIEW "public"."invoker" ("a") WITH ("security_invoker"='true', "check_option"='cascaded') AS
SELECT a
   FROM public.changed
  WHERE (a > 2);
CREATE VIEW "public"."renamed" ("Renamed", "b") AS
SELECT 1 AS "Renamed",
    2 AS b;
REFRESH MATERIALIZED VIEW "public"."z_filled";
CREATE UNIQUE INDEX "z_filled_index" ON "public"."z_filled" USING btree ("A");
ALTER MATERIALIZED VIEW "public"."z_filled" CLUSTER ON "z_filled_index";
REFRESH MATERIALIZED VIEW "public"."b_filled";
CREATE STATISTICS "public"."expressions" ON b, (a + d) FROM "public"."generated";
ALTER STATISTICS "public"."expressions" SET STATISTICS 12;
CREATE STATISTICS "public"."mcv" (mcv) ON a, d FROM "public"."generated";
CREATE STATISTICS "public"."stats" (ndistinct) ON a, b FROM "public"."keys";
CREATE CONSTRAINT TRIGGER "a_constraint" AFTER UPDATE ON "public"."circle_a" FROM public.circle_b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.b IS DISTINCT FROM new.b)) EXECUTE FUNCTION "public"."fire"();
CREATE TRIGGER "Trigger, odd" BEFORE INSERT OR UPDATE OF a, c ON "public"."keys" FOR EACH ROW WHEN (((new.a > 5) AND (new.c <> 'EXECUTE PROCEDURE x()'::text))) EXECUTE FUNCTION "public"."fire"('a', 'b''c', '\');
CREATE TRIGGER "a_always" AFTER INSERT ON "public"."keys" REFERENCING NEW TABLE AS execute FOR EACH STATEMENT EXECUTE FUNCTION "public"."fire"();
ALTER TABLE "public"."keys" ENABLE ALWAYS TRIGGER "a_always";
CREATE TRIGGER "a_replica" BEFORE DELETE ON "public"."keys" FOR EACH ROW EXECUTE FUNCTION "public"."fire"();
ALTER TABLE "public"."keys" ENABLE REPLICA TRIGGER "a_replica";
CREATE TRIGGER "on_disabled" AFTER DELETE OR TRUNCATE ON "public"."keys" FOR EACH STATEMENT EXECUTE FUNCTION "public"."fire"();
ALTER TABLE "public"."keys" DISABLE TRIGGER "on_disabled";
CREATE TRIGGER "instead" INSTEAD OF INSERT ON "public"."a_second" FOR EACH ROW EXECUTE FUNCTION "public"."fire"();
COMMENT ON SCHEMA "Odd, ""schema""" IS 'line one
line two; DROP TABLE x; --';
COMMENT ON SCHEMA public IS NULL;
COMMENT ON EXTENSION "citext" IS 'data type for case-insensitive character strings';
COMMENT ON FUNCTION "public"."plus_one"(integer) IS 'function';
COMMENT ON PROCEDURE "public"."proc"(IN a integer, INOUT b text) IS 'procedure';
COMMENT ON SEQUENCE "public"."unowned" IS 'sequence';
COMMENT ON TABLE "Odd, ""schema"""."Odd.table" IS  E'-- not a comment */ \\. ';
COMMENT ON COLUMN "public"."TABLE"."q""uote" IS  E'''"\\ $x$ ''''';
COMMENT ON CONSTRAINT "to_b" ON "public"."circle_a" IS 'foreign key';
COMMENT ON CONSTRAINT "Check, this" ON "public"."keys" IS 'check';
COMMENT ON INDEX "public"."Index, odd" IS 'index';
COMMENT ON CONSTRAINT "apart" ON "public"."keys" IS 'exclusion';
COMMENT ON CONSTRAINT "primary" ON "public"."keys" IS 'key';
COMMENT ON TRIGGER "Trigger, odd" ON "public"."keys" IS 'trigger';
COMMENT ON CONSTRAINT "Named not null" ON "public"."virtual" IS 'not null';
COMMENT ON MATERIALIZED VIEW "public"."z_filled" IS 'materialized';
COMMENT ON VIEW "public"."z_first" IS 'view';
COMMENT ON COLUMN "public"."z_first"."A" IS 'column of a view';
COMMENT ON STATISTICS "public"."stats" IS 'statistics';
COMMENT ON DATABASE :"DBNAME" IS  E'a ''database'' with \\ and $$ in its comment';
ALTER DATABASE :"DBNAME" OWNER TO "postgres";
ALTER SCHEMA "Odd, ""schema""" OWNER TO "harbor_owner";
ALTER SCHEMA public OWNER TO "pg_database_owner";
ALTER SCHEMA "select_" OWNER TO "Ops ""team""";
ALTER SCHEMA "tools" OWNER TO "postgres";
ALTER FUNCTION "Odd, ""schema"""."f(x)"() OWNER TO "postgres";
ALTER FUNCTION "public"."fire"() OWNER TO "postgres";
ALTER FUNCTION "public"."generate"(integer, text) OWNER TO "postgres";
ALTER FUNCTION "public"."of_key"() OWNER TO "postgres";
ALTER FUNCTION "public"."of_round"(r public.round) OWNER TO "postgres";
ALTER FUNCTION "public"."of_row"(public.calls) OWNER TO "postgres";
ALTER FUNCTION "public"."of_view"(public.a_second) OWNER TO "postgres";
ALTER FUNCTION "public"."plus_one"(a text, VARIADIC b integer[], OUT c text) OWNER TO "postgres";
ALTER FUNCTION "public"."plus_one"(integer) OWNER TO "harbor_owner";
ALTER PROCEDURE "public"."proc"(IN a integer, INOUT b text) OWNER TO "postgres";
ALTER FUNCTION "public"."returned"(x integer) OWNER TO "postgres";
ALTER FUNCTION "public"."standard"(x integer) OWNER TO "postgres";
ALTER TABLE "Odd, ""schema"""."Odd.table" OWNER TO "postgres";
ALTER TABLE "public"."TABLE" OWNER TO "postgres";
ALTER TABLE "public"."a123456789b123456789c123456789d123456789e123456789f123456789ghi" OWNER TO "postgres";
ALTER TABLE "public"."calls" OWNER TO "postgres";
ALTER TABLE "public"."cased" OWNER TO "postgres";
ALTER TABLE "public"."changed" OWNER TO "harbor_owner";
ALTER TABLE "public"."circle_a" OWNER TO "postgres";
ALTER TABLE "public"."circle_b" OWNER TO "postgres";
ALTER TABLE "public"."defaults" OWNER TO "postgres";
ALTER TABLE "public"."fed" OWNER TO "Ops ""team""";
ALTER TABLE "public"."generated" OWNER TO "postgres";
ALTER TABLE "public"."identities" OWNER TO "postgres";
ALTER TABLE "public"."keys" OWNER TO "postgres";
ALTER TABLE "public"."lazy" OWNER TO "postgres";
ALTER TABLE "public"."nothing" OWNER TO "postgres";
ALTER TABLE "public"."periods" OWNER TO "postgres";
ALTER TABLE "public"."public" OWNER TO "postgres";
ALTER TABLE "public"."replicated" OWNER TO "postgres";
ALTER TABLE "public"."round" OWNER TO "postgres";
ALTER TABLE "public"."sets" OWNER TO "postgres";
ALTER TABLE "public"."table" OWNER TO "postgres";
ALTER TABLE "public"."table.with" OWNER TO "postgres";
ALTER TABLE "public"."two" OWNER TO "postgres";
ALTER TABLE "public"."unlogged" OWNER TO "postgres";
ALTER TABLE "public"."virtual" OWNER TO "postgres";
ALTER TABLE "public"."within" OWNER TO "postgres";
ALTER SEQUENCE "public"."Small" OWNER TO "postgres";
ALTER SEQUENCE "public"."unlogged_sequence" OWNER TO "postgres";
ALTER SEQUENCE "public"."unowned" OWNER TO "harbor_owner";
ALTER MATERIALIZED VIEW "public"."a_empty" OWNER TO "postgres";
ALTER VIEW "public"."a_second" OWNER TO "harbor_owner";
ALTER MATERIALIZED VIEW "public"."b_filled" OWNER TO "postgres";
ALTER VIEW "public"."calls_function" OWNER TO "postgres";
ALTER VIEW "public"."grouped" OWNER TO "postgres";
ALTER VIEW "public"."invoker" OWNER TO "postgres";
ALTER VIEW "public"."renamed" OWNER TO "postgres";
ALTER MATERIALIZED VIEW "public"."z_filled" OWNER TO "harbor_owner";
ALTER VIEW "public"."z_first" OWNER TO "postgres";
ALTER STATISTICS "public"."expressions" OWNER TO "postgres";
ALTER STATISTICS "public"."mcv" OWNER TO "postgres";
ALTER STATISTICS "public"."stats" OWNER TO "postgres";
GRANT USAGE ON SCHEMA "Odd, ""schema""" TO "reader";
GRANT CREATE, USAGE ON SCHEMA "public" TO "harbor_owner";
GRANT USAGE ON SCHEMA "tools" TO "reader";
REVOKE EXECUTE ON FUNCTION "public"."plus_one"(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "public"."plus_one"(integer) TO "reader";
GRANT EXECUTE ON PROCEDURE "public"."proc"(IN a integer, INOUT b text) TO "reader";
GRANT SELECT ON TABLE "public"."cased" TO "reader";
REVOKE DELETE, TRUNCATE ON TABLE "public"."changed" FROM "harbor_owner";
GRANT INSERT, SELECT ON TABLE "public"."changed" TO PUBLIC;
GRANT UPDATE ("c") ON TABLE "public"."changed" TO "reader";
GRANT SELECT ("d") ON TABLE "public"."changed" TO "reader";
GRANT UPDATE ("a") ON TABLE "public"."changed" TO "reader";
REVOKE SELECT ON TABLE "public"."fed" FROM "Ops ""team""";
GRANT SELECT ON TABLE "public"."fed" TO "Ops ""team""" WITH GRANT OPTION;
GRANT UPDATE ON TABLE "public"."fed" TO "harbor_owner" WITH GRANT OPTION;
SET SESSION AUTHORIZATION "harbor_owner";
GRANT UPDATE ON TABLE "public"."fed" TO "reader";
RESET SESSION AUTHORIZATION;
GRANT SELECT ON TABLE "public"."generated" TO "reader";
GRANT DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE ON TABLE "public"."keys" TO "harbor_owner";
GRANT MAINTAIN ON TABLE "public"."keys" TO "reader";
GRANT SELECT ON TABLE "public"."lazy" TO "reader";
GRANT SELECT ON TABLE "public"."periods" TO "reader";
GRANT SELECT ON TABLE "public"."sets" TO "reader";
REVOKE DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE ON TABLE "public"."two" FROM "postgres";
GRANT SELECT ON TABLE "public"."virtual" TO "reader";
GRANT SELECT ON TABLE "public"."within" TO "reader";
GRANT USAGE ON SEQUENCE "public"."unowned" TO "reader";
GRANT SELECT ON TABLE "public"."invoker" TO "reader";
GRANT SELECT ON TABLE "public"."z_first" TO "reader";
ALTER DATABASE :"DBNAME" SET "TimeZone" TO 'Asia/Shanghai';
ALTER DATABASE :"DBNAME" SET "my"."setting" TO  E'a ''b'' \\ c';
ALTER DATABASE :"DBNAME" SET "search_path" TO '$user', 'public', 'Odd, "schema"';
ALTER ROLE "reader" IN DATABASE :"DBNAME" SET "statement_timeout" TO '5min';
REVOKE TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE :"DBNAME" TO "Ops ""team""" WITH GRANT OPTION;
ALTER DATABASE :"DBNAME" CONNECTION LIMIT 77;
ALTER DEFAULT PRIVILEGES FOR ROLE "harbor_owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "harbor_owner" IN SCHEMA "public" GRANT SELECT, UPDATE, USAGE ON SEQUENCES TO "reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "harbor_owner" IN SCHEMA "public" GRANT INSERT ON TABLES TO "Ops ""team""" WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" GRANT USAGE ON SCHEMAS TO "reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" GRANT SELECT ON TABLES TO "reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" GRANT USAGE ON TYPES TO "reader";
