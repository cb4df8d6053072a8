package pgmodel

import (
	"fmt"
	"slices"
	"strings"
)

// indexes makes the indexes of tables, and the constraints that they back.
func (r *renderer) indexes() {
	for i := range r.m.Tables {
		t := &r.m.Tables[i]
		for j := range t.Indexes {
			x := &t.Indexes[j]
			create, then := r.index("TABLE", t.Name, x)
			r.s.Indexes = append(r.s.Indexes, IndexStep{Table: t.Name, Name: x.Name, Create: create, Then: then})
		}
	}
}

// index returns the statement that takes time and those that follow it.
func (r *renderer) index(kind string, table Name, x *Index) (create Statement, then []Statement) {
	o := part(KindIndex, table, x.Name)
	if x.Constraint != nil && x.Constraint.Definition != "" {
		if x.Constraint.Kind != Exclusion {
			r.lacks(18, o, "a key without overlaps")
		}
		create = statementf(o, "ALTER TABLE %s ADD CONSTRAINT %s %s", table.SQL(), QuoteIdent(x.Name), x.Constraint.Definition)
	} else {
		create = r.createIndex(o, table, x)
		if x.Constraint != nil {
			then = append(then, attach(o, table, x))
		}
	}
	if x.Clustered {
		then = append(then, statementf(o, "ALTER %s %s CLUSTER ON %s", kind, table.SQL(), QuoteIdent(x.Name)))
	}
	if x.ReplicaIdentity {
		then = append(then, statementf(o, "ALTER %s %s REPLICA IDENTITY USING INDEX %s", kind, table.SQL(), QuoteIdent(x.Name)))
	}
	return create, append(then, r.indexStatistics(o, table, x)...)
}

func (r *renderer) createIndex(o Object, table Name, x *Index) Statement {
	unique := ""
	if x.Unique {
		unique = "UNIQUE "
	}
	if x.includes() {
		r.lacks(11, o, "an index with included columns")
	}
	if x.nullsNotDistinct() {
		r.lacks(15, o, "a unique index in which nulls are equal")
	}
	return statementf(o, "CREATE %sINDEX %s ON %s USING %s", unique, QuoteIdent(x.Name), table.SQL(), r.withOptions(o, x))
}

// indexOptionsSince are the storage parameters of indexes that came with a
// later major than 9.6. They change no result.
var indexOptionsSince = map[string]int{"autosummarize": 10, "deduplicate_items": 13}

// withOptions returns the definition with storage parameters, which stand
// before WHERE.
func (r *renderer) withOptions(o Object, x *Index) string {
	var list []string
	for _, option := range x.Options {
		name, _, _ := strings.Cut(option, "=")
		if r.t.Major < indexOptionsSince[name] {
			r.note(o, "PostgreSQL %d does not know its storage parameter %s", r.t.Major, option)
			continue
		}
		list = append(list, assignment(option))
	}
	if len(list) == 0 {
		return x.Definition
	}
	with := "WITH (" + strings.Join(list, ", ") + ")"
	if s, where, ok := x.at("where"); ok {
		return s.until(where) + " " + with + " " + s.rest()
	}
	return x.Definition + " " + with
}

// at finds words in the definition, outside of brackets.
func (x *Index) at(words ...string) (*statement, int, bool) {
	s, err := parse(x.Definition)
	if err != nil {
		return nil, 0, false
	}
	i, ok := s.find(words...)
	return s, i, ok
}

func (x *Index) includes() bool {
	_, _, ok := x.at("include", "(")
	return ok
}

func (x *Index) nullsNotDistinct() bool {
	_, _, ok := x.at("nulls", "not", "distinct")
	return ok
}

// attach makes a constraint of an index that is there.
func attach(o Object, table Name, x *Index) Statement {
	name := QuoteIdent(x.Name)
	return statementf(o, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s%s", table.SQL(), name,
		strings.ToUpper(string(x.Constraint.Kind)), name, deferral(x.Constraint.Deferrable, x.Constraint.Deferred))
}

func deferral(deferrable, deferred bool) string {
	switch {
	case deferred:
		return " DEFERRABLE INITIALLY DEFERRED"
	case deferrable:
		return " DEFERRABLE"
	}
	return ""
}

func (r *renderer) indexStatistics(o Object, table Name, x *Index) []Statement {
	var out []Statement
	for _, s := range x.Statistics {
		if r.t.Major < 11 {
			r.note(o, "PostgreSQL %d cannot set its statistics target", r.t.Major)
			continue
		}
		name := Name{table.Schema, x.Name}
		out = append(out, statementf(o, "ALTER INDEX %s ALTER COLUMN %d SET STATISTICS %d", name.SQL(), s.Column, s.Target))
	}
	return out
}

func (r *renderer) foreignKeys() {
	for i := range r.m.Tables {
		t := &r.m.Tables[i]
		for j := range t.ForeignKeys {
			k := &t.ForeignKeys[j]
			o := part(KindConstraint, t.Name, k.Name)
			step := ForeignKeyStep{Table: t.Name, Referenced: k.References, Name: k.Name,
				Add: statementf(o, "ALTER TABLE %s ADD CONSTRAINT %s %s", t.SQL(), QuoteIdent(k.Name), r.foreignKey(o, k))}
			if !k.NotValid && !k.NotEnforced {
				step.Validate = statementf(o, "ALTER TABLE %s VALIDATE CONSTRAINT %s", t.SQL(), QuoteIdent(k.Name))
			}
			r.s.ForeignKeys = append(r.s.ForeignKeys, step)
		}
	}
}

func (r *renderer) foreignKey(o Object, k *ForeignKey) string {
	columns, references := k.Columns, k.RefColumns
	list := func(names []string) string {
		if !k.Period {
			return quoteAll(names)
		}
		last := len(names) - 1
		return quoteAll(names[:last]) + ", PERIOD " + QuoteIdent(names[last])
	}
	if k.Period {
		r.lacks(18, o, "a foreign key over periods")
	}
	sql := fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s)", list(columns), k.References.SQL(), list(references))
	if k.MatchFull {
		sql += " MATCH FULL"
	}
	sql += " ON UPDATE " + strings.ToUpper(k.OnUpdate) + " ON DELETE " + strings.ToUpper(k.OnDelete)
	if len(k.SetColumns) > 0 {
		r.lacks(15, o, "a foreign key that sets some of its columns")
		sql += " (" + quoteAll(k.SetColumns) + ")"
	}
	sql += deferral(k.Deferrable, k.Deferred)
	if k.NotEnforced {
		r.lacks(18, o, "a foreign key that is not enforced")
		return sql + " NOT ENFORCED"
	}
	return sql + " NOT VALID"
}

// unvalidated adds the checks that the source has not validated: rows may
// break them, so they come after the rows.
func (r *renderer) unvalidated() {
	for i := range r.m.Tables {
		t := &r.m.Tables[i]
		for j := range t.Checks {
			if k := &t.Checks[j]; k.NotValid {
				s := r.addCheck(t, k)
				s.SQL += " NOT VALID"
				r.post(s)
			}
		}
		for _, c := range t.Columns {
			if c.NotNull == nil || !c.NotNull.NotValid {
				continue
			}
			o := part(KindColumn, t.Name, c.Name)
			if r.t.Major < 18 {
				r.note(o, "it may be null here: its NOT NULL was never validated, which PostgreSQL %d cannot say", r.t.Major)
				continue
			}
			r.post(statementf(o, "ALTER TABLE %s ADD CONSTRAINT %s NOT NULL %s NOT VALID",
				t.SQL(), QuoteIdent(c.NotNull.Name), QuoteIdent(c.Name)))
		}
	}
}

func (r *renderer) triggers() {
	for i := range r.m.Tables {
		t := &r.m.Tables[i]
		for j := range t.Triggers {
			r.trigger("TABLE", t.Name, &t.Triggers[j])
		}
	}
	for i := range r.m.Views {
		v := &r.m.Views[i]
		for j := range v.Triggers {
			r.trigger("TABLE", v.Name, &v.Triggers[j])
		}
	}
}

// trigger makes a trigger. ALTER TABLE sets the state of a view's too.
func (r *renderer) trigger(kind string, table Name, t *Trigger) {
	o := part(KindTrigger, table, t.Name)
	constraint, call := "", "FUNCTION"
	if t.Constraint {
		constraint = "CONSTRAINT "
	}
	if r.t.Major < 11 {
		call = "PROCEDURE"
	}
	if t.transition() {
		r.lacks(10, o, "a trigger with transition tables")
	}
	words := []string{"CREATE " + constraint + "TRIGGER", QuoteIdent(t.Name), t.Events, "ON", table.SQL(), t.Detail,
		"EXECUTE", call, t.Function.SQL() + "(" + t.Arguments + ")"}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	r.s.Triggers = append(r.s.Triggers, Statement{Object: o, SQL: strings.Join(words, " ")})
	states := map[string]string{"disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
	if state, ok := states[t.Enabled]; ok {
		r.s.Triggers = append(r.s.Triggers,
			statementf(o, "ALTER %s %s %s TRIGGER %s", kind, table.SQL(), state, QuoteIdent(t.Name)))
	}
}

func (t *Trigger) transition() bool {
	s, err := parse(t.Detail)
	if err != nil {
		return false
	}
	_, ok := s.find("referencing")
	return ok
}
