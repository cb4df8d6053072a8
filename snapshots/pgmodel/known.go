package pgmodel

import (
	"regexp"
	"slices"
	"strings"
)

// A snapshot is code: functions, triggers, expressions and views run with the
// rights of whoever restores it or uses the database later. UnknownObjects is
// the gate: what Harbor itself has, from 1.6 on, is known, and so is what
// cannot run anything (grants, comments, plain columns). Everything else is
// returned, in the order of the model, and a restore needs to be told to take
// it.

// UnknownObjects returns the objects of m that no Harbor has and that could
// run code, or whose kind is not among Harbor's.
func UnknownObjects(m *Model) []Object {
	var out []Object
	add := func(o Object) { out = append(out, o) }
	for _, s := range m.Database.Settings {
		if !harmlessSetting(s.Name) {
			add(Object{Kind: KindSetting, Name: s.Name})
		}
	}
	for _, s := range m.Schemas {
		if s.Name != "public" {
			add(schemaObject(s.Name))
		}
	}
	for _, e := range m.Extensions {
		if e.Name != "plpgsql" {
			add(Object{Kind: KindExtension, Name: e.Name})
		}
	}
	for i := range m.Functions {
		if f := &m.Functions[i]; !f.isHarbors() {
			add(object(f.Kind, f.Name))
		}
	}
	for i := range m.Tables {
		m.Tables[i].unknown(add)
	}
	for i := range m.Views {
		add(object(m.Views[i].kind(), m.Views[i].Name))
	}
	for _, s := range m.Statistics {
		add(object(KindStatistics, s.Name))
	}
	return out
}

// updateTime is the one function that Harbor has (its first migration).
var updateTime = Name{"public", "update_update_time_at_column"}

func (f *Function) isHarbors() bool {
	if f.Name != updateTime || f.Kind != KindFunction || f.Arguments != "" {
		return false
	}
	body, ok := f.plainBody()
	if !ok {
		return false
	}
	tokens, err := lex(body)
	if err != nil {
		return false
	}
	var words []string
	for _, t := range tokens {
		if word := strings.TrimPrefix(strings.ToLower(t.text), ":"); word != "" { // := and = mean the same
			words = append(words, word)
		}
	}
	text := strings.TrimSuffix(strings.Join(words, " "), " ;")
	return text == "begin new . update_time = now ( ) ; return new ; end"
}

// plainBody returns the body of a trigger function in PL/pgSQL without any
// other property.
func (f *Function) plainBody() (string, bool) {
	s, err := parse(f.Definition)
	if err != nil || !s.accept("(", ")", "returns", "trigger", "language", "plpgsql", "as") || s.pos != len(s.tokens)-1 {
		return "", false
	}
	body := s.tokens[s.pos]
	end := strings.IndexByte(body.text[1:], '$') + 2
	if body.kind != text || body.text[0] != '$' || len(body.text) < 2*end {
		return "", false
	}
	return body.text[end : len(body.text)-end], true
}

// unknown reports what of a table could run code: its expressions, types and
// triggers.
func (t *Table) unknown(add func(Object)) {
	for i := range t.Columns {
		c := &t.Columns[i]
		builtIn := c.Collation == nil || c.Collation.Schema == "pg_catalog"
		if !isBuiltInType(c.Type) || !builtIn || c.Default != "" && !isHarmless(c.Default) {
			add(part(KindColumn, t.Name, c.Name))
		}
	}
	for _, k := range t.Checks {
		if !isHarmless(k.Expression) {
			add(part(KindConstraint, t.Name, k.Name))
		}
	}
	for _, x := range t.Indexes {
		if !x.harmless() {
			add(part(KindIndex, t.Name, x.Name))
		}
	}
	for _, g := range t.Triggers {
		if !g.isHarbors(t.Name) {
			add(part(KindTrigger, t.Name, g.Name))
		}
	}
}

// isHarbors: <table>_update_time_at_modtime, as Harbor makes it on ten
// tables. A table that was renamed keeps the name of its trigger.
func (g *Trigger) isHarbors(table Name) bool {
	return strings.HasSuffix(g.Name, "_update_time_at_modtime") && table.Schema == "public" && !g.Constraint &&
		strings.EqualFold(g.Events, "BEFORE UPDATE") && strings.EqualFold(g.Detail, "FOR EACH ROW") &&
		g.Function == updateTime && g.Arguments == ""
}

func (x *Index) harmless() bool {
	if x.Constraint != nil && x.Constraint.Definition != "" {
		return false
	}
	method, rest, _ := strings.Cut(x.Definition, " ")
	return slices.Contains([]string{"btree", "hash", "gin", "gist", "brin", "spgist"}, method) && isHarmless(rest)
}

// harmlessWords may stand before an opening bracket: keywords, types with a
// modifier, and functions that read nothing and change nothing but a
// sequence.
var harmlessWords = []string{
	"and", "or", "not", "in", "any", "all", "is", "then", "else", "when", "case", "between", "like", "include", "where", "coalesce",
	"nullif", "greatest", "least", "extract",
	"varying", "varchar", "character", "char", "bpchar", "numeric", "decimal", "bit", "timestamp", "timestamptz", "time", "timetz", "interval",
	"now", "nextval", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timezone", "date_trunc", "date_part",
	"lower", "upper", "btrim", "ltrim", "rtrim", "length", "char_length", "octet_length", "abs", "round", "md5", "replace", "split_part",
	"left", "right", "substr", "gen_random_uuid", "jsonb_typeof", "json_typeof", "jsonb_array_length",
}

// isHarmless reports whether an expression, or the list of an index, calls
// nothing but harmless functions, by names without a schema: with an empty
// search_path these are built in.
func isHarmless(sql string) bool {
	tokens, err := lex(sql)
	if err != nil {
		return false
	}
	for i, t := range tokens {
		if t.is(".") || t.is(";") || t.is("select") || t.is("table") {
			return false
		}
		called := i+1 < len(tokens) && tokens[i+1].is("(")
		if called && t.kind == quoted || called && t.kind == word && !slices.Contains(harmlessWords, strings.ToLower(t.text)) {
			return false
		}
	}
	return true
}

// isBuiltInType reports whether a type is PostgreSQL's own: others have a
// schema.
func isBuiltInType(sql string) bool {
	tokens, err := lex(sql)
	return err == nil && !slices.ContainsFunc(tokens, func(t token) bool { return t.is(".") })
}

// harmlessSettings change how a session plans, waits, prints and reports. Not
// among them: what loads a library, changes the role, or says where names are
// looked up.
var harmlessSettings = regexp.MustCompile(`^(` + strings.Join([]string{
	`.*_timeout`, `.*_mem`, `.*_cost`, `.*_buffers`, `.*_limit`, `enable_.*`, `geqo.*`, `log_.*`, `track_.*`, `vacuum_.*`,
	`default_transaction_.*`, `synchronous_commit`, `timezone`, `datestyle`, `intervalstyle`, `bytea_output`, `client_encoding`,
	`extra_float_digits`, `client_min_messages`, `jit`, `jit_.*_cost`, `max_parallel_.*`, `effective_.*`, `random_page_cost`,
	`standard_conforming_strings`, `statement_timeout`, `default_statistics_target`, `lc_.*`, `row_security`, `tcp_.*`,
}, "|") + `)$`)

func harmlessSetting(name string) bool { return harmlessSettings.MatchString(strings.ToLower(name)) }
