package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

// strangers are one object of each kind that no reader takes, beyond those of
// the additions; a line names the major that it needs, if any.
var strangers = []struct {
	since, until int
	sql          string
	names        []string
}{
	{sql: `CREATE TYPE shell`, names: []string{"type public.shell"}},
	{sql: `CREATE CAST (bigint AS cidr) WITH INOUT`, names: []string{"cast (bigint AS pg_catalog.cidr)"}},
	{sql: `CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)`, since: 11,
		names: []string{"operator public.===(integer,integer)"}},
	{sql: `CREATE OPERATOR CLASS backwards FOR TYPE integer USING btree AS
		OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer)`,
		names: []string{"operator class public.backwards", "operator family public.backwards"}},
	{sql: `CREATE DEFAULT CONVERSION public.recode FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8`, names: []string{"conversion public.recode"}},
	{sql: `CREATE TEXT SEARCH PARSER parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)`,
		names: []string{"text search parser public.parser"}},
	{sql: `CREATE TEXT SEARCH CONFIGURATION config (COPY = simple)`, names: []string{"text search configuration public.config"}},
	{sql: `CREATE TEXT SEARCH TEMPLATE template (LEXIZE = dsimple_lexize)`, names: []string{"text search template public.template"}},
	{sql: `CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple)`, names: []string{"text search dictionary public.dict"}},
	{sql: `CREATE LANGUAGE other HANDLER plpgsql_call_handler`, names: []string{"language other"}},
	{sql: `CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))`, until: 17,
		names: []string{"transform for integer on language sql"}},
	{sql: `CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))`, since: 18,
		names: []string{"transform for integer language sql"}},
	{sql: `CREATE ACCESS METHOD rows TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE in_rows (a integer) USING rows`, since: 12,
		names: []string{"access method rows", "access method of table public.in_rows"}},
	{sql: `CREATE TYPE pair AS (a integer); CREATE TABLE typed OF pair`, names: []string{"composite type public.pair", "typed table public.typed"}},
	{sql: `CREATE TABLE with_oids (a integer) WITH OIDS`, until: 11, names: []string{"OIDs of table public.with_oids"}},
	{sql: `CREATE FOREIGN DATA WRAPPER mapped; CREATE SERVER mapped FOREIGN DATA WRAPPER mapped; CREATE USER MAPPING FOR PUBLIC SERVER mapped`,
		names: []string{"foreign-data wrapper mapped", "server mapped", "user mapping public on server mapped"}},
	{sql: `CREATE SUBSCRIPTION "sub scription" CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)`,
		names: []string{"subscription sub scription"}},
	{sql: `CREATE EXTENSION citext; CREATE FUNCTION depends() RETURNS integer LANGUAGE sql AS 'SELECT 1';
		ALTER FUNCTION depends() DEPENDS ON EXTENSION citext`, names: []string{"dependency on an extension of function public.depends"}},
	{sql: `CREATE VIEW ruled AS SELECT 1 AS a; COMMENT ON RULE "_RETURN" ON ruled IS 'hidden'`,
		names: []string{"comment on a part of view public.ruled"}},
	{sql: `CREATE RULE noted AS ON UPDATE TO ruled DO ALSO NOTHING`, names: []string{"rule noted on public.ruled"}},
	{sql: `CREATE PUBLICATION everything FOR ALL TABLES`, names: []string{"publication everything"}},
	{sql: `CREATE FUNCTION pg_catalog.intruder() RETURNS integer LANGUAGE sql AS 'SELECT 1'`, names: []string{"function pg_catalog.intruder()"}},
	{sql: `CREATE TABLE in_space (a integer PRIMARY KEY USING INDEX TABLESPACE :SPACE) TABLESPACE :SPACE`,
		names: []string{"tablespace of table public.in_space", "tablespace of index public.in_space.in_space_pkey"}},
}

func TestEveryStrangerIsNamed(t *testing.T) {
	for _, major := range []int{11, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			space := makeTablespace(t, server)
			source := server.CreateDatabase(t)
			var want []string
			for _, s := range strangers {
				if major < s.since || s.until != 0 && major > s.until {
					continue
				}
				sql := strings.ReplaceAll(s.sql, ":SPACE", space)
				server.Exec(t, source.Database, sql)
				want = append(want, s.names...)
			}
			t.Cleanup(func() {
				server.Exec(t, source.Database, `ALTER SUBSCRIPTION "sub scription" DISABLE;
					ALTER SUBSCRIPTION "sub scription" SET (slot_name = NONE); DROP SUBSCRIPTION "sub scription"`)
			})
			m := readModelOf(t, server, source)
			wantNames(t, "unsupported", m.Unsupported, want)
			m.LeaveOut()
			copied, _ := restoreModel(t, server, m)
			wantEqual(t, m, readModelOf(t, server, copied))
		})
	}
}

// makeTablespace makes a tablespace in the server's folder.
func makeTablespace(t *testing.T, server *dbtest.Server) string {
	t.Helper()
	dir := filepath.Join(server.Dir(), "space")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(server.Dir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	chownLike(t, dir, info)
	server.Exec(t, "", "CREATE TABLESPACE space LOCATION '"+dir+"'")
	t.Cleanup(func() { server.Exec(t, "", "DROP TABLESPACE space") })
	return "space"
}

// chownLike gives a folder to the owner of another.
func chownLike(t *testing.T, dir string, info os.FileInfo) {
	t.Helper()
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("no owner")
	}
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
}
