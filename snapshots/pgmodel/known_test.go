package pgmodel

import (
	"slices"
	"testing"
)

// harbors is a model of what Harbor has, and nothing else.
func harbors() *Model {
	m := small()
	t := &m.Tables[0]
	m.Views, m.Statistics, m.Database.Settings = nil, nil, nil
	m.Extensions = []Extension{{Name: "plpgsql", Schema: "pg_catalog"}}
	m.Functions = []Function{{Name: updateTime, Kind: KindFunction, Language: "plpgsql", Owner: "o", Definition: `()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.update_time = NOW();
    RETURN NEW;
END;
$function$`}}
	t.Columns = []Column{{Name: "a", Type: "integer", Default: "nextval('public.q'::regclass)"},
		{Name: "b", Type: "character varying(255)", Default: "'x'::character varying"}, {Name: "c", Type: "timestamp without time zone", Default: "CURRENT_TIMESTAMP"}}
	t.Checks = nil
	t.Indexes = []Index{{Name: "i", Definition: "btree (a, b DESC)"}, {Name: "j", Definition: `gin ((((c)::jsonb -> 'report_uuids'::text)))`}}
	t.Triggers = []Trigger{{Name: "t_update_time_at_modtime", Events: "BEFORE UPDATE", Detail: "FOR EACH ROW", Function: updateTime, Enabled: "origin"}}
	return m
}

func TestHarborsOwnObjectsAreKnown(t *testing.T) {
	m := harbors()
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	if unknown := UnknownObjects(m); len(unknown) > 0 {
		t.Errorf("unknown: %v", unknown)
	}
}

func TestWhatCouldRunCodeIsUnknown(t *testing.T) {
	column := func(expression string) func(*Model) {
		return func(m *Model) { m.Tables[0].Columns[0].Default = expression }
	}
	body := func(definition string) func(*Model) {
		return func(m *Model) { m.Functions[0].Definition = definition }
	}
	const head = "() RETURNS trigger LANGUAGE plpgsql "
	for _, c := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"a default that calls a function of a schema", column("public.evil()"), "column public.t.a"},
		{"a default that calls a function of the server", column("pg_read_file('/etc/passwd')"), "column public.t.a"},
		{"a quoted call", column(`"query_to_xml"('x', true, true, '')`), "column public.t.a"},
		{"an operator of a schema", column("1 OPERATOR(public.+) 2"), "column public.t.a"},
		{"a cast to a type of a schema", column("'x'::public.evil"), "column public.t.a"},
		{"a call through a row", column("(x).evil"), "column public.t.a"},
		{"a query", column("(SELECT 1)"), "column public.t.a"},
		{"a type of a schema", func(m *Model) { m.Tables[0].Columns[0].Type = "public.evil" }, "column public.t.a"},
		{"a collation of a schema", func(m *Model) { m.Tables[0].Columns[1].Collation = &Name{"public", "c"} }, "column public.t.b"},
		{"a check", func(m *Model) { m.Tables[0].Checks = []Check{{Name: "k", Expression: "evil(a)"}} }, "constraint public.t.k"},
		{"an index over a function", func(m *Model) { m.Tables[0].Indexes[0].Definition = "btree (public.evil(a))" }, "index public.t.i"},
		{"an index with an operator class", func(m *Model) { m.Tables[0].Indexes[0].Definition = "btree (a public.ops)" }, "index public.t.i"},
		{"a method of an extension", func(m *Model) { m.Tables[0].Indexes[0].Definition = "evil (a)" }, "index public.t.i"},
		{"an exclusion constraint", func(m *Model) {
			m.Tables[0].Indexes[0].Constraint = &Key{Kind: Exclusion, Definition: "EXCLUDE USING gist (a WITH =)"}
		}, "index public.t.i"},
		{"another body", body(head + "AS $$ BEGIN PERFORM evil(); NEW.update_time = NOW(); RETURN NEW; END; $$"), "function public.update_update_time_at_column"},
		{"a comment in the body", body(head + "AS $$ BEGIN NEW.update_time = NOW(); RETURN NEW; END; -- $$"), "function public.update_update_time_at_column"},
		{"a function that runs as its owner", body("() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN NEW.update_time = NOW(); RETURN NEW; END; $$"),
			"function public.update_update_time_at_column"},
		{"another language", body("() RETURNS trigger LANGUAGE plperlu AS $$ BEGIN NEW.update_time = NOW(); RETURN NEW; END; $$"),
			"function public.update_update_time_at_column"},
		{"a second function", func(m *Model) { m.Functions = append(m.Functions, small().Functions[0]) }, "function public.f"},
		{"a trigger of another name", func(m *Model) { m.Tables[0].Triggers[0].Name = "evil" }, "trigger public.t.evil"},
		{"a trigger at another time", func(m *Model) { m.Tables[0].Triggers[0].Events = "AFTER INSERT" }, "trigger public.t.t_update_time_at_modtime"},
		{"a trigger with a condition", func(m *Model) { m.Tables[0].Triggers[0].Detail = "FOR EACH ROW WHEN (evil())" }, "trigger public.t.t_update_time_at_modtime"},
		{"a trigger of another function", func(m *Model) { m.Tables[0].Triggers[0].Function.Schema = "x" }, "trigger public.t.t_update_time_at_modtime"},
		{"a view", func(m *Model) { m.Views = small().Views }, "view public.v"},
		{"statistics", func(m *Model) { m.Statistics = small().Statistics }, "statistics object public.s"},
		{"a schema", func(m *Model) { m.Schemas = append(m.Schemas, Schema{Name: "x", Owner: "o"}) }, "schema x"},
		{"an extension", func(m *Model) { m.Extensions = append(m.Extensions, Extension{Name: "dblink"}) }, "extension dblink"},
		{"a library", func(m *Model) {
			m.Database.Settings = []Setting{{Name: "session_preload_libraries", Value: "evil"}, {Name: "statement_timeout", Value: "0"}}
		}, "setting session_preload_libraries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := harbors()
			c.change(m)
			var got []string
			for _, o := range UnknownObjects(m) {
				got = append(got, o.String())
			}
			if !slices.Equal(got, []string{c.want}) {
				t.Errorf("unknown: %q, want %q", got, c.want)
			}
		})
	}
}
