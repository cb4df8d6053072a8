package pgmodel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// plan is the order in which functions, tables and views are made: each after
// what it needs.
type plan struct {
	pre  []Ref // before rows: tables, and all functions and views that can or must be
	post []Ref // after rows and constraints
	// split are tables whose defaults and checks must wait until everything
	// else in pre is there, because these need what needs the table.
	split map[Ref]bool
}

// orderer sorts by depth-first search. Its input is sorted, so its output is
// the same for equal models.
type orderer struct {
	nodes map[Ref][]Ref // what each object needs
	soft  map[Ref][]Ref // what its defaults and checks need
	plan  plan
	state map[Ref]int // 0 new, 1 on the path, 2 done
	path  []Ref
	out   []Ref
}

// errCycle carries the tables that could be split to break a cycle.
type errCycle struct{ path []Ref }

func (e *errCycle) Error() string {
	var names []string
	for _, r := range e.path {
		names = append(names, r.object().String())
	}
	return "objects depend on each other in a circle: " + strings.Join(names, ", ")
}

func (r Ref) object() Object { return Object{Kind: r.Kind, Schema: r.Schema, Name: r.Name} }

// order plans the order in which the objects of m are made.
func (m *Model) order() (plan, error) {
	split := map[Ref]bool{}
	for {
		o := newOrderer(m, split)
		err := o.run(m)
		var cycle *errCycle
		if !errors.As(err, &cycle) {
			return o.plan, err
		}
		i := slices.IndexFunc(cycle.path, func(r Ref) bool { return r.Kind == KindTable && !split[r] })
		if i < 0 {
			return plan{}, err
		}
		split[cycle.path[i]] = true
	}
}

func newOrderer(m *Model, split map[Ref]bool) *orderer {
	o := &orderer{nodes: map[Ref][]Ref{}, soft: map[Ref][]Ref{}, state: map[Ref]int{}, plan: plan{split: split}}
	for _, f := range m.Functions {
		o.nodes[f.ref()] = f.Needs
	}
	for _, v := range m.Views {
		o.nodes[v.ref()] = append(slices.Clone(v.Needs), v.columnNeeds()...)
	}
	for _, t := range m.Tables {
		o.nodes[t.ref()] = t.Needs
		o.soft[t.ref()] = t.softNeeds()
		if !split[t.ref()] {
			o.nodes[t.ref()] = append(slices.Clone(t.Needs), o.soft[t.ref()]...)
		}
	}
	return o
}

// lookup finds the objects of a model by reference.
type lookup struct {
	functions  map[Ref]*Function
	tables     map[Ref]*Table
	views      map[Ref]*View
	identities map[ColumnRef]*Sequence // by identity column
}

func newLookup(m *Model) lookup {
	x := lookup{map[Ref]*Function{}, map[Ref]*Table{}, map[Ref]*View{}, map[ColumnRef]*Sequence{}}
	for i := range m.Functions {
		x.functions[m.Functions[i].ref()] = &m.Functions[i]
	}
	for i := range m.Tables {
		x.tables[m.Tables[i].ref()] = &m.Tables[i]
	}
	for i := range m.Views {
		x.views[m.Views[i].ref()] = &m.Views[i]
	}
	for i := range m.Sequences {
		if s := &m.Sequences[i]; s.Identity && s.OwnedBy != nil {
			x.identities[*s.OwnedBy] = s
		}
	}
	return x
}

func (f *Function) ref() Ref {
	return Ref{Kind: f.Kind, Schema: f.Schema, Name: f.Name.Name, Arguments: f.Arguments}
}

func (t *Table) ref() Ref { return Ref{Kind: KindTable, Schema: t.Schema, Name: t.Name.Name} }

func (v *View) ref() Ref { return Ref{Kind: v.kind(), Schema: v.Schema, Name: v.Name.Name} }

func (v *View) kind() Kind {
	if v.Materialized {
		return KindMaterializedView
	}
	return KindView
}

// softNeeds are what a table's defaults and checks need.
func (t *Table) softNeeds() []Ref {
	var refs []Ref
	for _, c := range t.Columns {
		refs = append(refs, c.DefaultNeeds...)
	}
	for _, k := range t.Checks {
		refs = append(refs, k.Needs...)
	}
	return refs
}

func (v *View) columnNeeds() []Ref {
	var refs []Ref
	for _, c := range v.Columns {
		refs = append(refs, c.DefaultNeeds...)
	}
	return refs
}

func (o *orderer) run(m *Model) error {
	late := o.late()
	for _, t := range m.Tables {
		if err := o.visit(t.ref()); err != nil {
			return err
		}
	}
	for _, t := range m.Tables {
		roots := o.soft[t.ref()]
		for _, x := range t.Indexes {
			roots = append(roots, x.Needs...)
		}
		for _, r := range roots {
			if err := o.visit(r); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Functions {
		if late[f.ref()] {
			continue
		}
		if err := o.visit(f.ref()); err != nil {
			return err
		}
	}
	o.plan.pre, o.out = o.out, nil
	if err := o.checkPre(); err != nil {
		return err
	}
	return o.finish(m)
}

func (o *orderer) finish(m *Model) error {
	for _, f := range m.Functions {
		if err := o.visit(f.ref()); err != nil {
			return err
		}
	}
	for _, v := range m.Views {
		if err := o.visit(v.ref()); err != nil {
			return err
		}
	}
	o.plan.post = o.out
	return nil
}

// late returns what needs a view or a constraint, at whatever distance.
func (o *orderer) late() map[Ref]bool {
	late := map[Ref]bool{}
	for grown := true; grown; {
		grown = false
		for r, needs := range o.nodes {
			if late[r] || r.Kind == KindTable {
				continue
			}
			if r.Kind == KindView || r.Kind == KindMaterializedView || slices.ContainsFunc(needs, func(n Ref) bool {
				return n.Kind == KindConstraint || late[n]
			}) {
				late[r], grown = true, true
			}
		}
	}
	return late
}

// checkPre refuses a view that tables need and that itself needs a primary
// key, which is there after the rows only.
func (o *orderer) checkPre() error {
	for _, r := range o.plan.pre {
		for _, n := range o.nodes[r] {
			if n.Kind == KindConstraint {
				return fmt.Errorf("%s is needed by a table and needs constraint %s of table %s.%s itself",
					r.object(), n.Arguments, n.Schema, n.Name)
			}
		}
	}
	return nil
}

// visit appends r after everything that it needs.
func (o *orderer) visit(r Ref) error {
	needs, ok := o.nodes[r]
	if !ok || o.state[r] == 2 { // sequences, extensions: there from the start
		return nil
	}
	if o.state[r] == 1 {
		return &errCycle{path: slices.Clone(o.path[slices.Index(o.path, r):])}
	}
	o.state[r] = 1
	o.path = append(o.path, r)
	for _, n := range needs {
		if n.Kind == KindConstraint {
			n = Ref{Kind: KindTable, Schema: n.Schema, Name: n.Name}
		}
		if err := o.visit(n); err != nil {
			return err
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.state[r] = 2
	o.out = append(o.out, r)
	return nil
}
