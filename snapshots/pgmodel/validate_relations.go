package pgmodel

import (
	"errors"
	"fmt"
)

func (v *validator) tables() error {
	for i := range v.m.Tables {
		t := &v.m.Tables[i]
		o := object(KindTable, t.Name)
		err := in(o, v.relation(KindTable, t.Name), checkNames(t.Owner), checkACL(t.ACL), checkOptions(t.Options),
			oneOf("replica identity", t.ReplicaIdentity, "", "nothing", "full", "index"), checkColumns(t))
		if err != nil {
			return err
		}
		if err := v.tableParts(t); err != nil {
			return err
		}
	}
	return nil
}

func checkColumns(t *Table) error {
	seen := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		if seen[c.Name] {
			return fmt.Errorf("column %q is there twice", c.Name)
		}
		seen[c.Name] = true
		if err := about("column "+c.Name, checkColumn(c)); err != nil {
			return err
		}
	}
	return nil
}

func checkColumn(c *Column) error {
	err := errors.Join(checkNames(c.Name), about("type", checkType(c.Type)), checkACL(c.ACL), checkOptions(c.Options),
		oneOf("generation", c.Generated, "", Stored, Virtual),
		oneOf("identity", c.Identity, "", IdentityAlways, IdentityByDefault),
		oneOf("storage", c.Storage, "", "plain", "external", "main", "extended"),
		oneOf("compression", c.Compression, "", "pglz", "lz4"))
	if c.Default != "" || c.Generated != "" {
		err = errors.Join(err, about("default", checkExpression(c.Default)))
	}
	if c.Collation != nil {
		err = errors.Join(err, checkNames(c.Collation.Schema, c.Collation.Name))
	}
	if n := c.NotNull; n != nil && (n.Name != "" || n.NotValid || n.Comment != "") {
		err = errors.Join(err, checkNames(n.Name))
	}
	return err
}

// tableParts looks at what belongs to a table. Constraints have a space of
// names of their own in it.
func (v *validator) tableParts(t *Table) error {
	constraints := map[string]bool{}
	constraint := func(name string) error {
		if constraints[name] {
			return fmt.Errorf("constraint %q is there twice", name)
		}
		constraints[name] = true
		return checkNames(name)
	}
	for _, k := range t.Checks {
		if err := in(part(KindConstraint, t.Name, k.Name), constraint(k.Name), checkExpression(k.Expression)); err != nil {
			return err
		}
	}
	for _, k := range t.ForeignKeys {
		if err := in(part(KindConstraint, t.Name, k.Name), constraint(k.Name), v.foreignKey(t, &k)); err != nil {
			return err
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint != nil {
			if err := in(part(KindConstraint, t.Name, x.Name), constraint(x.Name)); err != nil {
				return err
			}
		}
	}
	return v.relationParts(t.Name, t.Indexes, t.Triggers)
}

func (v *validator) foreignKey(t *Table, k *ForeignKey) error {
	if len(k.Columns) == 0 || len(k.Columns) != len(k.RefColumns) {
		return errors.New("its columns do not match")
	}
	actions := []string{"no action", "restrict", "cascade", "set null", "set default"}
	return errors.Join(v.hasColumns(t.Name, k.Columns...), v.hasColumns(t.Name, k.SetColumns...),
		oneOf("action", k.OnUpdate, actions...), oneOf("action", k.OnDelete, actions...))
}

func (v *validator) relationParts(n Name, indexes []Index, triggers []Trigger) error {
	for i := range indexes {
		x := &indexes[i]
		if err := in(part(KindIndex, n, x.Name), v.relation(KindIndex, Name{n.Schema, x.Name}), checkIndexParts(x)); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for i := range triggers {
		t := &triggers[i]
		o := part(KindTrigger, n, t.Name)
		if seen[t.Name] {
			return in(o, errors.New("it is there twice"))
		}
		seen[t.Name] = true
		err := in(o, checkNames(t.Name, t.Function.Schema, t.Function.Name),
			oneOf("state", t.Enabled, "origin", "disabled", "replica", "always"),
			about("events", checkEvents(t.Events)), about("definition", checkDetail(t.Detail)),
			about("arguments", checkList(t.Arguments)))
		if err != nil {
			return err
		}
	}
	return nil
}

func checkIndexParts(x *Index) error {
	err := errors.Join(about("definition", checkIndex(x.Definition)), checkOptions(x.Options))
	for _, s := range x.Statistics {
		if s.Column < 1 || s.Target < 0 {
			err = errors.Join(err, fmt.Errorf("statistics target %d of column %d", s.Target, s.Column))
		}
	}
	k := x.Constraint
	if k == nil {
		return err
	}
	err = errors.Join(err, oneOf("kind", k.Kind, PrimaryKey, Unique, Exclusion))
	if k.Definition != "" {
		return errors.Join(err, about("definition", checkKey(k.Definition)))
	}
	if k.Kind == Exclusion || !x.Unique {
		return errors.Join(err, errors.New("the index cannot back its constraint"))
	}
	return err
}

func (v *validator) views() error {
	for i := range v.m.Views {
		w := &v.m.Views[i]
		o := object(w.kind(), w.Name)
		err := in(o, v.relation(w.kind(), w.Name), checkNames(w.Owner), checkACL(w.ACL), checkOptions(w.Options),
			about("query", checkQuery(w.Query)))
		for _, c := range w.Columns {
			err = errors.Join(err, in(part(KindColumn, w.Name, c.Name), checkColumn(&Column{
				Name: c.Name, Type: c.Type, Default: c.Default, Storage: c.Storage, Compression: c.Compression,
				Options: c.Options, ACL: c.ACL})))
		}
		if err != nil {
			return err
		}
		if err := v.relationParts(w.Name, w.Indexes, w.Triggers); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) statistics() error {
	seen := map[Name]bool{}
	for _, s := range v.m.Statistics {
		o := object(KindStatistics, s.Name)
		if seen[s.Name] {
			return in(o, errors.New("it is there twice"))
		}
		seen[s.Name] = true
		err := in(o, checkNames(s.Schema, s.Name.Name, s.Owner), v.inSchema(s.Schema),
			about("definition", checkStatistics(s.Definition)))
		if err != nil {
			return err
		}
	}
	return nil
}

// references looks at what points from one object to another. A model with
// unsupported objects may point to these.
func (v *validator) references() error {
	if len(v.m.Unsupported) > 0 {
		return nil
	}
	for i := range v.m.Tables {
		t := &v.m.Tables[i]
		for _, k := range t.ForeignKeys {
			if err := in(part(KindConstraint, t.Name, k.Name), v.hasColumns(k.References, k.RefColumns...)); err != nil {
				return err
			}
		}
		for _, c := range t.Columns {
			if _, ok := v.lookup.identities[ColumnRef{t.Name, c.Name}]; ok != (c.Identity != "") {
				return in(part(KindColumn, t.Name, c.Name), errors.New("an identity column has one sequence, no other has any"))
			}
		}
	}
	for _, s := range v.m.Statistics {
		if v.relations[s.Table] == "" {
			return in(object(KindStatistics, s.Name), fmt.Errorf("table %s is not there", s.Table))
		}
	}
	return nil
}

func (v *validator) defaultPrivileges() error {
	for _, d := range v.m.DefaultPrivileges {
		o := Object{Kind: KindDefaultPrivilege, Name: d.Type + " of role " + d.Role}
		err := in(o, checkNames(d.Role), checkACL(d.ACL),
			oneOf("kind", d.Type, "tables", "sequences", "functions", "types", "schemas", "large objects"))
		if d.Schema != "" {
			err = errors.Join(err, in(o, v.inSchema(d.Schema)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
