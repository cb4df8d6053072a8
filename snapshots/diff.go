package snapshots

import (
	"slices"
	"strings"
)

// TableDifference is how the rows of one table differ between two databases.
type TableDifference struct {
	Table  string      `json:"table"`
	Change TableChange `json:"change"`
	RowsA  int64       `json:"rows_a"`
	RowsB  int64       `json:"rows_b"`
}

// TableChange says what differs.
type TableChange string

// The ways in which a table can differ.
const (
	OnlyInA TableChange = "only in a"
	OnlyInB TableChange = "only in b"
	// Columns: the rows cannot be compared, they have other fields.
	Columns TableChange = "columns"
	// Rows: another number of rows; Content: as many, but not the same.
	Rows    TableChange = "rows"
	Content TableChange = "content"
	// NotCompared: the rows of one of them were left out.
	NotCompared TableChange = "not compared"
	// NotComparable: as many rows, with floats in them that the two servers
	// print with other digits.
	NotComparable TableChange = "not comparable"
)

// DiffTables compares the rows of two databases by their fingerprints, in
// ascending order of tables. Equal tables are not in the result. unlike names
// the tables that the two servers print in different ways.
func DiffTables(a, b *Database, unlike map[string]bool) []TableDifference {
	there := map[string]*Table{}
	for i := range b.Tables {
		there[b.Tables[i].FullName()] = &b.Tables[i]
	}
	diff := []TableDifference{}
	for i := range a.Tables {
		t := &a.Tables[i]
		u := there[t.FullName()]
		delete(there, t.FullName())
		if u == nil {
			diff = append(diff, TableDifference{Table: t.FullName(), Change: OnlyInA, RowsA: t.Rows})
			continue
		}
		change := t.change(u)
		if change == Content && unlike[t.FullName()] {
			change = NotComparable
		}
		if change != "" {
			diff = append(diff, TableDifference{Table: t.FullName(), Change: change, RowsA: t.Rows, RowsB: u.Rows})
		}
	}
	for name, u := range there {
		diff = append(diff, TableDifference{Table: name, Change: OnlyInB, RowsB: u.Rows})
	}
	slices.SortFunc(diff, func(x, y TableDifference) int { return strings.Compare(x.Table, y.Table) })
	return diff
}

func (t *Table) change(u *Table) TableChange {
	switch {
	case t.Skipped || u.Skipped:
		return NotCompared
	case t.Rows != u.Rows:
		return Rows
	case !slices.Equal(t.Columns, u.Columns):
		return Columns
	case t.Fingerprint != u.Fingerprint:
		return Content
	}
	return ""
}
