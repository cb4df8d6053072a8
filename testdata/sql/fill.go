package harborsql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// rowsPerTable is enough for each column to see each of its values.
const rowsPerTable = 32

// bookkeeping are the tables with exactly one row, which stay as they are.
var bookkeeping = []string{"schema_migrations", "alembic_version", "data_migrations"}

// Fill brings db to a schema version, as BuildPostgreSQL does, and adds rows to
// every table but the three with one row (schema_migrations, alembic_version,
// data_migrations), which keep that row.
//
// The rows are no plausible Harbor; they hold what a copy of a database gets
// wrong: every kind of text, time, number and JSON that a column of that type
// can hold, ids below zero and the highest, and a value of 1 MB where the type
// allows it. Keys and foreign keys are respected, and the same rows come out
// each time. One sequence in three stands at a value that was used, one at a
// value that was not, one where the seed rows left it; most stand behind the
// highest id of their table. A database can be filled once.
func Fill(ctx context.Context, db *sql.DB, version int) error {
	if err := BuildPostgreSQL(ctx, db, version); err != nil {
		return err
	}
	tables, err := readTables(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if slices.Contains(bookkeeping, t.name) {
			continue
		}
		if err := fillTable(ctx, db, t); err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	return moveSequences(ctx, db)
}

func fillTable(ctx context.Context, db *sql.DB, t table) error {
	values := make([][]*string, len(t.columns))
	for i, c := range t.columns {
		var err error
		if values[i], err = c.values(ctx, db, i); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	if i := slices.IndexFunc(t.columns, column.holdsHuge); i >= 0 {
		huge := hugeText()
		if t.columns[i].kind == "json" {
			huge = hugeDocument()
		}
		values[i][0] = &huge
	}
	rows := make([]string, rowsPerTable)
	var args []any
	for r := range rows {
		cells := make([]string, len(t.columns))
		for i, c := range t.columns {
			args = append(args, values[i][r])
			cells[i] = fmt.Sprintf("$%d::text::%s", len(args), c.typeName)
		}
		rows[r] = "(" + strings.Join(cells, ", ") + ")"
	}
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quote(c.name)
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES %s",
		quote(t.name), strings.Join(names, ", "), strings.Join(rows, ", "))
	_, err := db.ExecContext(ctx, insert, args...)
	return err
}

// values returns the column's value in each row; nil is NULL.
func (c column) values(ctx context.Context, db *sql.DB, offset int) ([]*string, error) {
	if c.refTable != "" {
		return c.references(ctx, db, offset)
	}
	choices, err := c.choices()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	return c.spread(choices, offset, func(value string, r int) string { return c.distinct(value, r, seen) }), nil
}

// spread hands out choices and, where the column takes it, NULL, in turn, so
// that each comes up. Columns start at different places in their lists, so
// that rows mix. In a key distinct makes a choice one that was not there yet.
func (c column) spread(choices []string, offset int, distinct func(value string, r int) string) []*string {
	out := make([]*string, rowsPerTable)
	for r := range out {
		n := (r + offset) % (len(choices) + 1)
		if n == len(choices) && !c.notNull {
			continue
		}
		value := choices[n%len(choices)]
		if c.unique && c.canBeDistinct() {
			value = distinct(value, r)
		}
		out[r] = &value
	}
	return out
}

// distinct returns value, or where it was there before, one made of r.
func (c column) distinct(value string, r int, seen map[string]bool) string {
	for seen[value] {
		if n := strconv.Itoa(1000 + r); c.isText() {
			value = cut(value, c.limit()-len(n)-1) + "~" + n
		} else {
			value = n
		}
	}
	seen[value] = true
	return value
}

func (c column) references(ctx context.Context, db *sql.DB, offset int) ([]*string, error) {
	query := fmt.Sprintf("SELECT %[1]s::text FROM %[2]s WHERE %[1]s IS NOT NULL ORDER BY %[1]s DESC LIMIT %[3]d",
		quote(c.refColumn), quote(c.refTable), rowsPerTable)
	keys, err := queryStrings(ctx, db, query)
	if err != nil {
		return nil, err
	}
	return c.pick(keys, offset)
}

// pick refers to each of the keys once, or in the first row to none.
func (c column) pick(keys []string, offset int) ([]*string, error) {
	if len(keys) < rowsPerTable {
		return nil, fmt.Errorf("%d rows in %s to refer to", len(keys), c.refTable)
	}
	out := make([]*string, rowsPerTable)
	for r := range out {
		if r > 0 || c.notNull {
			out[r] = &keys[(r+offset)%len(keys)]
		}
	}
	return out, nil
}

// choices lists the values that the column's type can hold.
func (c column) choices() ([]string, error) {
	switch c.kind {
	case "varchar", "bpchar", "text":
		return c.cutTexts(), nil
	case "int2":
		return integers(16), nil
	case "int4":
		return integers(32), nil
	case "int8":
		return integers(64), nil
	case "bool":
		return booleans, nil
	case "timestamp", "timestamptz":
		return timestamps, nil
	case "time":
		return times, nil
	case "float8":
		return floats, nil
	case "json":
		if c.castToJSONB {
			return documents, nil
		}
		return slices.Concat(documents, jsonOnly), nil
	case "jsonb":
		return documents, nil
	case "bytea":
		return byteStrings, nil
	}
	return nil, fmt.Errorf("no values for type %s", c.kind)
}

func (c column) cutTexts() []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = cut(s, c.limit())
	}
	return out
}

// moveSequences leaves sequences in all the states that there are.
func moveSequences(ctx context.Context, db *sql.DB) error {
	names, err := queryStrings(ctx, db, `
		SELECT relname::text FROM pg_class
		WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace
		ORDER BY relname`)
	if err != nil {
		return err
	}
	for i, name := range names {
		if i%3 == 2 {
			continue
		}
		called := i%3 == 0
		if _, err := db.ExecContext(ctx, `SELECT setval($1::text::regclass, $2, $3)`, quote(name), 5000+i, called); err != nil {
			return fmt.Errorf("move sequence %s: %w", name, err)
		}
	}
	return nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func queryStrings(ctx context.Context, db database.Querier, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
