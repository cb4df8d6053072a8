package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// createWith makes a database from template0 with options of its own.
func createWith(t *testing.T, s *dbtest.Server, options string) database.Settings {
	t.Helper()
	settings := s.CreateDatabase(t)
	s.Exec(t, "", "DROP DATABASE "+settings.Database)
	s.Exec(t, "", "CREATE DATABASE "+settings.Database+" TEMPLATE template0 "+options)
	return settings
}

func TestEncodingAndLocaleAreCarried(t *testing.T) {
	for _, c := range []struct {
		major   int
		options string
	}{
		{10, `ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`},
		{15, `ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'POSIX'`},
		{15, `ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'`},
		{16, `ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&a < g'`},
		{17, `ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C'`},
		{18, `ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'`},
	} {
		t.Run(fmt.Sprint(c.major, c.options), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, c.major)
			source := createWith(t, server, c.options)
			conn := session(t, server, source)
			for _, sql := range []string{`CREATE TABLE public."Größe" ("ä" text DEFAULT 'ö')`, `COMMENT ON TABLE public."Größe" IS 'ü'`} {
				if _, err := conn.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			m := readModelOf(t, server, source)
			if m.Tables[0].Name.Name != "Größe" || m.Tables[0].Comment != "ü" {
				t.Errorf("read %q with the comment %q", m.Tables[0].Name, m.Tables[0].Comment)
			}
			copied, notes := restoreModel(t, server, m)
			if len(notes) > 0 {
				t.Errorf("notes: %v", notes)
			}
			wantEqual(t, m, readModelOf(t, server, copied))
		})
	}
}

func TestANameThatIsNoTextIsRefused(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	source := createWith(t, server, `ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`)
	server.Exec(t, source.Database, `DO $$ BEGIN EXECUTE format('CREATE TABLE %I (a integer)', convert_from('\xff', 'SQL_ASCII')); END $$`)
	if _, err := ReadCatalog(t.Context(), session(t, server, source)); err == nil || !strings.Contains(err.Error(), "UTF8") {
		t.Errorf("read with %v", err)
	}
}

func TestALocaleThatIsNotThereIsReplacedAndNamed(t *testing.T) {
	for _, c := range []struct {
		locale pgmodel.Locale
		major  int
		note   string
	}{
		{pgmodel.Locale{Provider: "libc", Collate: "xx_XX.UTF-8", Ctype: "C.UTF-8"}, 15, "xx_XX.UTF-8"},
		{pgmodel.Locale{Provider: "icu", Collate: "C.UTF-8", Ctype: "C.UTF-8", Name: "de"}, 14, "ICU's de"},
		{pgmodel.Locale{Provider: "icu", Collate: "C.UTF-8", Ctype: "C.UTF-8", Name: "de", Rules: "&a < g"}, 15, "ICU rules"},
		{pgmodel.Locale{Provider: "builtin", Collate: "C", Ctype: "C.UTF-8", Name: "C.UTF-8"}, 13, "built-in locale C.UTF-8"},
		{pgmodel.Locale{Provider: "builtin", Collate: "C", Ctype: "C", Name: "PG_UNICODE_FAST"}, 17, "PG_UNICODE_FAST"},
	} {
		t.Run(c.note, func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, c.major)
			m := readModelOf(t, server, server.CreateDatabase(t))
			m.Database.Locale = c.locale
			_, notes := restoreModel(t, server, m)
			if len(notes) != 1 || !strings.Contains(notes[0].Text, c.note) {
				t.Errorf("notes: %v", notes)
			}
		})
	}
}
