package database_test

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

var awkwardNames = []string{
	"plain", "Upper", "with space", `dou"ble`, `""`, `"`, "`", "``x`", "semi;colon", "select", "a.b", `back\slash`, "ümläut",
	"'quote'", "new\nline", "tab\t", "%s", "$1", "emoji 😀"[:6], "--", "/* */", " ",
}

func TestQuoteIdentAgreesWithPostgreSQL(t *testing.T) {
	db := open(t, dbtest.PostgreSQL(t).Settings(""))
	for _, name := range awkwardNames {
		theirs := text(t, db, "select quote_ident($1)", name)
		if !strings.HasPrefix(theirs, `"`) {
			theirs = `"` + theirs + `"` // PostgreSQL leaves the quotes out where it can
		}
		if ours := database.PostgreSQL.QuoteIdent(name); ours != theirs {
			t.Errorf("%q is quoted %s, by the server %s", name, ours, theirs)
		}
	}
}

func TestAQuotedNameIsThatName(t *testing.T) {
	for _, server := range []*dbtest.Server{dbtest.PostgreSQL(t), dbtest.MariaDB(t)} {
		db := open(t, server.Settings(""))
		for _, name := range awkwardNames {
			if name == " " && db.Engine() == database.MySQL {
				continue // MySQL drops a blank at the end of a column's name
			}
			rows, err := db.QueryContext(t.Context(), "select 1 as "+db.Engine().QuoteIdent(name))
			if err != nil {
				t.Errorf("%s: %q: %v", db.Server().Product, name, err)
				continue
			}
			columns, err := rows.Columns()
			rows.Close()
			if err != nil || len(columns) != 1 || columns[0] != name {
				t.Errorf("%s: %q came back as %q, %v", db.Server().Product, name, columns, err)
			}
		}
	}
}

func TestQuoteIdentJoinsParts(t *testing.T) {
	if got := database.PostgreSQL.QuoteIdent("public", "a.b"); got != `"public"."a.b"` {
		t.Error(got)
	}
	if got := database.MySQL.QuoteIdent("registry", "tag"); got != "`registry`.`tag`" {
		t.Error(got)
	}
}

// FuzzQuoteIdent: whatever the name, the text between the outer quotes has
// quotes only in pairs, and undoing the doubling gives the name back.
func FuzzQuoteIdent(f *testing.F) {
	for _, name := range awkwardNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, engine := range []database.Engine{database.PostgreSQL, database.MySQL} {
			quoted := engine.QuoteIdent(name)
			q := quoted[:1]
			inner := strings.TrimSuffix(strings.TrimPrefix(quoted, q), q)
			if len(quoted) < 2 || strings.Contains(strings.ReplaceAll(inner, q+q, ""), q) {
				t.Fatalf("%q is quoted %s", name, quoted)
			}
			if back := strings.ReplaceAll(inner, q+q, q); back != strings.ReplaceAll(name, "\x00", "") {
				t.Fatalf("%q came back as %q", name, back)
			}
		}
	})
}
