package pgmodel

import "strings"

// views makes the functions and views that were not needed before the rows,
// then refreshes and indexes what is materialized.
func (r *renderer) views() {
	for _, ref := range r.plan.post {
		r.post(r.object(ref)...)
	}
	all := append(append([]Ref(nil), r.plan.pre...), r.plan.post...)
	empty := map[Ref]bool{}
	for _, ref := range all {
		v, ok := r.lookup.views[ref]
		if !ok {
			continue
		}
		r.refresh(v, empty)
		for i := range v.Indexes {
			create, then := r.index("MATERIALIZED VIEW", v.Name, &v.Indexes[i])
			r.post(create)
			r.post(then...)
		}
	}
}

// refresh fills a materialized view that was filled in the source, unless it
// reads one that was not.
func (r *renderer) refresh(v *View, empty map[Ref]bool) {
	for _, n := range v.Needs {
		if empty[n] {
			empty[v.ref()] = true
		}
	}
	if !v.Materialized {
		return
	}
	o := object(v.kind(), v.Name)
	switch {
	case !v.Populated:
		empty[v.ref()] = true
	case empty[v.ref()]:
		r.note(o, "it reads a materialized view that has no rows and cannot be filled")
	default:
		r.post(statementf(o, "REFRESH MATERIALIZED VIEW %s", v.SQL()))
	}
}

func (r *renderer) view(v *View) []Statement {
	o := object(v.kind(), v.Name)
	if v.Materialized {
		return r.materialized(o, v)
	}
	with := ""
	if len(v.Options) > 0 {
		var list []string
		for _, option := range v.Options {
			if name, _, _ := strings.Cut(option, "="); name == "security_invoker" {
				r.lacks(15, o, "a view with the rights of its user")
			}
			list = append(list, assignment(option))
		}
		with = " WITH (" + strings.Join(list, ", ") + ")"
	}
	// The names of the columns are repeated: they are part of the view even
	// where the query calls them otherwise.
	out := []Statement{statementf(o, "CREATE VIEW %s%s%s AS\n%s", v.SQL(), v.columnList(), with, v.Query)}
	for _, c := range v.Columns {
		if c.Default != "" {
			out = append(out, statementf(part(KindDefault, v.Name, c.Name), "ALTER VIEW %s ALTER COLUMN %s SET DEFAULT %s",
				v.SQL(), QuoteIdent(c.Name), wrapped(c.Default)))
		}
	}
	return out
}

// columnList is empty for a view without columns.
func (v *View) columnList() string {
	if len(v.Columns) == 0 {
		return ""
	}
	var names []string
	for _, c := range v.Columns {
		names = append(names, c.Name)
	}
	return " (" + quoteAll(names) + ")"
}

func (r *renderer) materialized(o Object, v *View) []Statement {
	out := []Statement{statementf(o, "CREATE MATERIALIZED VIEW %s%s AS\n%s\nWITH NO DATA",
		v.SQL(), v.columnList(), v.Query)}
	out = append(out, options(o, "MATERIALIZED VIEW", v.Name, v.Options)...)
	for _, c := range v.Columns {
		out = append(out, r.columnDetails("MATERIALIZED VIEW", v.Name, &Column{
			Name: c.Name, Storage: c.Storage, Compression: c.Compression, StatisticsTarget: c.StatisticsTarget, Options: c.Options,
		})...)
	}
	return out
}
