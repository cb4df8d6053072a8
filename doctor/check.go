package doctor

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/schema"
)

// check is one question to the database.
type check struct {
	id       string
	severity Severity
	engine   database.Engine // "" is PostgreSQL
	// from and to are the schema versions it applies to; a to of 0 is every
	// later one. They mean nothing on MySQL, where needs decides.
	from, to schema.Version
	needs    []string // the columns it reads, as table.column
	// query returns one text a row: the row's ids and what is wrong with it.
	// {s} stands for the schema, {day} for the moment 24 hours ago, in the
	// form that Harbor stores.
	query string
	// ask answers instead of a query.
	ask    func(*examination) ([]string, error)
	text   string
	effect string
	fix    string
}

// allChecks are the checks in the order in which they are made.
func allChecks() []check {
	var list []check
	for _, part := range [][]check{bookkeepingChecks, mysqlChecks, replicationChecks, jobChecks, contentChecks, leftoverChecks} {
		list = append(list, part...)
	}
	return list
}

// applies reports whether the check is for this kind of database.
func (c check) applies(e database.Engine, at schema.Version) bool {
	if c.engine != "" || e != database.PostgreSQL {
		return c.engine == e
	}
	return at >= c.from && (c.to == 0 || at <= c.to)
}

// shown is how many rows a finding names.
const shown = 20

// run makes a check within a savepoint, so that one that the server refuses
// takes nothing else with it.
func (x *examination) run(c check) error {
	for _, need := range c.needs {
		table, column, _ := strings.Cut(need, ".")
		if !x.evidence.Has(table, column) {
			if x.engine == database.PostgreSQL {
				x.skip(c.id, "column %s is missing", need)
			}
			return nil
		}
	}
	if _, err := x.tx.ExecContext(x.ctx, "savepoint before_check"); err != nil {
		return fmt.Errorf("check %s: %w", c.id, err)
	}
	found, count, err := x.answer(c)
	if err != nil {
		if !refused(err) {
			return fmt.Errorf("check %s: %w", c.id, err)
		}
		if _, err := x.tx.ExecContext(x.ctx, "rollback to savepoint before_check"); err != nil {
			return fmt.Errorf("check %s: %w", c.id, err)
		}
		x.skip(c.id, "the server refused: %v", err)
		return nil
	}
	x.report.Checked = append(x.report.Checked, c.id)
	if count > 0 {
		x.find(Finding{ID: c.id, Severity: c.severity, Text: c.text, Count: count, Evidence: found, Effect: c.effect, Fix: c.fix})
	}
	return nil
}

// refused reports an error that the server gave to one statement; any other
// is one of the connection.
func refused(err error) bool {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	return errors.As(err, &pg) && pg.Code != "57014" || errors.As(err, &my)
}

// answer returns the first rows of a check and how many there are.
func (x *examination) answer(c check) ([]string, int, error) {
	if c.ask != nil {
		found, err := c.ask(x)
		return found[:min(shown, len(found))], len(found), err
	}
	query := strings.ReplaceAll(c.query, "{day}", dayAgo[x.engine])
	query = strings.ReplaceAll(query, "{s}", x.prefix())
	rows, err := x.tx.QueryContext(x.ctx, wrapped[x.engine](query))
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var found []string
	count := 0
	for rows.Next() {
		var text sql.NullString
		var total int
		if err := rows.Scan(&text, &total); err != nil {
			return nil, 0, err
		}
		count = max(count+1, total)
		if len(found) < shown {
			found = append(found, text.String)
		}
	}
	return found, count, rows.Err()
}

// prefix is what stands before a table's name.
func (x *examination) prefix() string {
	if x.evidence.Record.Schema == "" {
		return ""
	}
	return x.engine.QuoteIdent(x.evidence.Record.Schema) + "."
}

// wrapped makes a query of one column return its first rows and, beside them,
// how many there are; MySQL 5.6 has no way to say, and all rows come.
var wrapped = map[database.Engine]func(string) string{
	database.PostgreSQL: func(query string) string {
		return fmt.Sprintf("select found, count(*) over () from (%s) as x(found) limit %d", query, shown)
	},
	database.MySQL: func(query string) string { return "select found, 0 from (" + query + ") as x" },
}

// dayAgo is 24 hours ago. Up to 2.1 Harbor stored local times, which are as
// much as half a day off.
var dayAgo = map[database.Engine]string{
	database.PostgreSQL: "(pg_catalog.now() at time zone 'UTC' - interval '24 hours')",
	database.MySQL:      "(utc_timestamp() - interval 24 hour)",
}
