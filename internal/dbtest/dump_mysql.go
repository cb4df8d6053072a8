package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// mysqlRows lists the tables; views are read through their definition alone.
const mysqlRows = `
SELECT CONCAT('table ', table_name), CONCAT('SELECT * FROM ` + "`', REPLACE(table_name, '`', '``'), '`" + `')
FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`

// mysqlDefinitions lists all objects that have a CREATE statement.
const mysqlDefinitions = `
SELECT CONCAT('definition of ', LOWER(kind), ' ', name), CONCAT('SHOW CREATE ', kind, ' ` + "`', REPLACE(name, '`', '``'), '`" + `')
FROM (
	SELECT IF(table_type = 'VIEW', 'VIEW', 'TABLE') AS kind, table_name AS name
	FROM information_schema.tables WHERE table_schema = DATABASE()
	UNION ALL SELECT 'TRIGGER', trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()
	UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
	UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = DATABASE()
) AS objects`

// dumpMySQL is of one moment for InnoDB tables only.
func dumpMySQL(ctx context.Context, conn *sql.Conn) (Contents, error) {
	err := execAll(ctx, conn,
		"SET SESSION time_zone = '+00:00', sql_mode = '', sql_quote_show_create = 1",
		"SET NAMES utf8mb4",
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT",
	)
	if err != nil {
		return nil, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	contents := Contents{}
	for _, query := range []string{mysqlRows, mysqlDefinitions} {
		list, err := entries(ctx, conn, query)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if contents[e.name], err = mysqlLines(ctx, conn, e.query); err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	return contents, nil
}

func mysqlLines(ctx context.Context, conn *sql.Conn, query string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.RawBytes, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	lines := []string{}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		lines = append(lines, mysqlLine(values))
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

func mysqlLine(values []sql.RawBytes) string {
	escape := strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n")
	fields := make([]string, len(values))
	for i, value := range values {
		fields[i] = "\\N"
		if value != nil {
			fields[i] = escape.Replace(string(value))
		}
	}
	return strings.Join(fields, "\t")
}
