package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// someVersions are the schema versions that are taken here: the first, and one
// of each time that Harbor changed much. Package backup takes them all.
var someVersions = []int{1, 15, 53, 111, 180}

func TestHarborCatalogIsRestoredExactly(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	db := server.Open(t, source.Database)
	for _, version := range someVersions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			if err := harborsql.BuildPostgreSQL(t.Context(), db, version); err != nil {
				t.Fatal(err)
			}
			m := readModelOf(t, server, source)
			copied, notes := restoreModel(t, server, m)
			if unknown := pgmodel.UnknownObjects(m); len(notes) > 0 || len(unknown) > 0 {
				t.Errorf("notes: %v, unknown: %v", notes, unknown)
			}
			wantEqual(t, m, readModelOf(t, server, copied))
			wantSameDump(t, source, copied)
		})
	}
}

func TestConvertedCatalogIsRestoredExactly(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	db := server.Open(t, source.Database)
	if err := harborsql.ConvertFromMySQL(t.Context(), db, 180); err != nil {
		t.Fatal(err)
	}
	m := readModelOf(t, server, source)
	if unknown := pgmodel.UnknownObjects(m); len(unknown) > 0 {
		t.Errorf("unknown: %v", unknown)
	}
	unowned := 0
	for _, s := range m.Sequences {
		if s.OwnedBy == nil && len(s.Feeds) > 0 {
			unowned++
		}
	}
	if unowned == 0 {
		t.Error("no sequence feeds a column that does not own it")
	}
	copied, notes := restoreModel(t, server, m)
	if len(notes) > 0 {
		t.Errorf("notes: %v", notes)
	}
	wantEqual(t, m, readModelOf(t, server, copied))
	wantSameDump(t, source, copied)
}

// What belongs to other sessions is not the database's, and what is broken is
// named.
func TestSessionsAndLeftoversAreNotCarried(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	other := session(t, server, source)
	for _, sql := range []string{
		`CREATE TEMPORARY TABLE mine (id serial PRIMARY KEY, t text DEFAULT 'x' CHECK (t <> ''))`,
		`CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`CREATE TRIGGER t BEFORE INSERT ON pg_temp.mine FOR EACH ROW EXECUTE FUNCTION pg_temp.f()`,
		`CREATE TYPE pg_temp.e AS ENUM ('a')`, `CREATE VIEW pg_temp.v AS SELECT * FROM pg_temp.mine`,
		`CREATE TABLE public.parent (a integer PRIMARY KEY)`, `CREATE TABLE public.child (a integer REFERENCES public.parent)`,
		`ALTER TABLE public.child DISABLE TRIGGER ALL`, `INSERT INTO public.child VALUES (1), (1)`,
	} {
		if _, err := other.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.Exec(t.Context(), `CREATE UNIQUE INDEX CONCURRENTLY broken ON public.child (a)`); err == nil {
		t.Fatal("the index is valid")
	}
	m := readModelOf(t, server, source)
	if len(m.Unsupported) > 0 || len(m.Tables) != 2 || len(m.Functions) > 0 || len(m.Views) > 0 || len(m.Sequences) > 0 {
		t.Errorf("unsupported %v, model %+v", m.Unsupported, m)
	}
	var notes []string
	for _, n := range m.Notes {
		notes = append(notes, n.Object.String())
	}
	want := []string{"constraint public.child.child_a_fkey", "index public.child.broken"}
	if !slices.Equal(notes, want) {
		t.Errorf("notes on %q, want %q", notes, want)
	}
}

func TestExtensionsKeepTheirMembersToThemselves(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := server.CreateDatabase(t)
	server.Exec(t, source.Database, `
		CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools; CREATE EXTENSION hstore; CREATE EXTENSION cube;
		CREATE EXTENSION earthdistance; COMMENT ON EXTENSION hstore IS 'ours';
		CREATE TABLE t (a tools.citext DEFAULT 'x' PRIMARY KEY, h hstore, p cube);
		CREATE INDEX h ON t USING gist (h); CREATE INDEX e ON t USING gist (p);
		CREATE TABLE settings (a integer); INSERT INTO settings VALUES (1), (2);
		ALTER EXTENSION hstore ADD TABLE settings;
		CREATE SEQUENCE counter; ALTER EXTENSION hstore ADD SEQUENCE counter;
		UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass, 'counter'::regclass], extcondition = '{"WHERE a > 1",""}' WHERE extname = 'hstore'`)
	m := readModelOf(t, server, source)
	if len(m.Unsupported) > 0 || len(m.Tables) != 1 || len(m.Functions) > 0 || len(m.Sequences) > 0 {
		t.Fatalf("unsupported %v, functions %v, sequences %v", m.Unsupported, m.Functions, m.Sequences)
	}
	i := slices.IndexFunc(m.Extensions, func(e pgmodel.Extension) bool { return e.Name == "hstore" })
	want := pgmodel.ConfigTable{Table: pgmodel.Name{Schema: "public", Name: "settings"}, Columns: []string{"a"}, Condition: "WHERE a > 1"}
	if e := m.Extensions[i]; e.Comment != "ours" || len(e.Config) != 1 || fmt.Sprint(e.Config[0]) != fmt.Sprint(want) || len(e.ConfigSequences) != 1 {
		t.Errorf("hstore is %+v", e)
	}
	copied, notes := restoreModel(t, server, m)
	if len(notes) > 0 {
		t.Errorf("notes: %v", notes)
	}
	for _, d := range pgmodel.Compare(m, readModelOf(t, server, copied)) {
		t.Error(d)
	}
}

// A catalog that changes while it is being copied is not the same afterwards,
// to a transaction that is begun then.
func TestConcurrentChangesShow(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := build(t, server, 1)
	before := readModelOf(t, server, source)
	wantEqual(t, before, readModelOf(t, server, source))
	for _, sql := range []string{
		"COMMENT ON TABLE project IS 'x'", "CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 2",
		"CREATE INDEX i ON project (name)", "GRANT SELECT ON project TO PUBLIC", "ALTER SEQUENCE properties_id_seq INCREMENT 2",
		"CREATE OR REPLACE FUNCTION update_update_time_at_column() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"ALTER TABLE project DISABLE TRIGGER USER", "CREATE TYPE t AS ENUM ('a')", "ALTER TYPE t RENAME TO u",
	} {
		server.Exec(t, source.Database, sql)
		after := readModelOf(t, server, source)
		if len(pgmodel.Diff(before, after)) == 0 {
			t.Errorf("it does not show: %s", sql)
		}
		before = after
	}
}

func TestQuoterAgreesWithTheServer(t *testing.T) {
	conn := session(t, dbtest.PostgreSQL(t), dbtest.PostgreSQL(t).Settings(""))
	for _, s := range []string{
		"a", "A", "a b", `a"b`, `"`, `""`, "select", "a.b", "a\nb", "ü😀", `\`, "'", `\'`, "$$", "--", "%s", "a\u00a0b", "\t", "E'", "\x01", "U&",
	} {
		var ident, literal, quoted string
		err := conn.QueryRow(t.Context(), "SELECT (parse_ident($1::text, true))[1], "+pgmodel.QuoteLiteral(s)+", quote_ident($2)",
			pgmodel.QuoteIdent(s), s).Scan(&ident, &literal, &quoted)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if ident != s || literal != s {
			t.Errorf("%q is the name %q and the text %q", s, ident, literal)
		}
		if strings.HasPrefix(quoted, `"`) && quoted != pgmodel.QuoteIdent(s) {
			t.Errorf("the server quotes %q as %s", s, quoted)
		}
	}
}
