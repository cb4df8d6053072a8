package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// Reading is complete by construction: the inventory lists every row above
// firstNormalOID of every system catalog, those of catalogs that a later
// PostgreSQL adds too, and each must be claimed by a reader, belong to an
// extension, to a session or to something unsupported, or be unsupported.

// firstNormalOID is the first OID that initdb does not hand out (PostgreSQL
// source, access/transam.h: FirstNormalObjectId).
const firstNormalOID = 16384

// entry is one object of the inventory.
type entry struct {
	namespace string // empty for what has none
	relkind   string // of relations
}

// edge is a row of pg_depend.
type edge struct {
	to      objectID
	sub     int32 // column of the dependent
	toSub   int32
	deptype string
}

// userSchemas is true for the schemas n that are neither the system's nor a
// session's.
const userSchemas = `(n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
	AND n.nspname !~ '^pg_(toast_)?temp_[0-9]+$')`

func (c *catalog) readDependencies(ctx context.Context) error {
	type row struct {
		Class, Refclass       string
		Objid, Refobjid       uint32
		Objsubid, Refobjsubid int32
		Deptype               string
	}
	sql := fmt.Sprintf(`SELECT classid::regclass::text AS class, objid, objsubid,
			refclassid::regclass::text AS refclass, refobjid, refobjsubid, deptype::text
		FROM pg_depend WHERE objid >= %d AND refobjid >= %[1]d
		ORDER BY classid, objid, objsubid, refclassid, refobjid, refobjsubid`, firstNormalOID)
	return load(ctx, c, "dependencies", sql, func(r row) {
		from := objectID{r.Class, r.Objid}
		c.edges[from] = append(c.edges[from], edge{
			to: objectID{r.Refclass, r.Refobjid}, sub: r.Objsubid, toSub: r.Refobjsubid, deptype: r.Deptype,
		})
	})
}

// catalogRow is a system catalog whose rows have an OID.
type catalogRow struct {
	Name      string
	Namespace *string // its column with the schema of an object
	Readable  bool
}

// readInventory leaves out large objects, whose OIDs a user chooses and which
// readOutside finds, and the labels of enums, which are no objects.
func (c *catalog) readInventory(ctx context.Context) error {
	hasOID := c.since(120000, `EXISTS (SELECT FROM pg_attribute o
		WHERE o.attrelid = c.oid AND o.attname = 'oid' AND o.attnum > 0)`, `c.relhasoids`)
	sql := fmt.Sprintf(`SELECT c.relname::text AS name, has_table_privilege(c.oid, 'SELECT') AS readable,
			(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
				AND a.attname ~ 'namespace$' AND a.attname NOT IN ('defaclnamespace', 'extnamespace')) AS namespace
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'pg_catalog' AND c.relkind = 'r' AND NOT c.relisshared AND c.oid < %d
			AND c.relname NOT IN ('pg_largeobject_metadata', 'pg_enum') AND %s
		ORDER BY c.relname`, firstNormalOID, hasOID)
	catalogs, err := query(ctx, c.q, sql, pgx.RowToStructByName[catalogRow])
	if err != nil {
		return fmt.Errorf("system catalogs: %w", err)
	}
	sql, err = inventorySQL(catalogs)
	if err != nil {
		return err
	}
	type row struct {
		Class, Namespace, Relkind string
		OID                       uint32
	}
	err = load(ctx, c, "inventory", sql, func(r row) {
		c.inventory[objectID{r.Class, r.OID}] = entry{namespace: r.Namespace, relkind: r.Relkind}
	})
	if err != nil {
		return err
	}
	c.skipForeign()
	return c.readOutside(ctx)
}

func inventorySQL(catalogs []catalogRow) (string, error) {
	var parts []string
	for _, k := range catalogs {
		from, oid := "pg_catalog."+pgmodel.QuoteIdent(k.Name), "oid"
		if k.Name == "pg_user_mapping" { // readable through its view alone
			from, oid = "pg_catalog.pg_user_mappings", "umid"
		} else if !k.Readable {
			return "", fmt.Errorf("no right to read %s", k.Name)
		}
		namespace, relkind := "0", "''"
		switch {
		case k.Namespace != nil:
			namespace = pgmodel.QuoteIdent(*k.Namespace)
		case k.Name == "pg_namespace":
			namespace = "oid"
		}
		if k.Name == "pg_class" {
			relkind = "relkind::text"
		}
		parts = append(parts, fmt.Sprintf(`SELECT %s AS class, %s AS oid, %s AS nsp, %s AS relkind FROM %s WHERE %[2]s >= %[6]d`,
			pgmodel.QuoteLiteral(k.Name), oid, namespace, relkind, from, firstNormalOID))
	}
	// An information_schema that someone made anew is still the system's.
	return fmt.Sprintf(`SELECT x.class, x.oid, x.relkind,
			CASE WHEN n.nspname = 'information_schema' AND n.oid >= %d THEN 'pg_toast'
				ELSE coalesce(n.nspname::text, '') END AS namespace
		FROM (%s) x LEFT JOIN pg_namespace n ON n.oid = x.nsp`,
		firstNormalOID, strings.Join(parts, " UNION ALL ")), nil
}

// skipForeign marks what is not the database's own: sessions' temporary
// objects, the insides of TOAST, members of extensions, collations that were
// imported from the operating system, and what depends on these as a part.
func (c *catalog) skipForeign() {
	for id, e := range c.inventory {
		switch {
		case e.namespace == "pg_toast" || strings.HasPrefix(e.namespace, "pg_temp_") ||
			strings.HasPrefix(e.namespace, "pg_toast_temp_"),
			id.class == "pg_collation" && e.namespace == "pg_catalog",
			slices.ContainsFunc(c.edges[id], func(d edge) bool { return d.deptype == "e" }):
			c.skipped[id] = true
		}
	}
	c.spread(c.skipped)
}

// spread adds to set all objects that are parts of one in it.
func (c *catalog) spread(set map[objectID]bool) {
	for grown := true; grown; {
		grown = false
		for id, e := range c.inventory {
			if set[id] || !isPart(id, e) {
				continue
			}
			if slices.ContainsFunc(c.edges[id], func(d edge) bool { return d.owns() && set[d.to] }) {
				set[id], grown = true, true
			}
		}
	}
}

// owns reports whether the dependent goes away with what it depends on.
func (d edge) owns() bool {
	return d.deptype == "i" || d.deptype == "a" || d.deptype == "P" || d.deptype == "S"
}

// isPart reports whether an object may be a mere part of another: anything
// but a relation with rows, a function, an operator class.
func isPart(id objectID, e entry) bool {
	if id.class == "pg_class" {
		return e.relkind == "i" || e.relkind == "I" || e.relkind == "c" || e.relkind == "S"
	}
	return id.class != "pg_proc" && id.class != "pg_opclass"
}

// readOutside finds what is in no system catalog with normal OIDs: large
// objects, subscriptions, security labels.
func (c *catalog) readOutside(ctx context.Context) error {
	subscriptions := c.since(100000, `SELECT 'subscription', subname::text FROM pg_subscription
		WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) UNION ALL`, "")
	sql := subscriptions + ` SELECT 'large object' AS kind, min(oid::text) || CASE count(*) WHEN 1 THEN ''
			ELSE ' and ' || count(*) - 1 || ' more' END AS name
		FROM pg_largeobject_metadata HAVING count(*) > 0
		UNION ALL SELECT 'security label', objtype || ' ' || objname FROM pg_seclabels
		WHERE objtype NOT IN ('role', 'tablespace') AND (objtype <> 'database' OR objoid = (SELECT oid FROM pg_database
			WHERE datname = current_database()))`
	type row struct {
		Kind pgmodel.Kind
		Name string
	}
	return load(ctx, c, "large objects, subscriptions, security labels", `SELECT * FROM (`+sql+`) x (kind, name)`,
		func(r row) { c.refuse(r.Kind, "", r.Name) })
}

// sweep names what no reader has claimed.
func (c *catalog) sweep(ctx context.Context) error {
	c.claimParts()
	for id := range c.inventory {
		if _, ok := c.claims[id]; !ok && !c.skipped[id] {
			c.left[id] = true
		}
	}
	names, err := c.identify(ctx, c.left)
	if err != nil {
		return err
	}
	for id, o := range names {
		c.claims[id] = pgmodel.Ref{Kind: o.Kind, Schema: o.Schema, Name: o.Name}
		if !c.partOfAny(id, c.left) {
			c.unsupported = append(c.unsupported, o)
		}
	}
	c.sweepEdges()
	return nil
}

// claimParts claims the row types, array types, rules and triggers that the
// server made along with what has been claimed.
func (c *catalog) claimParts() {
	for grown := true; grown; {
		grown = false
		for id := range c.inventory {
			if _, ok := c.claims[id]; ok || id.class != "pg_type" && id.class != "pg_trigger" && id.class != "pg_rewrite" {
				continue
			}
			for _, d := range c.edges[id] {
				if ref, ok := c.claims[d.to]; ok && d.deptype == "i" {
					c.claims[id], grown = ref, true
				}
			}
		}
	}
}

// partOfAny: the constructors of a range type are functions, and internal to
// it.
func (c *catalog) partOfAny(id objectID, set map[objectID]bool) bool {
	return slices.ContainsFunc(c.edges[id], func(d edge) bool {
		return set[d.to] && d.to != id && (d.deptype == "i" || d.owns() && isPart(id, c.inventory[id]))
	})
}

// identify asks the server what objects are.
func (c *catalog) identify(ctx context.Context, set map[objectID]bool) (map[objectID]pgmodel.Object, error) {
	var classes, oids []string
	for id := range set {
		classes, oids = append(classes, pgmodel.QuoteLiteral(id.class)), append(oids, fmt.Sprint(id.oid))
	}
	out := map[objectID]pgmodel.Object{}
	if len(set) == 0 {
		return out, nil
	}
	sql := fmt.Sprintf(`SELECT x.class, x.oid, coalesce(o.type, '') AS type, coalesce(o.schema, '') AS schema,
			coalesce(o.name, '') AS name, coalesce(o.identity, '') AS identity, coalesce(t.typtype::text, '') AS typtype,
			coalesce(r.relkind::text || CASE WHEN %s THEN 'p' WHEN EXISTS (SELECT FROM pg_inherits i
				WHERE i.inhrelid = r.oid) THEN 'i' WHEN r.reloftype <> 0 THEN 'o' ELSE '' END, '') AS relkind
		FROM unnest(ARRAY[%s]::text[], ARRAY[%s]::oid[]) x (class, oid)
		LEFT JOIN pg_type t ON x.class = 'pg_type' AND t.oid = x.oid
		LEFT JOIN pg_class r ON x.class = 'pg_class' AND r.oid = x.oid,
		pg_identify_object(('pg_catalog.' || x.class)::regclass, x.oid, 0) o`,
		c.since(100000, "r.relispartition", "false"), strings.Join(classes, ","), strings.Join(oids, ","))
	err := load(ctx, c, "objects without a reader", sql, func(r identityRow) {
		out[objectID{r.Class, r.OID}] = r.object()
	})
	return out, err
}

type identityRow struct {
	Class, Type, Schema, Name, Identity, Typtype, Relkind string
	OID                                                   uint32
}

func (r identityRow) object() pgmodel.Object {
	o := pgmodel.Object{Kind: pgmodel.Kind(r.Type), Schema: r.Schema, Name: r.Name}
	if kinds := map[string]pgmodel.Kind{"e": "enum type", "d": "domain", "r": "range type", "m": "range type",
		"c": "composite type"}; kinds[r.Typtype] != "" {
		o.Kind = kinds[r.Typtype]
	}
	if kinds := map[string]pgmodel.Kind{"p": "partitioned table", "rp": "partition", "pp": "partition", "fp": "partition",
		"ri": "inherited table", "ro": "typed table", "fi": "foreign table", "f": "foreign table"}; kinds[r.Relkind] != "" {
		o.Kind = kinds[r.Relkind]
	}
	if o.Name == "" {
		o.Schema, o.Name = "", r.Identity
	}
	if o.Name == "" {
		o.Kind, o.Name = pgmodel.Kind("row of "+r.Class), fmt.Sprint(r.OID)
	}
	return o
}

// sweepEdges refuses what has no row of its own: ALTER … DEPENDS ON EXTENSION.
func (c *catalog) sweepEdges() {
	for id, edges := range c.edges {
		ref, claimed := c.claims[id]
		for _, d := range edges {
			if d.deptype == "x" && claimed && !c.skipped[id] {
				c.refuse("dependency on an extension of "+ref.Kind, ref.Schema, ref.Name)
			}
		}
	}
}

// sweepComments refuses comments that no reader took.
func (c *catalog) sweepComments() {
	for id := range c.comments {
		ref, claimed := c.claims[id.objectID]
		if claimed && !c.left[id.objectID] && !c.skipped[id.objectID] {
			c.refuse("comment on a part of "+ref.Kind, ref.Schema, ref.Name)
		}
	}
}
