package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// The words for the letters that the catalog uses.
var (
	replicaIdentities = map[string]string{"n": "nothing", "f": "full", "i": "index"}
	storages          = map[string]string{"p": "plain", "e": "external", "m": "main", "x": "extended"}
	compressions      = map[string]string{"p": "pglz", "l": "lz4"}
	identities        = map[string]pgmodel.Identity{"a": pgmodel.IdentityAlways, "d": pgmodel.IdentityByDefault}
	generations       = map[string]pgmodel.Generated{"s": pgmodel.Stored, "v": pgmodel.Virtual}
	keyKinds          = map[string]pgmodel.KeyKind{"p": pgmodel.PrimaryKey, "u": pgmodel.Unique, "x": pgmodel.Exclusion}
	actions           = map[string]string{"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
	enabledStates     = map[string]string{"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
)

// letter returns the word for a letter; none stands for nothing. An unknown
// letter is a feature that the model does not have: it is refused.
func letter[T ~string](c *catalog, what, none, key string, words map[string]T, r relationRow) T {
	word, ok := words[key]
	if !ok && key != none {
		c.refuse(pgmodel.Kind(fmt.Sprintf("%s %q of %s", what, key, r.kind())), r.Schema, r.Name)
	}
	return word
}

func (c *catalog) addTables(m *pgmodel.Model) error {
	m.Tables = []pgmodel.Table{}
	for _, r := range c.relations {
		if r.kind() != pgmodel.KindTable {
			continue
		}
		t, err := c.table(r)
		if err != nil {
			return fmt.Errorf("table %s: %w", r.name(), err)
		}
		m.Tables = append(m.Tables, t)
	}
	slices.SortFunc(m.Tables, func(a, b pgmodel.Table) int { return byName(a.Name, b.Name) })
	return nil
}

func (c *catalog) table(r relationRow) (pgmodel.Table, error) {
	self := c.claims[objectID{"pg_class", r.OID}]
	needy := []objectID{{"pg_class", r.OID}}
	t := pgmodel.Table{
		Name: r.name(), Owner: r.Owner, Unlogged: r.Persistence == "u", Options: relationOptions(r),
		Checks: c.tableChecks(r), ForeignKeys: c.tableForeignKeys(r),
		ReplicaIdentity: letter(c, "replica identity", "d", r.Identity, replicaIdentities, r),
		ACL:             c.acl("pg_class", r.OID, 0), Comment: c.comment("pg_class", r.OID, 0),
	}
	for _, a := range c.columns[r.OID] {
		t.Columns = append(t.Columns, c.column(r, a))
		if a.Generated != "" {
			needy = append(needy, objectID{"pg_attrdef", a.DefaultOID})
		}
	}
	t.Needs = c.needs(self, needy...)
	var err error
	if t.Indexes, err = c.relationIndexes(r); err != nil {
		return t, err
	}
	t.Triggers, err = c.relationTriggers(r)
	return t, err
}

func relationOptions(r relationRow) []string {
	options := slices.Clone(r.Options)
	for _, o := range r.ToastOptions {
		options = append(options, "toast."+o)
	}
	return options
}

func (c *catalog) column(r relationRow, a columnRow) pgmodel.Column {
	column := pgmodel.Column{
		Name: a.Name, Type: a.Type, Default: a.Default,
		Identity:         letter(c, "identity", "", a.Identity, identities, r),
		Generated:        letter(c, "generated column", "", a.Generated, generations, r),
		Storage:          letter(c, "storage", "", a.Storage, storages, r),
		Compression:      letter(c, "compression", "", a.Compression, compressions, r),
		StatisticsTarget: a.Target, Options: a.Options,
		ACL: c.acl("pg_class", r.OID, a.Number), Comment: c.comment("pg_class", r.OID, a.Number),
	}
	if a.CollationName != "" {
		column.Collation = &pgmodel.Name{Schema: a.CollationSchema, Name: a.CollationName}
	}
	if a.NotNull {
		column.NotNull = &pgmodel.NotNull{
			Name: a.NotNullName, NotValid: !a.NotNullValid, NoInherit: a.NotNullNoInherit,
			Comment: c.comment("pg_constraint", a.NotNullOID, 0),
		}
	}
	if a.Generated == "" && a.DefaultOID != 0 {
		column.DefaultNeeds = c.needs(c.claims[objectID{"pg_class", r.OID}], objectID{"pg_attrdef", a.DefaultOID})
	}
	return column
}

func (c *catalog) tableChecks(r relationRow) []pgmodel.Check {
	var list []pgmodel.Check
	for _, k := range c.checks[r.OID] {
		id := objectID{"pg_constraint", k.OID}
		list = append(list, pgmodel.Check{
			Name: k.Name, Expression: k.Expression, NotValid: !k.Valid && k.Enforced, NoInherit: k.NoInherit,
			NotEnforced: !k.Enforced, Comment: c.comment(id.class, id.oid, 0), Needs: c.needs(c.claims[id], id),
		})
	}
	slices.SortFunc(list, func(a, b pgmodel.Check) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (c *catalog) tableForeignKeys(r relationRow) []pgmodel.ForeignKey {
	var list []pgmodel.ForeignKey
	for _, k := range c.foreignKeys[r.OID] {
		matches := map[string]string{"f": "full"}
		list = append(list, pgmodel.ForeignKey{
			Name: k.Name, Columns: k.Columns, RefColumns: k.RefColumns, SetColumns: k.SetColumns,
			References: pgmodel.Name{Schema: k.RefSchema, Name: k.RefName},
			OnUpdate:   letter(c, "foreign key action", "", k.OnUpdate, actions, r),
			OnDelete:   letter(c, "foreign key action", "", k.OnDelete, actions, r),
			MatchFull:  letter(c, "foreign key match", "s", k.Match, matches, r) == "full",
			Period:     k.Period, Deferrable: k.Deferrable, Deferred: k.Deferred,
			NotValid: !k.Valid && k.Enforced, NotEnforced: !k.Enforced, Comment: c.comment("pg_constraint", k.OID, 0),
		})
	}
	slices.SortFunc(list, func(a, b pgmodel.ForeignKey) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (c *catalog) relationIndexes(r relationRow) ([]pgmodel.Index, error) {
	var list []pgmodel.Index
	for _, k := range c.indexes[r.OID] {
		definition, err := pgmodel.SplitIndex(k.Definition, r.name())
		if err != nil {
			return nil, fmt.Errorf("definition of index %s: %w", k.Name, err)
		}
		index := pgmodel.Index{
			Name: k.Name, Unique: k.Unique, Definition: definition, Options: k.Options, Clustered: k.Clustered,
			ReplicaIdentity: k.ReplicaIdentity, Statistics: c.indexTargets[k.OID],
			Comment: c.comment("pg_class", k.OID, 0),
			Needs: c.needs(c.claims[objectID{"pg_class", r.OID}],
				objectID{"pg_class", k.OID}, objectID{"pg_constraint", k.Constraint}),
		}
		if k.Constraint != 0 {
			index.Constraint = &pgmodel.Key{
				Kind: keyKinds[k.ConstraintKind], Deferrable: k.Deferrable, Deferred: k.Deferred,
				Definition: k.ConstraintDefinition, Comment: c.comment("pg_constraint", k.Constraint, 0),
			}
		}
		list = append(list, index)
	}
	slices.SortFunc(list, func(a, b pgmodel.Index) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (c *catalog) relationTriggers(r relationRow) ([]pgmodel.Trigger, error) {
	var list []pgmodel.Trigger
	for _, k := range c.triggers[r.OID] {
		t := pgmodel.Trigger{
			Name: k.Name, Enabled: letter(c, "trigger state", "", k.Enabled, enabledStates, r),
			Comment: c.comment("pg_trigger", k.OID, 0),
			Needs:   c.needs(c.claims[objectID{"pg_class", r.OID}], objectID{"pg_trigger", k.OID}),
		}
		if err := pgmodel.SplitTrigger(k.Definition, &t); err != nil {
			return nil, fmt.Errorf("definition of trigger %s: %w", k.Name, err)
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b pgmodel.Trigger) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (c *catalog) addViews(m *pgmodel.Model) error {
	m.Views = []pgmodel.View{}
	rules := c.rules()
	for _, r := range c.relations {
		if r.kind() == pgmodel.KindTable {
			continue
		}
		v, err := c.view(r, rules[objectID{"pg_class", r.OID}])
		if err != nil {
			return fmt.Errorf("%s %s: %w", r.kind(), r.name(), err)
		}
		m.Views = append(m.Views, v)
	}
	slices.SortFunc(m.Views, func(a, b pgmodel.View) int { return byName(a.Name, b.Name) })
	return nil
}

func (c *catalog) view(r relationRow, rules []objectID) (pgmodel.View, error) {
	id := objectID{"pg_class", r.OID}
	query, err := pgmodel.SplitView(r.Query)
	if err != nil {
		return pgmodel.View{}, fmt.Errorf("definition: %w", err)
	}
	v := pgmodel.View{
		Name: r.name(), Materialized: r.Kind == "m", Populated: r.Kind == "m" && r.Populated, Query: query,
		Options: relationOptions(r), Owner: r.Owner,
		ACL: c.acl(id.class, id.oid, 0), Comment: c.comment(id.class, id.oid, 0),
		Needs: c.needs(c.claims[id], append(rules, id)...),
	}
	for _, a := range c.columns[r.OID] {
		t := c.column(r, a)
		v.Columns = append(v.Columns, pgmodel.ViewColumn{
			Name: t.Name, Type: t.Type, Default: t.Default, Storage: t.Storage, Compression: t.Compression,
			StatisticsTarget: t.StatisticsTarget, Options: t.Options, ACL: t.ACL, Comment: t.Comment, DefaultNeeds: t.DefaultNeeds,
		})
	}
	if v.Indexes, err = c.relationIndexes(r); err != nil {
		return v, err
	}
	v.Triggers, err = c.relationTriggers(r)
	return v, err
}

// rules returns the rules that each view consists of: they hold what its query
// depends on.
func (c *catalog) rules() map[objectID][]objectID {
	rules := map[objectID][]objectID{}
	for id, edges := range c.edges {
		for _, d := range edges {
			if id.class == "pg_rewrite" && d.deptype == "i" {
				rules[d.to] = append(rules[d.to], id)
			}
		}
	}
	return rules
}
