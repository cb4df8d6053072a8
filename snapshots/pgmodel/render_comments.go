package pgmodel

import "strings"

// comments sets the comments of everything but the database itself.
func (r *renderer) comments() {
	for _, s := range r.m.Schemas {
		if s.Name == "public" {
			r.publicComment(s)
		} else {
			r.comment(schemaObject(s.Name), "SCHEMA "+QuoteIdent(s.Name), s.Comment)
		}
	}
	for _, e := range r.m.Extensions {
		r.extensionComment(e)
	}
	for _, f := range r.m.Functions {
		r.comment(object(f.Kind, f.Name), strings.ToUpper(string(f.Kind))+" "+f.SQL()+"("+f.Arguments+")", f.Comment)
	}
	for _, s := range r.m.Sequences {
		r.comment(object(KindSequence, s.Name), "SEQUENCE "+s.SQL(), s.Comment)
	}
	for i := range r.m.Tables {
		r.tableComments(&r.m.Tables[i])
	}
	for i := range r.m.Views {
		r.viewComments(&r.m.Views[i])
	}
	for _, s := range r.m.Statistics {
		if s.Comment != "" && r.t.Major >= 10 {
			r.s.Comments = append(r.s.Comments, optionalf(object(KindStatistics, s.Name),
				"COMMENT ON STATISTICS %s IS %s", s.SQL(), QuoteLiteral(s.Comment)))
		}
	}
}

func (r *renderer) comment(o Object, on, text string) {
	if text != "" {
		r.s.Comments = append(r.s.Comments, statementf(o, "COMMENT ON %s IS %s", on, QuoteLiteral(text)))
	}
}

// publicComment leaves alone the comment that the schema has from the start.
func (r *renderer) publicComment(s Schema) {
	const standard = "standard public schema"
	if s.Comment == standard {
		return
	}
	text := QuoteLiteral(s.Comment)
	if s.Comment == "" {
		text = "NULL"
	}
	r.s.Comments = append(r.s.Comments, optionalf(schemaObject(s.Name), "COMMENT ON SCHEMA public IS %s", text))
}

// extensionComment is optional: extensions have one from the start, and a
// user who is not the owner may not change it.
func (r *renderer) extensionComment(e Extension) {
	if e.Comment == "" || e.Name == "plpgsql" && e.Comment == "PL/pgSQL procedural language" {
		return
	}
	r.s.Comments = append(r.s.Comments, optionalf(Object{Kind: KindExtension, Name: e.Name},
		"COMMENT ON EXTENSION %s IS %s", QuoteIdent(e.Name), QuoteLiteral(e.Comment)))
}

func (r *renderer) tableComments(t *Table) {
	r.comment(object(KindTable, t.Name), "TABLE "+t.SQL(), t.Comment)
	for _, c := range t.Columns {
		r.comment(part(KindColumn, t.Name, c.Name), "COLUMN "+t.SQL()+"."+QuoteIdent(c.Name), c.Comment)
		if c.NotNull != nil && r.t.Major >= 18 {
			r.constraintComment(t.Name, c.NotNull.Name, c.NotNull.Comment)
		}
	}
	for _, k := range t.Checks {
		r.constraintComment(t.Name, k.Name, k.Comment)
	}
	for _, k := range t.ForeignKeys {
		r.constraintComment(t.Name, k.Name, k.Comment)
	}
	r.partComments(t.Name, t.Indexes, t.Triggers)
}

func (r *renderer) viewComments(v *View) {
	r.comment(object(v.kind(), v.Name), strings.ToUpper(string(v.kind()))+" "+v.SQL(), v.Comment)
	for _, c := range v.Columns {
		r.comment(part(KindColumn, v.Name, c.Name), "COLUMN "+v.SQL()+"."+QuoteIdent(c.Name), c.Comment)
	}
	r.partComments(v.Name, v.Indexes, v.Triggers)
}

func (r *renderer) partComments(relation Name, indexes []Index, triggers []Trigger) {
	for _, x := range indexes {
		name := Name{relation.Schema, x.Name}
		r.comment(part(KindIndex, relation, x.Name), "INDEX "+name.SQL(), x.Comment)
		if x.Constraint != nil {
			r.constraintComment(relation, x.Name, x.Constraint.Comment)
		}
	}
	for _, t := range triggers {
		r.comment(part(KindTrigger, relation, t.Name), "TRIGGER "+QuoteIdent(t.Name)+" ON "+relation.SQL(), t.Comment)
	}
}

func (r *renderer) constraintComment(table Name, name, text string) {
	r.comment(part(KindConstraint, table, name), "CONSTRAINT "+QuoteIdent(name)+" ON "+table.SQL(), text)
}
