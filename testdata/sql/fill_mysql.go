package harborsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// mySQLExtra are values that MySQL's utf8 can hold and PostgreSQL cannot. What
// needs four bytes in UTF-8 it cannot; those texts are left out.
var mySQLExtra = []string{"nul \x00 inside", "\x00", "trailing spaces   ", "it''s `quoted`", `\0\Z\%\_`}

// mySQLTimestamps are in UTC, within what the type can hold.
var mySQLTimestamps = []string{
	"0000-00-00 00:00:00",
	"1970-01-01 00:00:01",
	"2038-01-19 03:14:07",
	"2000-02-29 23:59:59",
	"2018-03-25 01:30:00",
}

// FillMySQL builds the schema of a release of the MySQL era in db, if db is
// empty, and adds rows to every table but alembic_version, as Fill does for
// PostgreSQL: texts that are hard to copy, zero dates, the highest and the
// lowest numbers, id 0 and ids below it. In every other table the next
// AUTO_INCREMENT value is far above the highest id.
func FillMySQL(ctx context.Context, db *sql.DB, version string) error {
	// One connection, so that session settings last.
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	// The settings below would stay with the connection; it is not used again.
	defer conn.Raw(func(any) error { return driver.ErrBadConn })
	tables, err := readMySQLTables(ctx, conn)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		if err := BuildMySQL(ctx, conn, version); err != nil {
			return err
		}
		if tables, err = readMySQLTables(ctx, conn); err != nil {
			return err
		}
	}
	// Zero dates and an id of 0 are no values to a strict server.
	const session = `SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 1`
	if _, err := conn.ExecContext(ctx, session); err != nil {
		return err
	}
	for i, t := range tables {
		if t.name == "alembic_version" {
			continue
		}
		if err := fillMySQLTable(ctx, conn, t, i); err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	return nil
}

func fillMySQLTable(ctx context.Context, conn *sql.Conn, t table, ordinal int) error {
	names := make([]string, len(t.columns))
	values := make([][]*string, len(t.columns))
	auto := false
	for i, c := range t.columns {
		names[i] = backquote(c.name)
		auto = auto || c.automatic
		var err error
		if values[i], err = c.mySQLValues(ctx, conn, i); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	// Row by row: all rows of a wide table in one packet are too much for an
	// old server.
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		backquote(t.name), strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1))
	if err := insertRows(ctx, conn, insert, values); err != nil {
		return err
	}
	if !auto || ordinal%2 == 0 {
		return nil
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", backquote(t.name), 500000+ordinal))
	return err
}

// insertRows runs insert for each row of values, which are by column, in one
// transaction.
func insertRows(ctx context.Context, conn *sql.Conn, insert string, values [][]*string) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for r := range rowsPerTable {
		args := make([]any, len(values))
		for i := range values {
			args[i] = values[i][r]
		}
		if _, err := tx.ExecContext(ctx, insert, args...); err != nil {
			return fmt.Errorf("row %d: %w", r, err)
		}
	}
	return tx.Commit()
}

func (c column) mySQLValues(ctx context.Context, conn *sql.Conn, offset int) ([]*string, error) {
	if c.refTable != "" {
		return c.mySQLReferences(ctx, conn, offset)
	}
	choices, err := c.mySQLChoices()
	if err != nil {
		return nil, err
	}
	return c.spread(choices, offset, c.mySQLDistinct), nil
}

// mySQLDistinct makes a value of r: the collation of Harbor's tables ignores
// case, accents and trailing spaces, so that texts which differ may be equal.
func (c column) mySQLDistinct(value string, r int) string {
	n := fmt.Sprint(1000 + r)
	if c.isText() {
		return cut(value, c.limit()-len(n)-1) + "~" + n
	}
	if r < 2 {
		return fmt.Sprint(-r) // 0 and -1
	}
	return n
}

func (c column) mySQLReferences(ctx context.Context, conn *sql.Conn, offset int) ([]*string, error) {
	query := fmt.Sprintf("SELECT %[1]s FROM %[2]s ORDER BY %[1]s LIMIT %[3]d",
		backquote(c.refColumn), backquote(c.refTable), rowsPerTable)
	keys, err := queryStrings(ctx, conn, query)
	if err != nil {
		return nil, err
	}
	return c.pick(keys, offset)
}

func (c column) mySQLChoices() ([]string, error) {
	switch c.kind {
	case "varchar", "bpchar", "text":
		return c.mySQLTexts(), nil
	case "int4":
		return integers(32), nil
	case "int2": // tinyint(1), a boolean that nobody keeps from being more
		return []string{"1", "0", "127", "-128"}, nil
	case "timestamp":
		return mySQLTimestamps, nil
	}
	return nil, fmt.Errorf("no values for type %s", c.typeName)
}

func (c column) mySQLTexts() []string {
	var out []string
	for _, s := range slices.Concat(texts, mySQLExtra) {
		if !strings.ContainsFunc(s, func(r rune) bool { return r > 0xffff }) {
			out = append(out, cut(s, c.limit()))
		}
	}
	if c.kind == "text" {
		out[0] = cut(hugeText(), 40000/3) // a text has 65,535 bytes
	}
	return out
}

func backquote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// mySQLColumns lists columns with the names of PostgreSQL's types, so that one
// column type serves both engines.
const mySQLColumns = `
	SELECT c.table_name, c.column_name,
		CASE c.data_type WHEN 'int' THEN 'int4' WHEN 'tinyint' THEN 'int2' WHEN 'char' THEN 'bpchar' ELSE c.data_type END,
		c.column_type, CASE WHEN c.data_type IN ('varchar', 'char') THEN c.character_maximum_length ELSE 0 END,
		c.is_nullable = 'NO', c.extra LIKE '%auto_increment%',
		EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = c.table_schema
			AND s.table_name = c.table_name AND s.column_name = c.column_name AND s.non_unique = 0),
		c.column_key <> '',
		coalesce(k.referenced_table_name, ''), coalesce(k.referenced_column_name, '')
	FROM information_schema.columns c
	LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema
		AND k.table_name = c.table_name AND k.column_name = c.column_name AND k.referenced_table_name IS NOT NULL
	WHERE c.table_schema = database()
	ORDER BY c.table_name, c.ordinal_position`

func readMySQLTables(ctx context.Context, conn *sql.Conn) ([]table, error) {
	rows, err := conn.QueryContext(ctx, mySQLColumns)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []table
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name, &c.kind, &c.typeName, &c.length, &c.notNull, &c.automatic,
			&c.unique, &c.indexed, &c.refTable, &c.refColumn); err != nil {
			return nil, err
		}
		tables = appendColumn(tables, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return inOrder(tables)
}
