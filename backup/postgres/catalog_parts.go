package postgres

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// enforced is a constraint's column that PostgreSQL 18 has added.
func (c *catalog) enforced() string { return c.since(180000, "k.conenforced", "true") }

type checkRow struct {
	OID, Relation              uint32
	Name, Expression           string
	Valid, NoInherit, Enforced bool
}

func (c *catalog) readChecks(ctx context.Context) error {
	sql := fmt.Sprintf(`SELECT k.oid, k.conrelid AS relation, k.conname::text AS name, pg_get_expr(k.conbin, k.conrelid) AS expression,
			k.convalidated AS valid, k.connoinherit AS no_inherit, %s AS enforced
		FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
		WHERE k.contype = 'c' AND k.conrelid <> 0 AND `+userSchemas, c.enforced())
	return load(ctx, c, "check constraints", sql, func(r checkRow) {
		if c.claimPart("pg_constraint", r.OID, r.Relation) {
			c.checks[r.Relation] = append(c.checks[r.Relation], r)
		}
	})
}

// claimPart claims what belongs to a relation if that is claimed.
func (c *catalog) claimPart(class string, oid, relation uint32) bool {
	ref, ok := c.claims[objectID{"pg_class", relation}]
	if ok {
		c.claim(class, oid, ref)
	}
	return ok
}

type foreignKeyRow struct {
	OID, Relation             uint32
	Name                      string
	RefSchema, RefName        string
	Columns, RefColumns       []string
	SetColumns                []string
	OnUpdate, OnDelete, Match string
	Deferrable, Deferred      bool
	Valid, Enforced, Period   bool
}

func (c *catalog) readForeignKeys(ctx context.Context) error {
	names := func(numbers, relation string) string {
		return fmt.Sprintf(`ARRAY(SELECT a.attname::text FROM unnest(%s) WITH ORDINALITY x (number, position)
			JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = x.number ORDER BY x.position)`, numbers, relation)
	}
	sql := fmt.Sprintf(`SELECT k.oid, k.conrelid AS relation, k.conname::text AS name,
			rn.nspname::text AS ref_schema, r.relname::text AS ref_name, %s AS columns, %s AS ref_columns, %s AS set_columns,
			k.confupdtype::text AS on_update, k.confdeltype::text AS on_delete, k.confmatchtype::text AS match,
			k.condeferrable AS deferrable, k.condeferred AS deferred, k.convalidated AS valid, %s AS enforced, %s AS period
		FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
		JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
		WHERE k.contype = 'f' AND `+userSchemas,
		names("k.conkey", "k.conrelid"), names("k.confkey", "k.confrelid"),
		c.since(150000, names("k.confdelsetcols", "k.conrelid"), "'{}'::text[]"), c.enforced(),
		c.since(180000, "k.conperiod", "false"))
	return load(ctx, c, "foreign keys", sql, func(r foreignKeyRow) {
		if c.claimPart("pg_constraint", r.OID, r.Relation) {
			c.foreignKeys[r.Relation] = append(c.foreignKeys[r.Relation], r)
		}
	})
}

type indexRow struct {
	OID, Relation, Constraint  uint32
	Name, Definition           string
	Unique, Valid              bool
	Clustered, ReplicaIdentity bool
	Tablespace                 bool
	ConstraintKind             string
	Deferrable, Deferred       bool
	Options                    []string
	ConstraintDefinition       string // where the index alone does not say it
}

func (c *catalog) readIndexes(ctx context.Context) error {
	full := c.since(180000, "k.contype = 'x' OR k.conperiod", "k.contype = 'x'")
	sql := fmt.Sprintf(`SELECT i.indexrelid AS oid, i.indrelid AS relation, coalesce(k.oid, 0) AS constraint, r.relname::text AS name,
			pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS unique, coalesce(r.reloptions, '{}') AS options,
			i.indisvalid AND i.indisready AND i.indislive AS valid, i.indisclustered AS clustered,
			i.indisreplident AS replica_identity, r.reltablespace <> 0 AS tablespace,
			coalesce(k.contype::text, '') AS constraint_kind, coalesce(k.condeferrable, false) AS deferrable,
			coalesce(k.condeferred, false) AS deferred,
			CASE WHEN %s THEN pg_get_constraintdef(k.oid) ELSE '' END AS constraint_definition
		FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid JOIN pg_namespace n ON n.oid = r.relnamespace
		LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
		WHERE r.relkind = 'i' AND `+userSchemas, full)
	err := load(ctx, c, "indexes", sql, c.takeIndex)
	if err != nil {
		return err
	}
	return c.readIndexTargets(ctx)
}

func (c *catalog) takeIndex(r indexRow) {
	if !c.claimPart("pg_class", r.OID, r.Relation) {
		return
	}
	relation := c.claims[objectID{"pg_class", r.Relation}]
	name := relation.Name + "." + r.Name
	if r.Constraint != 0 {
		c.claim("pg_constraint", r.Constraint, pgmodel.Ref{
			Kind: pgmodel.KindConstraint, Schema: relation.Schema, Name: relation.Name, Arguments: r.Name})
	}
	if !r.Valid {
		c.comment("pg_class", r.OID, 0)
		c.note(pgmodel.Object{Kind: pgmodel.KindIndex, Schema: relation.Schema, Name: name},
			"it is invalid, left behind by CREATE INDEX CONCURRENTLY, and is not carried")
		return
	}
	if r.Tablespace {
		c.refuse("tablespace of index", relation.Schema, name)
	}
	c.indexes[r.Relation] = append(c.indexes[r.Relation], r)
}

func (c *catalog) readIndexTargets(ctx context.Context) error {
	type row struct {
		Index          uint32
		Column, Target int
	}
	const sql = `SELECT a.attrelid AS index, a.attnum AS column, a.attstattarget::int AS target
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'i' AND a.attstattarget >= 0 AND a.attnum > 0 AND ` + userSchemas + ` ORDER BY a.attrelid, a.attnum`
	return load(ctx, c, "statistics targets of indexes", sql, func(r row) {
		c.indexTargets[r.Index] = append(c.indexTargets[r.Index], pgmodel.IndexStatistics{Column: r.Column, Target: r.Target})
	})
}

type triggerRow struct {
	OID, Relation, Constraint uint32
	Name, Definition, Enabled string
}

func (c *catalog) readTriggers(ctx context.Context) error {
	const sql = `SELECT t.oid, t.tgrelid AS relation, t.tgconstraint AS constraint, t.tgname::text AS name,
			pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE NOT t.tgisinternal AND ` + userSchemas
	err := load(ctx, c, "triggers", sql, func(r triggerRow) {
		if !c.claimPart("pg_trigger", r.OID, r.Relation) {
			return
		}
		if r.Constraint != 0 {
			c.claimPart("pg_constraint", r.Constraint, r.Relation)
		}
		c.triggers[r.Relation] = append(c.triggers[r.Relation], r)
	})
	if err != nil {
		return err
	}
	return c.readDisabledConstraints(ctx)
}

// readDisabledConstraints finds foreign keys that ALTER TABLE … DISABLE
// TRIGGER ALL has put out of force.
func (c *catalog) readDisabledConstraints(ctx context.Context) error {
	type row struct{ Schema, Relation, Constraint string }
	const sql = `SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS relation, k.conname::text AS constraint
		FROM pg_trigger t JOIN pg_constraint k ON k.oid = t.tgconstraint JOIN pg_class c ON c.oid = k.conrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE t.tgisinternal AND t.tgenabled <> 'O' AND ` + userSchemas + ` ORDER BY 1, 2, 3`
	return load(ctx, c, "disabled constraints", sql, func(r row) {
		c.note(pgmodel.Object{Kind: pgmodel.KindConstraint, Schema: r.Schema, Name: r.Relation + "." + r.Constraint},
			"its triggers are disabled here; they will be enabled where the snapshot is restored")
	})
}
