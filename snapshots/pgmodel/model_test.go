package pgmodel

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

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

// FuzzDecode: whatever is decoded can be validated, rendered and compared
// without harm, and each statement is one.
func FuzzDecode(f *testing.F) {
	f.Add(everything)
	f.Add([]byte(`{"format":1,"server_major":15,"database":{"owner":"a","encoding":"UTF8","locale":{"provider":"libc"}}}`))
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
