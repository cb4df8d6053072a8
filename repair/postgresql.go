package repair

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresql is written for PostgreSQL 9.6 and later.
var postgresql = &dialect{
	bind: numbered,
	text: func(column string) string { return column + "::text" },
	cast: func(e string, c Column) string { return e + "::text::" + c.Type },

	before: func(time.Duration) []string { return nil },
	within: pinPostgres,

	columns: `select n.nspname::text, a.attname::text, quote_ident(tn.nspname) || '.' || quote_ident(t.typname), false
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			and coalesce(to_jsonb(a) ->> 'attgenerated', '') = '' -- from 12 on
		join pg_catalog.pg_type t on t.oid = a.atttypid join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
		where c.relname = ? and c.relkind in ('r', 'p') and pg_catalog.pg_table_is_visible(c.oid) order by a.attnum`,
	indexed: `select exists (select from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
		where n.nspname = ? and c.relname = ? and a.attname = ? and i.indisvalid and i.indpred is null)`,
	zone:  `select reset_val from pg_catalog.pg_settings where name = 'TimeZone'`,
	clock: `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), (clock_timestamp() at time zone ?)::timestamp::text`,
	age: func(columns ...string) string {
		// Year 1 is Go's zero time, which Harbor wrote for "not yet".
		ages := make([]string, len(columns))
		for i, c := range columns {
			ages[i] = fmt.Sprintf("case when %s > '0002-01-01' and isfinite(%[1]s) then extract(epoch from ?::text::timestamp - %[1]s)::bigint end", c)
		}
		return "least(" + strings.Join(ages, ", ") + ")"
	},

	rowLock: " for no key update",
	updateRows: func(table, key string, columns []Column, _ []string, n int) string {
		var sets, names, first strings.Builder
		for i, c := range columns {
			fmt.Fprintf(&sets, ", %s = v.c%d::%s", c.quoted, i, c.Type)
			fmt.Fprintf(&names, ", c%d", i)
			first.WriteString(", ?::text")
		}
		rows := strings.Repeat(", ("+marks(1+len(columns), "?")+")", n-1)
		return fmt.Sprintf("update %s as t set %s from (values (?::bigint%s)%s) as v (k%s) where t.%s = v.k",
			table, sets.String()[2:], first.String(), rows, names.String(), key)
	},

	triggers: `select t.tgname::text, case t.tgenabled when 'A' then 'enable always' else 'enable' end from pg_catalog.pg_trigger t
		join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		join pg_catalog.pg_proc p on p.oid = t.tgfoid
		where n.nspname = ? and c.relname = ? and not t.tgisinternal and t.tgenabled in ('O', 'A')
		and p.proname = 'update_update_time_at_column' order by 1`,

	versionTable: "schema_migrations",
	parseVersion: parseMigration,
	writeVersion: forcePostgres,
	lockVersion:  lockPostgres,
	trouble:      postgresTrouble,
}

// pinPostgres is independent of what a role or a database has as defaults.
// synchronous_commit is only ever switched on: the journal's mark must not
// outlive a COMMIT that a crash of the server takes back. Without row_security
// a policy that hides rows is an error, and not a plan of half of them.
// Compiling costs more than these statements take.
func pinPostgres(wait time.Duration) []string {
	return []string{fmt.Sprintf(`select set_config('lock_timeout', '%dms', true), set_config('statement_timeout', '0', true),
		set_config('idle_in_transaction_session_timeout', '0', true),
		set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
		set_config('timezone', 'UTC', true), set_config('extra_float_digits', '3', true), set_config('bytea_output', 'hex', true),
		set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on'
			else current_setting('synchronous_commit') end, true), set_config('row_security', 'off', true),
		(select count(set_config(name, value, true)) from pg_catalog.pg_settings
			join (values ('jit', 'off'), ('transaction_timeout', '0')) as newer (name, value) using (name))`, max(1, wait.Milliseconds()))}
}

// numbered turns ? into $1, $2 and so on.
func numbered(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

func postgresTrouble(err error) trouble {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return failed
	case !errors.As(err, &pg):
		return unknown
	}
	switch pg.Code {
	case "42501":
		return denied
	case "25006":
		return readOnly
	case "55P03":
		return locked
	case "40P01", "40001":
		return deadlock
	}
	if strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") {
		return unknown // the session was ended; a COMMIT may have been before it
	}
	return failed
}
