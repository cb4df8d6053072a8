package pgmodel

import "slices"

// LeaveOut takes everything out of m that cannot be carried: the unsupported
// objects, and what cannot exist without them, such as a table with a column
// of an unsupported type, and in turn what cannot exist without that. It
// returns all of these by name. What m shares with other models is not
// changed.
func (m *Model) LeaveOut() []Object {
	p := &pruner{m: m, left: slices.Clone(m.Unsupported)}
	m.Unsupported = nil
	for p.again = true; p.again; {
		p.again = false
		p.know()
		p.prune()
	}
	return p.left
}

// pruner removes what needs something that is not there, until nothing does.
type pruner struct {
	m     *Model
	left  []Object
	there map[Ref]bool
	again bool
}

// know lists what is in the model. Constraints are known by their table.
func (p *pruner) know() {
	p.there = map[Ref]bool{}
	for i := range p.m.Functions {
		p.there[p.m.Functions[i].ref()] = true
	}
	for _, s := range p.m.Sequences {
		p.there[Ref{Kind: KindSequence, Schema: s.Schema, Name: s.Name.Name}] = true
	}
	for i := range p.m.Tables {
		p.there[p.m.Tables[i].ref()] = true
	}
	for i := range p.m.Views {
		p.there[p.m.Views[i].ref()] = true
	}
	for _, e := range p.m.Extensions {
		p.there[Ref{Kind: KindExtension, Name: e.Name}] = true
	}
}

func (p *pruner) has(needs []Ref) bool {
	return !slices.ContainsFunc(needs, func(n Ref) bool {
		if n.Kind == KindConstraint {
			n = Ref{Kind: KindTable, Schema: n.Schema, Name: n.Name}
		}
		return !p.there[n]
	})
}

func (p *pruner) hasTable(n Name) bool {
	return p.there[Ref{Kind: KindTable, Schema: n.Schema, Name: n.Name}]
}

// keep returns the elements that may stay and names the others.
func keep[T any](p *pruner, list []T, name func(*T) Object, may func(*T) bool) []T {
	out := make([]T, 0, len(list))
	for i := range list {
		if may(&list[i]) {
			out = append(out, list[i])
			continue
		}
		p.left, p.again = append(p.left, name(&list[i])), true
	}
	if len(out) == 0 && list == nil {
		return nil
	}
	return out
}

func (p *pruner) prune() {
	p.m.Functions = keep(p, p.m.Functions,
		func(f *Function) Object { return object(f.Kind, f.Name) }, func(f *Function) bool { return p.has(f.Needs) })
	p.m.Tables = keep(p, p.m.Tables,
		func(t *Table) Object { return object(KindTable, t.Name) }, func(t *Table) bool { return p.has(t.Needs) })
	p.m.Views = keep(p, p.m.Views,
		func(v *View) Object { return object(v.kind(), v.Name) }, func(v *View) bool { return p.has(v.Needs) })
	p.m.Statistics = keep(p, p.m.Statistics,
		func(s *Statistics) Object { return object(KindStatistics, s.Name) },
		func(s *Statistics) bool { return p.has(s.Needs) && p.hasTable(s.Table) })
	p.m.Sequences = keep(p, p.m.Sequences,
		func(s *Sequence) Object { return object(KindSequence, s.Name) },
		func(s *Sequence) bool { return s.OwnedBy == nil || p.hasTable(s.OwnedBy.Table) })
	for i := range p.m.Sequences {
		s := &p.m.Sequences[i]
		s.Feeds = slices.DeleteFunc(slices.Clone(s.Feeds), func(c ColumnRef) bool { return !p.hasTable(c.Table) })
	}
	for i := range p.m.Tables {
		p.pruneTable(&p.m.Tables[i])
	}
	for i := range p.m.Views {
		p.pruneView(&p.m.Views[i])
	}
}

func (p *pruner) pruneTable(t *Table) {
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		if c := &t.Columns[i]; !p.has(c.DefaultNeeds) {
			p.left, p.again = append(p.left, part(KindDefault, t.Name, c.Name)), true
			c.Default, c.DefaultNeeds = "", nil
		}
	}
	t.Checks = keep(p, t.Checks,
		func(k *Check) Object { return part(KindConstraint, t.Name, k.Name) }, func(k *Check) bool { return p.has(k.Needs) })
	t.ForeignKeys = keep(p, t.ForeignKeys,
		func(k *ForeignKey) Object { return part(KindConstraint, t.Name, k.Name) },
		func(k *ForeignKey) bool { return p.hasTable(k.References) })
	t.Indexes, t.Triggers = p.pruneParts(t.Name, t.Indexes, t.Triggers)
}

func (p *pruner) pruneView(v *View) {
	v.Columns = slices.Clone(v.Columns)
	for i := range v.Columns {
		if c := &v.Columns[i]; !p.has(c.DefaultNeeds) {
			p.left, p.again = append(p.left, part(KindDefault, v.Name, c.Name)), true
			c.Default, c.DefaultNeeds = "", nil
		}
	}
	v.Indexes, v.Triggers = p.pruneParts(v.Name, v.Indexes, v.Triggers)
}

func (p *pruner) pruneParts(relation Name, indexes []Index, triggers []Trigger) ([]Index, []Trigger) {
	return keep(p, indexes,
			func(x *Index) Object { return part(KindIndex, relation, x.Name) }, func(x *Index) bool { return p.has(x.Needs) }),
		keep(p, triggers,
			func(t *Trigger) Object { return part(KindTrigger, relation, t.Name) },
			func(t *Trigger) bool { return p.has(t.Needs) })
}
