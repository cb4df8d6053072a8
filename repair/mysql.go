package repair

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// mysql is written for MySQL 5.6, MariaDB 10.2 and later.
var mysql = &dialect{
	bind: func(query string) string { return query },
	text: func(column string) string { return "cast(" + column + " as char)" },
	cast: func(e string, _ Column) string { return e },

	before: pinMySQL,
	within: func(time.Duration) []string { return nil },

	columns: `select c.table_schema, c.column_name, c.column_type, c.extra like '%on update%'
		from information_schema.columns c join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
		where c.table_schema = database() and c.table_name = ? and t.table_type not like '%VIEW'
		and c.extra not regexp 'virtual|stored|persistent' order by c.ordinal_position`,
	indexed: `select count(*) > 0 from information_schema.statistics
		where table_schema = ? and table_name = ? and column_name = ? and seq_in_index = 1`,
	zone:  `select '+00:00'`,
	clock: `select date_format(utc_timestamp(3), '%Y-%m-%dT%H:%i:%s.%fZ'), cast(convert_tz(utc_timestamp(), '+00:00', ?) as char)`,
	age: func(columns ...string) string {
		const never = "9223372036854775807"
		ages := []string{never}
		for _, c := range columns {
			ages = append(ages, fmt.Sprintf("coalesce(timestampdiff(second, %s, ?), %s)", c, never))
		}
		return "nullif(least(" + strings.Join(ages, ", ") + "), " + never + ")"
	},

	untransactional: `select coalesce(engine, table_type) from information_schema.tables
		where table_schema = ? and table_name = ? and coalesce(engine, '') <> 'InnoDB'`,

	hint:    " force index (primary)",
	rowLock: " for update",
	updateRows: func(table, key string, columns []Column, keep []string, n int) string {
		var sets, first, other strings.Builder
		for i, c := range columns {
			fmt.Fprintf(&sets, ", t.%s = v.c%d", c.quoted, i)
			fmt.Fprintf(&first, ", cast(? as char) as c%d", i)
			other.WriteString(", cast(? as char)")
		}
		for _, c := range keep {
			fmt.Fprintf(&sets, ", t.%s = t.%s", c, c)
		}
		rows := strings.Repeat(" union all select cast(? as signed)"+other.String(), n-1)
		return fmt.Sprintf("update (select cast(? as signed) as k%s%s) as v straight_join %s as t on t.%s = v.k set %s",
			first.String(), rows, table, key, sets.String()[2:])
	},

	versionTable: "alembic_version",
	parseVersion: parseAlembic,
	writeVersion: writeVersion,
	lockVersion:  lockNothing,
	trouble:      mysqlTrouble,
}

// pinMySQL shows columns of type timestamp in UTC, where no hour comes twice.
// Strict mode takes a value as it is or not at all; but zero dates are values
// that Harbor has. Waits for locks are whole seconds.
func pinMySQL(wait time.Duration) []string {
	seconds := max(1, int64(math.Ceil(wait.Seconds())))
	return []string{
		fmt.Sprintf(`set session lock_wait_timeout = %d, session innodb_lock_wait_timeout = %[1]d, session time_zone = '+00:00',
			session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', session sql_safe_updates = 0, session sql_big_selects = 1,
			session sql_select_limit = 18446744073709551615 /*M!100101 , session max_statement_time = 0 */`, seconds),
		`set names utf8mb4`,
	}
}

// mysqlTrouble reads error numbers that MySQL and MariaDB share.
func mysqlTrouble(err error) trouble {
	var my *driver.MySQLError
	if !errors.As(err, &my) {
		return unknown
	}
	switch my.Number {
	case 1044, 1142, 1143, 1227:
		return denied
	case 1290, 1792, 1836:
		return readOnly
	case 1205:
		return locked
	case 1213:
		return deadlock
	case 1176: // no such key to force
		return keyless
	case 1053, 1317, 1927, 3024:
		return unknown
	}
	return failed
}
