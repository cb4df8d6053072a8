package repair

import (
	"fmt"
	"strings"
)

// Conflict is a row that is not what a plan or the journal expects.
type Conflict struct {
	Table string `json:"table"`
	Row   string `json:"row"` // its key
	Found string `json:"found"`
	// Changes are the columns that differ: expected and found.
	Changes []ColumnChange `json:"changes"`
}

// conflict compares a row with the one that was expected.
func (t Table) conflict(want, got Row, f finding) Conflict {
	c := Conflict{Table: t.Name, Row: want[t.keyAt()].String(), Found: string(f)}
	if got == nil {
		return c
	}
	c.Changes = t.changed(change{before: want, after: got})
	for i := range c.Changes {
		if c.Changes[i].Column == secretColumn {
			c.Changes[i].From, c.Changes[i].To = Text("(not shown)"), Text("(not shown)")
		}
	}
	return c
}

// secretColumn may hold passwords, such as that of Redis in the rows of a
// garbage collection.
const secretColumn = "extra_attrs"

// String is the conflict for people, long values cut.
func (c Conflict) String() string {
	text := fmt.Sprintf("%s %s is %s", c.Table, c.Row, c.Found)
	if len(c.Changes) == 0 {
		return text
	}
	list := make([]string, len(c.Changes))
	for i, column := range c.Changes {
		list[i] = fmt.Sprintf("%s %s instead of %s", column.Column, cut(column.To.String()), cut(column.From.String()))
	}
	return text + ": " + strings.Join(list, ", ")
}

// cut shortens a value for a message.
func cut(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// describe names conflicts for a message; of many, the first.
func describe(list []Conflict) string {
	const most = 5
	texts := []string{}
	for _, c := range list[:min(len(list), most)] {
		texts = append(texts, c.String())
	}
	if more := len(list) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}
