package pgmodel

import (
	"strings"
	"testing"
)

func TestValidateRefuses(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"another format", func(m *Model) { m.Format = 2 }, "format"},
		{"an impossible major", func(m *Model) { m.Major = 8 }, "PostgreSQL 8"},
		{"a name too long", func(m *Model) { m.Tables[0].Name.Name = long }, long},
		{"an empty name", func(m *Model) { m.Tables[0].Columns[0].Name = "" }, "column"},
		{"a zero byte", func(m *Model) { m.Tables[0].Comment = "a\x00" }, "zero byte"},
		{"bytes that are no text", func(m *Model) { m.Tables[0].Comment = "\xff" }, "UTF-8"},
		{"a huge text", func(m *Model) { m.Tables[0].Comment = strings.Repeat("x", maxText+1) }, "bytes"},
		{"a schema that is not there", func(m *Model) { m.Tables[0].Schema = "other" }, "other"},
		{"a schema of the system", func(m *Model) { m.Schemas = append(m.Schemas, Schema{Name: "pg_catalog", Owner: "o"}) }, "pg_catalog"},
		{"a schema twice", func(m *Model) { m.Schemas = append(m.Schemas, m.Schemas[0]) }, "public"},
		{"two relations of one name", func(m *Model) { m.Views[0].Name = m.Tables[0].Name }, "taken"},
		{"an index named like a table", func(m *Model) { m.Tables[0].Indexes[0].Name = "t" }, "taken"},
		{"a column twice", func(m *Model) { m.Tables[0].Columns[1].Name = "a" }, "twice"},
		{"a function twice", func(m *Model) { m.Functions = append(m.Functions, m.Functions[0]) }, "twice"},
		{"a trigger twice", func(m *Model) { m.Tables[0].Triggers = append(m.Tables[0].Triggers, m.Tables[0].Triggers[0]) }, "twice"},
		{"a constraint twice", func(m *Model) { m.Tables[0].Checks = append(m.Tables[0].Checks, m.Tables[0].Checks[0]) }, "twice"},
		{"a statistics object twice", func(m *Model) { m.Statistics = append(m.Statistics, m.Statistics[0]) }, "twice"},
		{"a foreign key to nothing", func(m *Model) { m.Tables[0].ForeignKeys = []ForeignKey{key("t2", "a")} }, "public.t2"},
		{"a foreign key to no column", func(m *Model) { m.Tables[0].ForeignKeys = []ForeignKey{key("t", "zz")} }, "zz"},
		{"a foreign key of unequal sides", func(m *Model) {
			k := key("t", "a")
			k.Columns = append(k.Columns, "b")
			m.Tables[0].ForeignKeys = []ForeignKey{k}
		}, "match"},
		{"an unknown action", func(m *Model) {
			k := key("t", "a")
			k.OnDelete = "cascade; drop"
			m.Tables[0].ForeignKeys = []ForeignKey{k}
		}, "cascade; drop"},
		{"an identity without a sequence", func(m *Model) { m.Tables[0].Columns[0].Identity = IdentityAlways }, "identity"},
		{"a sequence of no column", func(m *Model) { m.Sequences = []Sequence{sequence(ColumnRef{Name{"public", "t"}, "zz"})} }, "zz"},
		{"a sequence without room", func(m *Model) {
			s := sequence(ColumnRef{Name{"public", "t"}, "a"})
			s.Min = 10
			m.Sequences = []Sequence{s}
		}, "bounds"},
		{"an unknown provider", func(m *Model) { m.Database.Locale.Provider = "other" }, "provider"},
		{"an odd privilege", func(m *Model) { m.Tables[0].ACL.Granted = []Grant{{Grantor: "o", Privileges: []string{"SELECT ON x"}}} }, "SELECT ON x"},
		{"a grant of nothing", func(m *Model) { m.Tables[0].ACL.Granted = []Grant{{Grantor: "o"}} }, "nothing"},
		{"an odd state", func(m *Model) { m.Tables[0].Triggers[0].Enabled = "maybe" }, "maybe"},
		{"a type that says more", func(m *Model) { m.Tables[0].Columns[0].Type = "integer PRIMARY KEY" }, "PRIMARY"},
		{"a type that is a call", func(m *Model) { m.Tables[0].Columns[0].Type = "integer DEFAULT f()" }, "DEFAULT"},
		{"a key that its index cannot back", func(m *Model) { m.Tables[0].Indexes[0].Constraint = &Key{Kind: Unique} }, "back"},
		{"statistics of nothing", func(m *Model) { m.Statistics[0].Table.Name = "zz" }, "zz"},
		{"default privileges of an odd kind", func(m *Model) {
			m.DefaultPrivileges = []DefaultPrivilege{{Role: "o", Type: "tables TO x"}}
		}, "tables TO x"},
		{"a condition that is none", func(m *Model) {
			m.Extensions = []Extension{{Name: "e", Schema: "public", Config: []ConfigTable{{Table: Name{"public", "c"}, Condition: "; x"}}}}
		}, "condition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			c.change(m)
			if err := m.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func key(table, column string) ForeignKey {
	return ForeignKey{Name: "fk", Columns: []string{"a"}, References: Name{"public", table}, RefColumns: []string{column},
		OnUpdate: "no action", OnDelete: "no action"}
}

func sequence(owner ColumnRef) Sequence {
	return Sequence{Name: Name{"public", "q"}, Type: "integer", Start: 1, Increment: 1, Min: 1, Max: 9, Cache: 1, Owner: "o", OwnedBy: &owner}
}

func TestTypesOfTheServerAreAccepted(t *testing.T) {
	for _, s := range []string{
		"integer", "character varying(255)", "timestamp(3) with time zone", "time without time zone", "numeric(10,2)", "numeric(3,-2)",
		"double precision", `"char"`, "integer[]", "bit varying(5)", "interval day to second(2)", "interval(3)", `public.citext`,
		`"Odd schema"."Odd type"[]`, "public.geometry(Point,4326)", "character(3)", "public.timestamp",
	} {
		if err := checkType(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}
