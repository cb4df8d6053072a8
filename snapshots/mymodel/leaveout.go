package mymodel

import (
	"slices"
	"strings"
)

// LeaveOut takes everything out of m that cannot be carried: the unsupported
// objects, and what cannot exist without them: tables with a foreign key to
// one, their triggers, and views whose text names one. It returns all of
// these. What m shares with other models is not changed.
func (m *Model) LeaveOut() []Object {
	left := slices.Clone(m.Unsupported)
	gone := map[string]bool{}
	for _, o := range m.Unsupported {
		name := o.Name
		if o.Kind == KindColumn {
			name = m.tableOf(name)
		}
		if o.Kind != KindTrigger && o.Kind != KindEvent {
			gone[name] = true
		}
	}
	m.Unsupported = nil
	for again := len(gone) > 0; again; {
		again = false
		leave := func(kind Kind, name string) {
			left, gone[name], again = append(left, Object{Kind: kind, Name: name, Reason: "it needs what is left out"}), true, true
		}
		for _, t := range m.Tables {
			if !gone[t.Name] && slices.ContainsFunc(t.ForeignKeys, func(k ForeignKey) bool { return k.Schema == "" && gone[k.Table] }) {
				leave(KindTable, t.Name)
			}
		}
		for _, v := range m.Views {
			if !gone[v.Name] && v.names(gone) {
				leave(KindView, v.Name)
			}
		}
	}
	m.Tables = without(m.Tables, func(t Table) bool { return gone[t.Name] })
	m.Views = without(m.Views, func(v View) bool { return gone[v.Name] })
	m.Triggers = without(m.Triggers, func(t Trigger) bool { return gone[t.Table] })
	return left
}

func without[T any](list []T, gone func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), gone)
}

// tableOf returns the table that the name of a column begins with.
func (m *Model) tableOf(column string) string {
	for _, t := range m.Tables {
		if rest, ok := strings.CutPrefix(column, t.Name+"."); ok &&
			slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == rest }) {
			return t.Name
		}
	}
	return column
}

// names tells whether the view's text names one of these, wherever: better
// one view too few than one that does not work.
func (v *View) names(gone map[string]bool) bool {
	for name := range gone {
		if strings.Contains(v.Create, QuoteIdent(name)) {
			return true
		}
	}
	return false
}
