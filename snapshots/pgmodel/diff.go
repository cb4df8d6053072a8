package pgmodel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Difference is one way in which two models differ. Attribute is empty where
// only one of them has the object, and then so are A and B.
type Difference struct {
	Object    Object `json:"object"`
	Attribute string `json:"attribute,omitempty"`
	OnlyIn    string `json:"only_in,omitempty"` // "a" or "b"
	A         string `json:"a,omitempty"`       // JSON
	B         string `json:"b,omitempty"`
}

// String returns the difference for people, who know which model is which.
func (d Difference) String() string {
	switch {
	case d.OnlyIn == "a":
		return d.Object.String() + " is only in the first"
	case d.OnlyIn == "b":
		return d.Object.String() + " is only in the second"
	}
	return fmt.Sprintf("%s: %s is %s in the first and %s in the second", d.Object, d.Attribute, shown(d.A), shown(d.B))
}

func shown(value string) string {
	const most = 200
	if value == "" {
		return "not set"
	}
	if len(value) > most {
		return strings.ToValidUTF8(value[:most], "") + "…"
	}
	return value
}

// Diff returns every difference between two models, by object.
func Diff(a, b *Model) []Difference {
	return diff(a, b, func(Object, string, string) (string, bool) { return "", false })
}

// Compare returns how a database that was rendered from want and read back
// differs from it in what makes it up: everything but owners, privileges and
// settings, which depend on the roles and rights that were there, and but for
// what cannot be the same on servers of two majors.
func Compare(want, got *Model) []Difference {
	return diff(want, got, newComparison(want.Major, got.Major).normal)
}

// facts are what a model says: objects, their attributes, JSON values.
type facts map[Object]map[string]string

// normalizer returns the value to compare instead, or false to compare value
// itself. An empty value counts as not set.
type normalizer func(o Object, attribute, value string) (string, bool)

func diff(a, b *Model, normal normalizer) []Difference {
	x, y := a.facts(normal), b.facts(normal)
	var out []Difference
	for o, attributes := range x {
		other, ok := y[o]
		if !ok {
			out = append(out, Difference{Object: o, OnlyIn: "a"})
			continue
		}
		out = append(out, diffAttributes(o, attributes, other)...)
	}
	for o := range y {
		if _, ok := x[o]; !ok {
			out = append(out, Difference{Object: o, OnlyIn: "b"})
		}
	}
	slices.SortFunc(out, func(d, e Difference) int {
		return strings.Compare(d.Object.String()+"\x00"+d.Attribute, e.Object.String()+"\x00"+e.Attribute)
	})
	return out
}

func diffAttributes(o Object, a, b map[string]string) []Difference {
	var out []Difference
	for name, value := range a {
		if b[name] != value {
			out = append(out, Difference{Object: o, Attribute: name, A: value, B: b[name]})
		}
	}
	for name, value := range b {
		if _, ok := a[name]; !ok {
			out = append(out, Difference{Object: o, Attribute: name, B: value})
		}
	}
	return out
}

// facts takes a model apart. What an object contains is an object of its own.
func (m *Model) facts(normal normalizer) facts {
	f := facts{}
	add := func(o Object, value any) { f.add(o, value, normal) }
	database := m.Database
	database.Settings = nil
	add(Object{Kind: KindDatabase, Name: "itself"}, database)
	for _, s := range m.Database.Settings {
		add(Object{Kind: KindSetting, Name: strings.TrimSuffix(s.Name+" of role "+s.Role, " of role ")}, s)
	}
	for _, s := range m.Schemas {
		add(schemaObject(s.Name), s)
	}
	for _, e := range m.Extensions {
		add(Object{Kind: KindExtension, Name: e.Name}, e)
	}
	for _, x := range m.Functions {
		o := object(x.Kind, x.Name)
		o.Name += "(" + withoutIn(x.Arguments) + ")"
		add(o, x)
	}
	for _, s := range m.Sequences {
		add(object(KindSequence, s.Name), s)
	}
	for _, t := range m.Tables {
		t.facts(add)
	}
	for _, v := range m.Views {
		v.facts(add)
	}
	for _, s := range m.Statistics {
		add(object(KindStatistics, s.Name), s)
	}
	for _, d := range m.DefaultPrivileges {
		add(Object{Kind: KindDefaultPrivilege, Schema: d.Schema, Name: d.Type + " of role " + d.Role}, d)
	}
	for _, o := range m.Unsupported {
		add(o, struct{}{})
	}
	return f
}

// withoutIn leaves the mode IN out of arguments: whether it is printed depends
// on the major.
func withoutIn(arguments string) string {
	list := strings.Split(arguments, ", ")
	for i, a := range list {
		list[i] = strings.TrimPrefix(a, "IN ")
	}
	return strings.Join(list, ", ")
}

// add records the fields of the JSON form of value.
func (f facts) add(o Object, value any, normal normalizer) {
	if _, ok := normal(o, "", ""); ok {
		return
	}
	data, err := json.Marshal(value)
	fields := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	attributes := map[string]string{}
	if err != nil { // cannot be: a struct of strings, numbers and lists has a JSON form
		attributes["json"] = err.Error()
	}
	for name, raw := range fields {
		text := string(raw)
		if n, ok := normal(o, name, text); ok {
			text = n
		}
		if text != "" {
			attributes[name] = text
		}
	}
	f[o] = attributes
}

// facts of a table: its columns' order is an attribute, the columns are
// objects.
func (t Table) facts(add func(Object, any)) {
	type order struct {
		Table
		Columns []string `json:"columns"`
	}
	bare := order{Table: t}
	for _, c := range t.Columns {
		bare.Columns = append(bare.Columns, c.Name)
		add(part(KindColumn, t.Name, c.Name), c)
	}
	bare.Checks, bare.Indexes, bare.ForeignKeys, bare.Triggers = nil, nil, nil, nil
	add(object(KindTable, t.Name), bare)
	for _, k := range t.Checks {
		add(part(KindConstraint, t.Name, k.Name), k)
	}
	for _, k := range t.ForeignKeys {
		add(part(KindConstraint, t.Name, k.Name), k)
	}
	partFacts(t.Name, t.Indexes, t.Triggers, add)
}

func (v View) facts(add func(Object, any)) {
	type order struct {
		View
		Columns []string `json:"columns"`
	}
	bare := order{View: v}
	for _, c := range v.Columns {
		bare.Columns = append(bare.Columns, c.Name)
		add(part(KindColumn, v.Name, c.Name), c)
	}
	bare.Indexes, bare.Triggers = nil, nil
	add(object(v.kind(), v.Name), bare)
	partFacts(v.Name, v.Indexes, v.Triggers, add)
}

func partFacts(relation Name, indexes []Index, triggers []Trigger, add func(Object, any)) {
	for _, x := range indexes {
		add(part(KindIndex, relation, x.Name), x)
	}
	for _, t := range triggers {
		add(part(KindTrigger, relation, t.Name), t)
	}
}
