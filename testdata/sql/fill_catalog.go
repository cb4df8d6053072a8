package harborsql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// table is what Fill has to know of a table.
type table struct {
	name    string
	columns []column
}

// column is what Fill has to know of a column.
type column struct {
	table     string
	name      string
	kind      string // name of the type in pg_type
	typeName  string // with modifiers, as SQL
	length    int    // of a varchar or char, else 0
	notNull   bool
	automatic bool // MySQL: AUTO_INCREMENT
	unique    bool // part of a primary key or of a unique index
	indexed   bool
	refTable  string // referenced by a foreign key, or empty
	refColumn string
	// castToJSONB tells that an index holds the column as jsonb, so that a
	// value must be that, too.
	castToJSONB bool
}

func (c column) isText() bool {
	return c.kind == "varchar" || c.kind == "bpchar" || c.kind == "text"
}

// limit is the highest number of runes, 0 for none.
func (c column) limit() int {
	if c.indexed && (c.length == 0 || c.length > indexedLength) {
		return indexedLength
	}
	return c.length
}

// canBeDistinct tells whether the column has room for as many values as there
// are rows. Each key of Harbor has such a column.
func (c column) canBeDistinct() bool {
	return c.isText() && c.limit() >= 16 || c.kind == "int4" || c.kind == "int8"
}

func (c column) holdsHuge() bool {
	return (c.kind == "text" || c.kind == "json") && !c.indexed && c.refTable == ""
}

// tableColumns lists the columns that an INSERT may name. There are no foreign
// keys of several columns in Harbor.
const tableColumns = `
	SELECT c.relname::text, a.attname::text, t.typname::text, format_type(a.atttypid, a.atttypmod),
		CASE WHEN t.typname IN ('varchar', 'bpchar') THEN greatest(a.atttypmod - 4, 0) ELSE 0 END,
		a.attnotnull,
		EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)),
		EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)),
		COALESCE(f.relname::text, ''), COALESCE(fa.attname::text, ''),
		EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL
			AND pg_get_indexdef(i.indexrelid) LIKE '%(' || a.attname || ')::jsonb%')
	FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid
	LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
	LEFT JOIN pg_class f ON f.oid = k.confrelid
	LEFT JOIN pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = k.confkey[1]
	WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
	ORDER BY c.relname, a.attnum`

// readTables returns the tables of the current schema, referenced tables
// before those that refer to them.
func readTables(ctx context.Context, db *sql.DB) ([]table, error) {
	rows, err := db.QueryContext(ctx, tableColumns)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []table
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name, &c.kind, &c.typeName, &c.length, &c.notNull,
			&c.unique, &c.indexed, &c.refTable, &c.refColumn, &c.castToJSONB); err != nil {
			return nil, err
		}
		tables = appendColumn(tables, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return inOrder(tables)
}

// appendColumn adds a column to the last table, or to a new one.
func appendColumn(tables []table, c column) []table {
	if n := len(tables); n == 0 || tables[n-1].name != c.table {
		tables = append(tables, table{name: c.table})
	}
	last := &tables[len(tables)-1]
	last.columns = append(last.columns, c)
	return tables
}

// inOrder sorts tables so that each comes after those it refers to.
func inOrder(tables []table) ([]table, error) {
	var sorted []table
	done := map[string]bool{}
	for len(tables) > 0 {
		ready := slices.IndexFunc(tables, func(t table) bool {
			return !slices.ContainsFunc(t.columns, func(c column) bool { return c.refTable != "" && !done[c.refTable] })
		})
		if ready < 0 {
			return nil, fmt.Errorf("foreign keys go round in a circle at %s", tables[0].name)
		}
		done[tables[ready].name] = true
		sorted = append(sorted, tables[ready])
		tables = slices.Delete(tables, ready, ready+1)
	}
	return sorted, nil
}
