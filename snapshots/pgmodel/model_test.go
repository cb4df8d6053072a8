package pgmodel

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the renderings anew")

// everything is a model with all that a model can hold, as it was read from
// PostgreSQL 18. It is a promise too: this code, and all that follows, reads
// it.
//
//go:embed testdata/everything.json
var everything []byte

func decoded(t testing.TB) *Model {
	t.Helper()
	m, err := Decode(bytes.NewReader(everything))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestJSONFormIsStable(t *testing.T) {
	data, err := Encode(decoded(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, everything) {
		t.Error("encoding what was decoded gives another text")
	}
}

// Renderings are stored in snapshots and compared by verify, with those of the
// code of a later day: a change of theirs is a change of the format.
func TestRenderingsAreStable(t *testing.T) {
	pre, post, err := RenderSQL(decoded(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, sql := range map[string]string{"testdata/everything.pre.sql": pre, "testdata/everything.post.sql": post} {
		if *update {
			if err := os.WriteFile(name, []byte(sql), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != sql {
			t.Errorf("the rendering is not %s", name)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	change := func(old, replacement string) string {
		s := strings.Replace(string(everything), old, replacement, 1)
		if s == string(everything) {
			t.Fatalf("%s is not in the text", old)
		}
		return s
	}
	for _, c := range []struct{ name, data, want string }{
		{"nothing", "", "EOF|JSON"},
		{"a text cut short", string(everything[:len(everything)/2]), "EOF|JSON"},
		{"a newer format", change(`"format": 1`, `"format": 2`), "format 2"},
		{"no format", change(`"format": 1,`, ``), "format 0"},
		{"a field that it does not know", change(`"format": 1`, `"format": 1, "surprise": 1`), "surprise"},
		{"data after the end", string(everything) + "{}", "after"},
		{"a number for a name", change(`"owner": "postgres"`, `"owner": 5`), "owner"},
		{"too much", strings.Repeat(" ", MaxSize+1), "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(strings.NewReader(c.data))
			if err == nil {
				t.Fatal("it was decoded")
			}
			for _, w := range strings.Split(c.want, "|") {
				if strings.Contains(err.Error(), w) {
					return
				}
			}
			t.Errorf("%v does not say %s", err, c.want)
		})
	}
}

// majors are all that a model can be rendered for.
var majors = []int{9, 10, 11, 12, 13, 14, 15, 16, 17, 18}

// small is a model with one object of most kinds.
func small() *Model {
	name, public := func(n string) Name { return Name{"public", n} }, []Schema{{Name: "public", Owner: "o"}}
	return &Model{
		Format: 1, Major: 15, Schemas: public,
		Database: Database{Owner: "o", Encoding: "UTF8", Locale: Locale{Provider: "libc", Collate: "C", Ctype: "C"}, ConnectionLimit: -1,
			AllowConnections: true, Settings: []Setting{{Name: "search_path", Value: "a"}}},
		Functions: []Function{{Name: name("f"), Kind: KindFunction, Arguments: "a integer", Language: "sql", Owner: "o",
			Definition: "(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT 1; $$"}},
		Tables: []Table{{
			Name: name("t"), Owner: "o", Options: []string{"fillfactor=70"},
			Columns:  []Column{{Name: "a", Type: "integer", Default: "1", NotNull: &NotNull{}}, {Name: "b", Type: "text", Default: "lower('A')", Generated: Stored}},
			Checks:   []Check{{Name: "k", Expression: "(a > 0)"}},
			Indexes:  []Index{{Name: "i", Definition: "btree (a)"}, {Name: "x", Definition: "gist (a)", Constraint: &Key{Kind: Exclusion, Definition: "EXCLUDE USING gist (a WITH =)"}}},
			Triggers: []Trigger{{Name: "g", Events: "BEFORE UPDATE", Detail: "FOR EACH ROW", Function: name("f"), Arguments: "'x'", Enabled: "origin"}},
		}},
		Views:      []View{{Name: name("v"), Owner: "o", Query: "SELECT 1 AS a", Columns: []ViewColumn{{Name: "a", Type: "integer"}}}},
		Statistics: []Statistics{{Name: name("s"), Table: name("t"), Owner: "o", Definition: "(ndistinct) ON a, b"}},
	}
}

// fragments are the places of a model that hold SQL.
func fragments(m *Model) []*string {
	t := &m.Tables[0]
	return []*string{
		&t.Columns[0].Type, &t.Columns[0].Default, &t.Columns[1].Default, &t.Checks[0].Expression, &t.Indexes[0].Definition,
		&t.Indexes[1].Constraint.Definition, &t.Triggers[0].Events, &t.Triggers[0].Detail, &t.Triggers[0].Arguments, &t.Options[0],
		&m.Views[0].Query, &m.Statistics[0].Definition, &m.Functions[0].Definition, &m.Functions[0].Arguments,
		&m.Database.Settings[0].Name, &m.Database.Settings[0].Value, &m.Database.Encoding,
	}
}

// FuzzFragment: whatever stands in the place of a fragment is refused, or
// stays within one statement.
func FuzzFragment(f *testing.F) {
	for i, s := range fragments(small()) {
		f.Add(uint8(i), *s)
		f.Add(uint8(i), "1); DROP TABLE t; --")
	}
	f.Fuzz(func(t *testing.T, place uint8, sql string) {
		m := small()
		places := fragments(m)
		*places[int(place)%len(places)] = sql
		if m.Validate() == nil {
			checkScript(t, m, 15)
			UnknownObjects(m)
		}
	})
}

func TestFragmentsCannotEndAStatement(t *testing.T) {
	if err := small().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, attack := range []string{
		"1; DROP TABLE t", "1) ; DROP TABLE t; (", "1 -- ", "1 /* ", "'", `"`, "$$", "1), ADD COLUMN c (", "\\! ls", "a\x00b", "\xff", "(",
		"1, b integer",
	} {
		for i := range fragments(small()) {
			m := small()
			*fragments(m)[i] = attack
			if m.Validate() == nil && i != 15 { // the value of a setting is text
				checkScript(t, m, 15)
				if attack != "1, b integer" {
					t.Errorf("%q stands in place %d", attack, i)
				}
			}
		}
	}
}

// FuzzDecode: whatever is decoded can be rendered and compared without harm,
// and each statement is one.
func FuzzDecode(f *testing.F) {
	data, err := Encode(small())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := Encode(m); err != nil {
			t.Fatal(err)
		}
		for _, major := range majors {
			checkScript(t, m, major)
		}
		Diff(m, m)
		Compare(m, m)
		UnknownObjects(m)
		m.LeaveOut()
	})
}

func checkScript(t *testing.T, m *Model, major int) {
	t.Helper()
	s, _, err := m.Render(Target{Major: major, Database: "d"})
	if err != nil {
		return
	}
	for _, x := range all(s) {
		if err := oneStatement(x.SQL); err != nil {
			t.Fatalf("%s: %v\n%s", x.Object, err, x.SQL)
		}
	}
}

// all are the statements of a script.
func all(s Script) []Statement {
	out := append([]Statement{s.Create}, s.Pre...)
	for _, x := range s.Indexes {
		out = append(append(out, x.Create), x.Then...)
	}
	for _, k := range s.ForeignKeys {
		out = append(out, k.Add, k.Validate)
	}
	for _, phase := range [][]Statement{s.Post, s.Triggers, s.Comments, s.Access, s.Settings, s.DefaultPrivileges} {
		out = append(out, phase...)
	}
	return out
}

// oneStatement says whether SQL is more than one statement. The body of a
// function in standard SQL has semicolons of its own.
func oneStatement(sql string) error {
	s, err := parse(sql)
	if err != nil {
		return err
	}
	atomic, ok := s.find("begin", "atomic")
	for i, k := range s.tokens {
		if k.is(";") && (!ok || i < atomic || i == len(s.tokens)-1) {
			return fmt.Errorf("a semicolon at byte %d", k.start)
		}
	}
	return nil
}

func TestEveryStatementIsOne(t *testing.T) {
	m := decoded(t)
	s, _, err := m.Render(Target{Major: 18, Database: `d"; DROP DATABASE x; --`, Superuser: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all(s) {
		if err := oneStatement(x.SQL); err != nil {
			t.Errorf("%s: %v\n%s", x.Object, err, x.SQL)
		}
	}
}
