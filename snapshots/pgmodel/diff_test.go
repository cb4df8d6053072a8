package pgmodel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDiffOfEqualModelsIsEmpty(t *testing.T) {
	if d := Diff(decoded(t), decoded(t)); len(d) > 0 {
		t.Error(d)
	}
}

func TestDiffNamesObjectAndAttribute(t *testing.T) {
	a, b := small(), small()
	b.Tables[0].Columns[0].Type = "bigint"
	b.Tables[0].Columns = b.Tables[0].Columns[:1]
	b.Tables[0].Comment = "new"
	b.Views[0].Name.Name = "w"
	var got []string
	for _, d := range Diff(a, b) {
		got = append(got, d.String())
	}
	want := []string{
		`column public.t.a: type is "integer" in the first and "bigint" in the second`,
		`column public.t.b is only in the first`,
		`column public.v.a is only in the first`,
		`column public.w.a is only in the second`,
		`table public.t: columns is ["a","b"] in the first and ["a"] in the second`,
		`table public.t: comment is not set in the first and "new" in the second`,
		`view public.v is only in the first`,
		`view public.w is only in the second`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Compare passes over what another server cannot show, and over nothing else.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Model)
		differ bool
	}{
		{"an owner", func(m *Model) { m.Tables[0].Owner = "x" }, false},
		{"privileges", func(m *Model) { m.Tables[0].ACL.Granted = []Grant{{Grantor: "o", Privileges: []string{"SELECT"}}} }, false},
		{"a database's comment", func(m *Model) { m.Database.Comment = "x" }, false},
		{"the name of a NOT NULL", func(m *Model) { m.Tables[0].Columns[0].NotNull.Name = "x" }, false},
		{"brackets of another major", func(m *Model) { m.Major, m.Tables[0].Checks[0].Expression = 18, "a > 0" }, false},
		{"brackets of the same major", func(m *Model) { m.Tables[0].Checks[0].Expression = "a > 0" }, true},
		{"a check", func(m *Model) { m.Major, m.Tables[0].Checks[0].Expression = 18, "a > 1" }, true},
		{"a NOT NULL", func(m *Model) { m.Tables[0].Columns[0].NotNull = nil }, true},
		{"a default", func(m *Model) { m.Tables[0].Columns[0].Default = "" }, true},
		{"a comment", func(m *Model) { m.Tables[0].Comment = "x" }, true},
		{"an index", func(m *Model) { m.Tables[0].Indexes = m.Tables[0].Indexes[:1] }, true},
		{"a trigger's state", func(m *Model) { m.Tables[0].Triggers[0].Enabled = "always" }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			c.change(m)
			if d := Compare(small(), m); len(d) > 0 != c.differ {
				t.Errorf("got %v", d)
			}
		})
	}
}

func TestLeaveOutTakesWhatDependsAlong(t *testing.T) {
	m := small()
	mood := Ref{Kind: "enum type", Schema: "public", Name: "mood"}
	second := m.Tables[0]
	second.Name.Name, second.Needs, second.Indexes, second.Triggers, second.Checks = "second", []Ref{mood}, nil, nil, nil
	m.Tables = append(m.Tables, second)
	m.Tables[0].ForeignKeys = []ForeignKey{key("second", "a")}
	m.Views[0].Needs = []Ref{{Kind: KindTable, Schema: "public", Name: "second"}}
	m.Functions[0].Needs = []Ref{{Kind: KindView, Schema: "public", Name: "v"}}
	m.Tables[0].Columns[0].DefaultNeeds = []Ref{m.Functions[0].ref()}
	m.Sequences = []Sequence{sequence(ColumnRef{second.Name, "a"})}
	m.Unsupported = []Object{mood.object()}
	before := fmt.Sprint(*m)
	carried := *m
	var got []string
	for _, o := range carried.LeaveOut() {
		got = append(got, o.String())
	}
	slices.Sort(got)
	want := []string{"constraint public.t.fk", "default public.t.a", "enum type public.mood", "function public.f", "sequence public.q",
		"table public.second", "view public.v"}
	if !slices.Equal(got, want) {
		t.Errorf("left out %q", got)
	}
	if err := carried.Validate(); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(*m) != before {
		t.Error("the model that was shared has changed")
	}
}

func TestOrderBreaksACircleThroughADefault(t *testing.T) {
	m := small()
	m.Functions[0].Needs = []Ref{m.Tables[0].ref()}
	m.Tables[0].Columns[0].DefaultNeeds = []Ref{m.Functions[0].ref()}
	s, _, err := m.Render(Target{Major: 15})
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) int {
		return slices.IndexFunc(s.Pre, func(x Statement) bool { return strings.Contains(x.SQL, text) })
	}
	table, function, def := at("CREATE TABLE"), at("CREATE OR REPLACE FUNCTION"), at("SET DEFAULT 1")
	if table < 0 || function < table || def < function {
		t.Errorf("table %d, function %d, default %d", table, function, def)
	}
}

func TestOrderNamesACircle(t *testing.T) {
	m := small()
	m.Functions[0].Needs = []Ref{m.Views[0].ref()}
	m.Views[0].Needs = []Ref{m.Functions[0].ref()}
	if _, _, err := m.Render(Target{Major: 15}); err == nil || !strings.Contains(err.Error(), "view public.v") {
		t.Errorf("got %v", err)
	}
}

func TestAViewThatTablesNeedCannotNeedAKey(t *testing.T) {
	m := small()
	m.Views[0].Needs = []Ref{{Kind: KindConstraint, Schema: "public", Name: "t", Arguments: "t_pkey"}}
	m.Functions[0].Needs = []Ref{m.Views[0].ref()}
	second := m.Tables[0]
	second.Name.Name, second.Needs, second.Indexes = "second", []Ref{m.Functions[0].ref()}, nil
	m.Tables = append(m.Tables, second)
	if _, _, err := m.Render(Target{Major: 15}); err == nil || !strings.Contains(err.Error(), "t_pkey") {
		t.Errorf("got %v", err)
	}
}
