package pgmodel

import (
	"fmt"
	"strings"
)

// table returns CREATE TABLE with columns, defaults and checks.
func (r *renderer) table(t *Table) []Statement {
	split := r.plan.split[t.ref()]
	var lines []string
	for i := range t.Columns {
		lines = append(lines, r.column(t, &t.Columns[i], split))
	}
	for i := range t.Checks {
		if k := &t.Checks[i]; !split && !k.NotValid {
			lines = append(lines, "CONSTRAINT "+QuoteIdent(k.Name)+" "+r.check(t, k))
		}
	}
	unlogged := ""
	if t.Unlogged {
		unlogged = "UNLOGGED "
	}
	body := ""
	if len(lines) > 0 {
		body = "\n    " + strings.Join(lines, ",\n    ") + "\n"
	}
	return []Statement{statementf(object(KindTable, t.Name), "CREATE %sTABLE %s (%s)", unlogged, t.SQL(), body)}
}

func (r *renderer) column(t *Table, c *Column, split bool) string {
	o := part(KindColumn, t.Name, c.Name)
	b := QuoteIdent(c.Name) + " " + c.Type
	if c.Collation != nil {
		r.checkCollation(o, *c.Collation)
		b += " COLLATE " + c.Collation.SQL()
	}
	switch {
	case c.Identity != "":
		b += r.identity(t, c)
	case c.Generated == Virtual:
		r.lacks(18, o, "a virtual generated column")
		b += " GENERATED ALWAYS AS (" + c.Default + ") VIRTUAL"
	case c.Generated == Stored:
		r.lacks(12, o, "a generated column")
		b += " GENERATED ALWAYS AS (" + c.Default + ") STORED"
	case c.Default != "" && !split:
		b += " DEFAULT " + wrapped(c.Default)
	}
	if n := c.NotNull; n != nil && !n.NotValid {
		b += r.notNull(n)
	}
	return b
}

// wrapped puts an expression into brackets unless it is one token: what a
// fragment holds cannot become another clause of the column.
func wrapped(expression string) string {
	if tokens, err := lex(expression); err == nil && len(tokens) == 1 {
		return expression
	}
	return "(" + expression + ")"
}

// notNull names the constraint where it has a name.
func (r *renderer) notNull(n *NotNull) string {
	if r.t.Major < 18 || n.Name == "" {
		return " NOT NULL"
	}
	inherit := ""
	if n.NoInherit {
		inherit = " NO INHERIT"
	}
	return " CONSTRAINT " + QuoteIdent(n.Name) + " NOT NULL" + inherit
}

func (r *renderer) identity(t *Table, c *Column) string {
	r.lacks(10, part(KindColumn, t.Name, c.Name), "an identity column")
	s, ok := r.lookup.identities[ColumnRef{t.Name, c.Name}]
	if !ok { // Validate has seen it
		return ""
	}
	persistence := ""
	if s.Unlogged != t.Unlogged && r.t.Major >= 15 { // before, all are logged
		persistence = " LOGGED"
		if s.Unlogged {
			persistence = " UNLOGGED"
		}
	}
	parameters := " " + s.parameters()
	if s.Type != c.Type { // it begins with the column's type, see tableDetails
		parameters = ""
	}
	return fmt.Sprintf(" GENERATED %s AS IDENTITY (SEQUENCE NAME %s%s%s)",
		strings.ToUpper(string(c.Identity)), s.SQL(), parameters, persistence)
}

func (r *renderer) check(t *Table, k *Check) string {
	sql := "CHECK (" + k.Expression + ")"
	if k.NoInherit {
		sql += " NO INHERIT"
	}
	if k.NotEnforced {
		r.lacks(18, part(KindConstraint, t.Name, k.Name), "a check that is not enforced")
		sql += " NOT ENFORCED"
	}
	return sql
}

// checkCollation names a collation that the target does not have.
func (r *renderer) checkCollation(o Object, c Name) {
	if r.t.Collations == nil {
		return
	}
	if _, ok := find(r.t.Collations, func(n *Name) bool { return *n == c }); !ok {
		r.missing = append(r.missing, Note{o, "collation " + c.String() + ", which the server does not have"})
	}
}

// tableDetails sets what CREATE TABLE cannot say, or what a server of another
// major may refuse without harm.
func (r *renderer) tableDetails() {
	for i := range r.m.Tables {
		t := &r.m.Tables[i]
		if r.plan.split[t.ref()] {
			r.splitParts(t)
		}
		o := object(KindTable, t.Name)
		r.pre(options(o, "TABLE", t.Name, t.Options)...)
		for j := range t.Columns {
			r.pre(r.columnDetails("TABLE", t.Name, &t.Columns[j])...)
		}
		for _, c := range t.Columns {
			if s, ok := r.lookup.identities[ColumnRef{t.Name, c.Name}]; ok && s.Type != c.Type {
				r.pre(statementf(object(KindSequence, s.Name), "ALTER SEQUENCE %s AS %s %s", s.SQL(), s.Type, s.parameters()))
			}
		}
		if t.ReplicaIdentity == "full" || t.ReplicaIdentity == "nothing" {
			r.pre(statementf(o, "ALTER TABLE %s REPLICA IDENTITY %s", t.SQL(), strings.ToUpper(t.ReplicaIdentity)))
		}
	}
}

// splitParts adds the defaults and checks that could not be in CREATE TABLE.
func (r *renderer) splitParts(t *Table) {
	for _, c := range t.Columns {
		if c.Default != "" && c.Generated == "" {
			r.pre(statementf(part(KindDefault, t.Name, c.Name), "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s",
				t.SQL(), QuoteIdent(c.Name), wrapped(c.Default)))
		}
	}
	for i := range t.Checks {
		if k := &t.Checks[i]; !k.NotValid {
			r.pre(r.addCheck(t, k))
		}
	}
}

func (r *renderer) addCheck(t *Table, k *Check) Statement {
	return statementf(part(KindConstraint, t.Name, k.Name), "ALTER TABLE %s ADD CONSTRAINT %s %s",
		t.SQL(), QuoteIdent(k.Name), r.check(t, k))
}

// options sets storage parameters one by one: each is known to some majors
// only.
func options(o Object, kind string, n Name, list []string) []Statement {
	var out []Statement
	for _, option := range list {
		out = append(out, optionalf(o, "ALTER %s %s SET (%s)", kind, n.SQL(), assignment(option)))
	}
	return out
}

// assignment renders a storage parameter "name=value"; "toast." may come
// before the name.
func assignment(option string) string {
	name, value, _ := strings.Cut(option, "=")
	prefix := ""
	if rest, ok := strings.CutPrefix(name, "toast."); ok {
		prefix, name = "toast.", rest
	}
	return prefix + QuoteIdent(name) + "=" + QuoteLiteral(value)
}

// columnDetails sets how a column of a table or materialized view is stored.
func (r *renderer) columnDetails(kind string, n Name, c *Column) []Statement {
	o := part(KindColumn, n, c.Name)
	alter := "ALTER " + kind + " " + n.SQL() + " ALTER COLUMN " + QuoteIdent(c.Name) + " SET "
	var out []Statement
	if c.Storage != "" {
		out = append(out, Statement{Object: o, SQL: alter + "STORAGE " + strings.ToUpper(c.Storage)})
	}
	if c.Compression != "" {
		if r.t.Major >= 14 {
			out = append(out, Statement{Object: o, SQL: alter + "COMPRESSION " + c.Compression, Optional: true})
		} else {
			r.note(o, "PostgreSQL %d does not know its compression %s", r.t.Major, c.Compression)
		}
	}
	if c.StatisticsTarget != nil {
		out = append(out, Statement{Object: o, SQL: alter + "STATISTICS " + fmt.Sprint(*c.StatisticsTarget)})
	}
	for _, option := range c.Options {
		out = append(out, Statement{Object: o, SQL: alter + "(" + assignment(option) + ")", Optional: true})
	}
	return out
}
