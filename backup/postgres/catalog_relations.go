package postgres

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// relationRow is a table, a view or a materialized view.
type relationRow struct {
	OID                           uint32
	Schema, Name, Owner           string
	Kind, Persistence, Identity   string
	Options, ToastOptions         []string
	Populated                     bool
	Query                         string // of views
	AccessMethod                  string
	RowSecurity, Tablespace, OIDs bool
	Typed, Inherits               bool
}

func (r relationRow) name() pgmodel.Name { return pgmodel.Name{Schema: r.Schema, Name: r.Name} }

func (r relationRow) kind() pgmodel.Kind {
	kinds := map[string]pgmodel.Kind{"v": pgmodel.KindView, "m": pgmodel.KindMaterializedView, "r": pgmodel.KindTable}
	return kinds[r.Kind]
}

// readRelations leaves unclaimed, and so unsupported, what is no ordinary
// table: partitions, tables that inherit, tables of a type.
func (c *catalog) readRelations(ctx context.Context) error {
	sql := fmt.Sprintf(`SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
			c.relkind::text AS kind, c.relpersistence::text AS persistence, c.relreplident::text AS identity,
			coalesce(c.reloptions, '{}') AS options, coalesce(t.reloptions, '{}') AS toast_options, c.relispopulated AS populated,
			CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END AS query,
			%s AS access_method, c.relrowsecurity OR c.relforcerowsecurity AS row_security,
			c.reltablespace <> 0 AS tablespace, %s AS oids, c.reloftype <> 0 AS typed,
			EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS inherits
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid %s
		WHERE c.relkind IN ('r', 'v', 'm') AND `+userSchemas,
		c.since(120000, "coalesce(am.amname::text, 'heap')", "'heap'"), c.since(120000, "false", "c.relhasoids"),
		c.since(120000, "LEFT JOIN pg_am am ON am.oid = c.relam", ""))
	return load(ctx, c, "tables and views", sql, func(r relationRow) {
		if c.skip("pg_class", r.OID) || r.Inherits || r.Typed {
			return
		}
		c.claim("pg_class", r.OID, pgmodel.Ref{Kind: r.kind(), Schema: r.Schema, Name: r.Name})
		c.relations = append(c.relations, r)
		c.refuseProperties(r)
	})
}

// refuseProperties names what is special about a relation that can be carried
// without it.
func (c *catalog) refuseProperties(r relationRow) {
	for _, p := range []struct {
		has  bool
		kind pgmodel.Kind
	}{
		{r.RowSecurity, "row security of table"},
		{r.Tablespace, "tablespace of " + r.kind()},
		{r.OIDs, "OIDs of table"},
		{r.AccessMethod != "heap", "access method of " + r.kind()},
	} {
		if p.has {
			c.refuse(p.kind, r.Schema, r.Name)
		}
	}
}

type columnRow struct {
	Relation                       uint32
	Number                         int32
	Name, Type                     string
	NotNull                        bool
	NotNullOID                     uint32 // of the constraint, from PostgreSQL 18 on
	NotNullName                    string
	NotNullValid, NotNullNoInherit bool
	DefaultOID                     uint32
	Default                        string
	Identity, Generated            string
	CollationSchema, CollationName string
	Storage, Compression           string
	Target                         *int
	Options                        []string
}

func (c *catalog) readColumns(ctx context.Context) error {
	notNull := c.since(180000, `coalesce(k.oid, 0) AS not_null_oid, coalesce(k.conname::text, '') AS not_null_name,
			coalesce(k.convalidated, true) AS not_null_valid, coalesce(k.connoinherit, false) AS not_null_no_inherit`,
		`0::oid AS not_null_oid, '' AS not_null_name, true AS not_null_valid, false AS not_null_no_inherit`)
	sql := fmt.Sprintf(`SELECT a.attrelid AS relation, a.attnum AS number, a.attname::text AS name,
			format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, %s,
			coalesce(d.oid, 0) AS default_oid, coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default,
			%s AS identity, %s AS generated,
			CASE WHEN a.attcollation <> t.typcollation THEN cn.nspname::text ELSE '' END AS collation_schema,
			CASE WHEN a.attcollation <> t.typcollation THEN co.collname::text ELSE '' END AS collation_name,
			CASE WHEN a.attstorage = t.typstorage THEN '' ELSE a.attstorage::text END AS storage, %s AS compression,
			nullif(a.attstattarget::int, -1) AS target, coalesce(a.attoptions, '{}') AS options
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_type t ON t.oid = a.atttypid
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace %s
		WHERE c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND `+userSchemas+`
		ORDER BY a.attrelid, a.attnum`, notNull,
		c.since(100000, "a.attidentity::text", "''"), c.since(120000, "a.attgenerated::text", "''"),
		c.since(140000, "a.attcompression::text", "''"),
		c.since(180000, "LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum", ""))
	return load(ctx, c, "columns", sql, c.takeColumn)
}

func (c *catalog) takeColumn(r columnRow) {
	relation, ok := c.claims[objectID{"pg_class", r.Relation}]
	if !ok {
		return
	}
	if r.DefaultOID != 0 {
		c.claim("pg_attrdef", r.DefaultOID, relation)
		c.columnOf[r.DefaultOID] = pgmodel.ColumnRef{
			Table: pgmodel.Name{Schema: relation.Schema, Name: relation.Name}, Column: r.Name,
		}
	}
	if r.NotNullOID != 0 {
		c.claim("pg_constraint", r.NotNullOID, relation)
	}
	c.columns[r.Relation] = append(c.columns[r.Relation], r)
}
