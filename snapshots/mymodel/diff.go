package mymodel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Diff returns every difference between two models, one line each, in order.
func Diff(a, b *Model) []string {
	return differences(a.facts(), b.facts())
}

// Compare returns how a database that was rendered from want and read back
// differs from it. A table's next AUTO_INCREMENT value may be higher. Between
// different servers, which print the same table in different words, it
// compares columns, keys and foreign keys instead of whole statements.
func Compare(want, got *Model) []string {
	lower := lowerCounters(want, got)
	if want.Server.Product == got.Server.Product && want.Server.Number/100 == got.Server.Number/100 {
		return append(differences(want.factsWithoutCounters(), got.factsWithoutCounters()), lower...)
	}
	return append(differences(want.plainFacts(), got.plainFacts()), lower...)
}

// lowerCounters finds tables that would hand out ids once more.
func lowerCounters(want, got *Model) []string {
	var out []string
	for _, t := range want.Tables {
		other := got.Table(t.Name)
		if other == nil {
			continue
		}
		if had, has := t.nextID(), other.nextID(); has < had {
			out = append(out, fmt.Sprintf("next AUTO_INCREMENT value of table %s is %d in the first and %d in the second", t.Name, had, has))
		}
	}
	return out
}

// nextID is the next AUTO_INCREMENT value, 1 where the statement names none.
func (t *Table) nextID() uint64 {
	s, err := splitTable(t.Name, t.Create)
	if err != nil { // cannot be in a valid model
		return 0
	}
	_, text := s.counter()
	next, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 1
	}
	return next
}

// facts are what a model says, by object.
type facts map[string]string

func differences(a, b facts) []string {
	var out []string
	for name, is := range a {
		other, ok := b[name]
		switch {
		case !ok:
			out = append(out, name+" is only in the first")
		case other != is:
			out = append(out, fmt.Sprintf("%s is %s in the first and %s in the second", name, shown(is), shown(other)))
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, name+" is only in the second")
		}
	}
	slices.Sort(out)
	return out
}

func shown(text string) string {
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}

// facts takes tables apart into their items, so that a difference is a line.
func (m *Model) facts() facts {
	f := m.factsWithoutCounters()
	for _, t := range m.Tables {
		if s, err := splitTable(t.Name, t.Create); err == nil {
			if _, counter := s.counter(); counter != "" {
				f["next AUTO_INCREMENT value of table "+t.Name] = counter
			}
		}
	}
	return f
}

func (m *Model) factsWithoutCounters() facts {
	f := facts{"character set of the database": m.Database.Charset + " " + m.Database.Collation}
	for _, t := range m.Tables {
		f["table "+t.Name] = ""
		s, err := splitTable(t.Name, t.Create)
		if err != nil { // cannot be in a valid model
			f["table "+t.Name] = t.Create
			continue
		}
		options, _ := s.counter()
		f["options of table "+t.Name] = strings.TrimSpace(options)
		for i, item := range s.items {
			what := itemName(item)
			if strings.HasPrefix(what, "column") {
				f[fmt.Sprintf("place of %s of table %s", what, t.Name)] = fmt.Sprint(i + 1)
			}
			f[what+" of table "+t.Name] = item
		}
	}
	m.programs(f)
	return f
}

// itemName names a column by its name and everything else by its words up to
// the first bracket.
func itemName(item string) string {
	if strings.HasPrefix(item, "`") {
		if end, err := skipQuoted(item, 0); err == nil {
			return "column " + item[:end+1]
		}
	}
	head, _, _ := strings.Cut(item, " (")
	return head
}

func (m *Model) programs(f facts) {
	for _, v := range m.Views {
		f["view "+v.Name] = v.Create + "\n" + v.Session.Charset + " " + v.Session.Collation
	}
	order := map[string]int{}
	for _, t := range m.Triggers {
		order[t.Table]++
		f["trigger "+t.Name] = fmt.Sprintf("%s\n%s %s %s %s, number %d on table %s", t.Create, t.SQLMode, t.Session.Charset,
			t.Session.Collation, t.Session.Database, order[t.Table], t.Table)
	}
}

// plainFacts are what all servers say in the same words.
func (m *Model) plainFacts() facts {
	plain := Target{Product: "MySQL"} // the words of the oldest
	f := facts{}
	for _, t := range m.Tables {
		f["table "+t.Name] = ""
		for i, c := range t.Columns {
			f[fmt.Sprintf("column %s of table %s", c.Name, t.Name)] = fmt.Sprintf("%d: %s nullable %v %s %s generated %v",
				i+1, plainType(c.Type), c.Nullable, plain.words(c.Charset), plain.words(c.Collation), c.Generated)
		}
		p, err := t.stepwise()
		if err != nil { // cannot be in a valid model
			continue
		}
		for _, item := range p.keys {
			f[itemName(item)+" of table "+t.Name] = strings.TrimSuffix(item, " USING BTREE")
		}
		for _, k := range t.ForeignKeys {
			f[fmt.Sprintf("foreign key %s of table %s", k.Name, t.Name)] = fmt.Sprintf("%q %s.%s %q", k.Columns, k.Schema, k.Table, k.References)
		}
	}
	for _, v := range m.Views {
		f["view "+v.Name] = strings.Join(v.Columns, ", ")
	}
	for _, t := range m.Triggers {
		f["trigger "+t.Name] = t.Table
	}
	return f
}

// plainType leaves the display width out, which later servers do not print.
func plainType(s string) string {
	for _, name := range []string{"tinyint", "smallint", "mediumint", "int", "bigint", "year"} {
		if rest, ok := strings.CutPrefix(s, name+"("); ok {
			if _, after, ok := strings.Cut(rest, ")"); ok {
				return name + after
			}
		}
	}
	return s
}
