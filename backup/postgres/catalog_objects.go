package postgres

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

type schemaRow struct {
	OID         uint32
	Name, Owner string
}

func (c *catalog) readSchemas(ctx context.Context) error {
	const sql = `SELECT n.oid, n.nspname::text AS name, pg_get_userbyid(n.nspowner)::text AS owner
		FROM pg_namespace n WHERE ` + userSchemas
	return load(ctx, c, "schemas", sql, func(r schemaRow) {
		if c.skip("pg_namespace", r.OID) {
			return
		}
		c.claim("pg_namespace", r.OID, pgmodel.Ref{Kind: pgmodel.KindSchema, Name: r.Name})
		c.schemas = append(c.schemas, r)
	})
}

type extensionRow struct {
	OID                   uint32
	Name, Schema, Version string
	Schemas               []string
}

// configRow is a relation of an extension whose rows belong to the user.
type configRow struct {
	Extension                        uint32
	Schema, Name, Relkind, Condition string
	Columns                          []string
}

func (c *catalog) readExtensions(ctx context.Context) error {
	const sql = `SELECT e.oid, e.extname::text AS name, n.nspname::text AS schema, e.extversion AS version,
			ARRAY(SELECT m.nspname::text FROM pg_depend d JOIN pg_namespace m ON m.oid = d.objid
				WHERE d.classid = 'pg_namespace'::regclass AND d.refclassid = 'pg_extension'::regclass
				AND d.refobjid = e.oid AND d.deptype = 'e' ORDER BY 1) AS schemas
		FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`
	err := load(ctx, c, "extensions", sql, func(r extensionRow) {
		c.claim("pg_extension", r.OID, pgmodel.Ref{Kind: pgmodel.KindExtension, Name: r.Name})
		c.extensions = append(c.extensions, r)
	})
	if err != nil {
		return err
	}
	generated := c.since(120000, "AND a.attgenerated = ''", "")
	config := fmt.Sprintf(`SELECT e.oid AS extension, n.nspname::text AS schema, c.relname::text AS name,
			c.relkind::text AS relkind, x.condition,
			ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
				AND NOT a.attisdropped %s ORDER BY a.attnum) AS columns
		FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) x (relation, condition)
		JOIN pg_class c ON c.oid = x.relation JOIN pg_namespace n ON n.oid = c.relnamespace`, generated)
	return load(ctx, c, "tables of extensions", config, func(r configRow) {
		c.config[r.Extension] = append(c.config[r.Extension], r)
	})
}

type functionRow struct {
	OID                                     uint32
	Schema, Name, Kind, Arguments, Language string
	Definition, Owner                       string
}

func (r functionRow) kind() pgmodel.Kind {
	if r.Kind == "p" {
		return pgmodel.KindProcedure
	}
	return pgmodel.KindFunction
}

func (c *catalog) readFunctions(ctx context.Context) error {
	sql := `SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, ` + c.since(110000, "p.prokind::text", "'f'") + ` AS kind,
			pg_get_function_identity_arguments(p.oid) AS arguments, l.lanname::text AS language,
			pg_get_functiondef(p.oid) AS definition, pg_get_userbyid(p.proowner)::text AS owner
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
		WHERE ` + userSchemas + ` AND ` + c.since(110000, "p.prokind IN ('f', 'p', 'w')", "NOT p.proisagg") + `
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))`
	return load(ctx, c, "functions", sql, func(r functionRow) {
		c.claim("pg_proc", r.OID, pgmodel.Ref{Kind: r.kind(), Schema: r.Schema, Name: r.Name, Arguments: r.Arguments})
		c.functions = append(c.functions, r)
	})
}

type sequenceRow struct {
	OID                              uint32
	Schema, Name, Owner, Persistence string
	Type                             string
	Start, Increment, Min, Max       int64
	Cache                            int64
	Cycle                            bool
}

func (c *catalog) readSequences(ctx context.Context) error {
	const columns = `SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name,
			pg_get_userbyid(c.relowner)::text AS owner, c.relpersistence::text AS persistence, `
	const from = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace %s WHERE c.relkind = 'S' AND ` + userSchemas
	sql := columns + `format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS min,
			s.seqmax AS max, s.seqcache AS cache, s.seqcycle AS cycle ` + fmt.Sprintf(from, "JOIN pg_sequence s ON s.seqrelid = c.oid")
	if c.server < 100000 {
		sql = columns + `'bigint' AS type, 0::bigint AS start, 0::bigint AS increment, 0::bigint AS min, 0::bigint AS max,
			0::bigint AS cache, false AS cycle ` + fmt.Sprintf(from, "")
	}
	err := load(ctx, c, "sequences", sql, func(r sequenceRow) {
		if c.skip("pg_class", r.OID) {
			return
		}
		c.claim("pg_class", r.OID, pgmodel.Ref{Kind: pgmodel.KindSequence, Schema: r.Schema, Name: r.Name})
		c.sequences = append(c.sequences, r)
	})
	if err == nil && c.server < 100000 {
		err = c.readOldSequences(ctx)
	}
	return err
}

// readOldSequences reads the parameters of sequences from their own rows,
// where they are before PostgreSQL 10.
func (c *catalog) readOldSequences(ctx context.Context) error {
	type row struct {
		Start, Increment, Min, Max, Cache int64
		Cycle                             bool
	}
	for i := range c.sequences {
		s := &c.sequences[i]
		name := pgmodel.Name{Schema: s.Schema, Name: s.Name}
		sql := `SELECT start_value AS start, increment_by AS increment, min_value AS min, max_value AS max,
			cache_value AS cache, is_cycled AS cycle FROM ` + name.SQL()
		err := load(ctx, c, "sequence "+name.String(), sql, func(r row) {
			s.Start, s.Increment, s.Min, s.Max, s.Cache, s.Cycle = r.Start, r.Increment, r.Min, r.Max, r.Cache, r.Cycle
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type statisticsRow struct {
	OID                    uint32
	Schema, Name, Owner    string
	TableSchema, TableName string
	Definition             string
	Target                 *int
}

func (c *catalog) readStatistics(ctx context.Context) error {
	if c.server < 100000 {
		return nil
	}
	sql := `SELECT s.oid, n.nspname::text AS schema, s.stxname::text AS name, pg_get_userbyid(s.stxowner)::text AS owner,
			tn.nspname::text AS table_schema, t.relname::text AS table_name, pg_get_statisticsobjdef(s.oid) AS definition,
			` + c.since(130000, "nullif(s.stxstattarget::int, -1)", "NULL::int") + ` AS target
		FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
		JOIN pg_class t ON t.oid = s.stxrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
		WHERE t.relkind = 'r' AND ` + userSchemas
	return load(ctx, c, "statistics objects", sql, func(r statisticsRow) {
		_, table := c.tableOf("pg_statistic_ext", r.OID)
		if c.skip("pg_statistic_ext", r.OID) || !table {
			return
		}
		c.claim("pg_statistic_ext", r.OID, pgmodel.Ref{Kind: pgmodel.KindStatistics, Schema: r.Schema, Name: r.Name})
		c.statistics = append(c.statistics, r)
	})
}

// tableOf returns the claimed table that an object belongs to.
func (c *catalog) tableOf(class string, oid uint32) (pgmodel.Ref, bool) {
	for _, d := range c.edges[objectID{class, oid}] {
		if ref, ok := c.claims[d.to]; ok && ref.Kind == pgmodel.KindTable {
			return ref, true
		}
	}
	return pgmodel.Ref{}, false
}
