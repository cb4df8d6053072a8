package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// assemble makes the model of what the readers have taken.
func (c *catalog) assemble() (*pgmodel.Model, error) {
	m := &pgmodel.Model{
		Format: pgmodel.FormatVersion, Major: c.server / 10000, Database: c.database,
		Schemas: c.assembleSchemas(), Extensions: c.assembleExtensions(), Sequences: c.assembleSequences(),
		DefaultPrivileges: c.assembleDefaultPrivileges(),
	}
	for _, step := range []func(*pgmodel.Model) error{c.addFunctions, c.addTables, c.addViews, c.addStatistics} {
		if err := step(m); err != nil {
			return nil, err
		}
	}
	c.sweepComments()
	m.Unsupported = compactObjects(c.unsupported)
	m.Notes = c.notes
	slices.SortFunc(m.Notes, func(a, b pgmodel.Note) int { return strings.Compare(a.String(), b.String()) })
	return m, nil
}

// needs returns what the objects depend on, apart from self and from what is
// always there.
func (c *catalog) needs(self pgmodel.Ref, ids ...objectID) []pgmodel.Ref {
	var refs []pgmodel.Ref
	for _, id := range ids {
		for _, d := range c.edges[id] {
			ref, ok := c.claims[d.to]
			own := ref.Schema == self.Schema && ref.Name == self.Name && ref.Kind != pgmodel.KindFunction &&
				ref.Kind != pgmodel.KindProcedure || ref == self
			if ok && !own && ref.Kind != pgmodel.KindSchema && !c.skipped[d.to] && d.deptype != "x" {
				refs = append(refs, ref)
			}
		}
	}
	slices.SortFunc(refs, pgmodel.CompareRefs)
	return slices.Compact(refs)
}

func (c *catalog) assembleSchemas() []pgmodel.Schema {
	list := []pgmodel.Schema{}
	for _, r := range c.schemas {
		list = append(list, pgmodel.Schema{
			Name: r.Name, Owner: r.Owner,
			ACL: c.acl("pg_namespace", r.OID, 0), Comment: c.comment("pg_namespace", r.OID, 0),
		})
	}
	slices.SortFunc(list, func(a, b pgmodel.Schema) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (c *catalog) assembleExtensions() []pgmodel.Extension {
	list := []pgmodel.Extension{}
	for _, r := range c.extensions {
		e := pgmodel.Extension{
			Name: r.Name, Schema: r.Schema, Version: r.Version, Schemas: r.Schemas,
			Comment: c.comment("pg_extension", r.OID, 0),
			Needs:   c.needs(pgmodel.Ref{}, objectID{"pg_extension", r.OID}),
		}
		for _, k := range c.config[r.OID] {
			name := pgmodel.Name{Schema: k.Schema, Name: k.Name}
			if k.Relkind == "S" {
				e.ConfigSequences = append(e.ConfigSequences, name)
			} else {
				e.Config = append(e.Config, pgmodel.ConfigTable{Table: name, Columns: k.Columns, Condition: k.Condition})
			}
		}
		slices.SortFunc(e.Config, func(a, b pgmodel.ConfigTable) int { return byName(a.Table, b.Table) })
		slices.SortFunc(e.ConfigSequences, byName)
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b pgmodel.Extension) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (c *catalog) assembleSequences() []pgmodel.Sequence {
	feeds := c.feeds()
	list := []pgmodel.Sequence{}
	for _, r := range c.sequences {
		s := pgmodel.Sequence{
			Name: pgmodel.Name{Schema: r.Schema, Name: r.Name}, Type: r.Type, Start: r.Start, Increment: r.Increment,
			Min: r.Min, Max: r.Max, Cache: r.Cache, Cycle: r.Cycle, Unlogged: r.Persistence == "u",
			Feeds: feeds[r.OID], Owner: r.Owner,
			ACL: c.acl("pg_class", r.OID, 0), Comment: c.comment("pg_class", r.OID, 0),
		}
		if c.own(&s, objectID{"pg_class", r.OID}) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b pgmodel.Sequence) int { return byName(a.Name, b.Name) })
	return list
}

// own sets the column that owns a sequence. It returns false for a sequence
// that is a part of an unsupported table.
func (c *catalog) own(s *pgmodel.Sequence, id objectID) bool {
	for _, d := range c.edges[id] {
		if !d.owns() || d.to.class != "pg_class" {
			continue
		}
		if c.left[d.to] {
			return false
		}
		i := slices.IndexFunc(c.columns[d.to.oid], func(r columnRow) bool { return r.Number == d.toSub })
		if ref := c.claims[d.to]; i >= 0 {
			s.OwnedBy = &pgmodel.ColumnRef{
				Table: pgmodel.Name{Schema: ref.Schema, Name: ref.Name}, Column: c.columns[d.to.oid][i].Name,
			}
			s.Identity = d.deptype == "i"
		}
	}
	return true
}

// feeds returns for each sequence the columns whose default depends on it.
func (c *catalog) feeds() map[uint32][]pgmodel.ColumnRef {
	out := map[uint32][]pgmodel.ColumnRef{}
	for attrdef, column := range c.columnOf {
		for _, d := range c.edges[objectID{"pg_attrdef", attrdef}] {
			if c.inventory[d.to].relkind == "S" && !slices.Contains(out[d.to.oid], column) {
				out[d.to.oid] = append(out[d.to.oid], column)
			}
		}
	}
	for _, columns := range out {
		slices.SortFunc(columns, func(a, b pgmodel.ColumnRef) int {
			return cmp.Or(byName(a.Table, b.Table), strings.Compare(a.Column, b.Column))
		})
	}
	return out
}

func (c *catalog) assembleDefaultPrivileges() []pgmodel.DefaultPrivilege {
	list := []pgmodel.DefaultPrivilege{}
	for _, r := range c.defaults {
		list = append(list, pgmodel.DefaultPrivilege{
			Role: r.Role, Schema: r.Schema, Type: r.Type, ACL: c.acl("pg_default_acl", r.OID, 0),
		})
	}
	slices.SortFunc(list, func(a, b pgmodel.DefaultPrivilege) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Schema, b.Schema), strings.Compare(a.Type, b.Type))
	})
	return list
}

func (c *catalog) addFunctions(m *pgmodel.Model) error {
	m.Functions = []pgmodel.Function{}
	for _, r := range c.functions {
		name := pgmodel.Name{Schema: r.Schema, Name: r.Name}
		definition, err := pgmodel.SplitFunction(r.Definition, r.kind(), name)
		if err != nil {
			return fmt.Errorf("definition of %s %s: %w", r.kind(), name, err)
		}
		id := objectID{"pg_proc", r.OID}
		m.Functions = append(m.Functions, pgmodel.Function{
			Name: name, Kind: r.kind(), Arguments: r.Arguments, Language: r.Language, Definition: definition,
			Owner: r.Owner, ACL: c.acl(id.class, id.oid, 0), Comment: c.comment(id.class, id.oid, 0),
			Needs: c.needs(c.claims[id], id),
		})
	}
	slices.SortFunc(m.Functions, func(a, b pgmodel.Function) int {
		return cmp.Or(byName(a.Name, b.Name), strings.Compare(a.Arguments, b.Arguments))
	})
	return nil
}

func (c *catalog) addStatistics(m *pgmodel.Model) error {
	m.Statistics = []pgmodel.Statistics{}
	for _, r := range c.statistics {
		name := pgmodel.Name{Schema: r.Schema, Name: r.Name}
		definition, err := pgmodel.SplitStatistics(r.Definition)
		if err != nil {
			return fmt.Errorf("definition of statistics object %s: %w", name, err)
		}
		table := pgmodel.Name{Schema: r.TableSchema, Name: r.TableName}
		m.Statistics = append(m.Statistics, pgmodel.Statistics{
			Name: name, Table: table, Definition: definition, Target: r.Target, Owner: r.Owner,
			Comment: c.comment("pg_statistic_ext", r.OID, 0),
			Needs: c.needs(pgmodel.Ref{Kind: pgmodel.KindTable, Schema: table.Schema, Name: table.Name},
				objectID{"pg_statistic_ext", r.OID}),
		})
	}
	slices.SortFunc(m.Statistics, func(a, b pgmodel.Statistics) int { return byName(a.Name, b.Name) })
	return nil
}
