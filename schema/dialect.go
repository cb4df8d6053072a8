package schema

import (
	"context"
	"errors"
	"slices"

	"github.com/go-sql-driver/mysql"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// dialect is what differs between the engines.
type dialect struct {
	recorded  func(context.Context, database.Querier) (Record, error)
	migrators func(context.Context, database.Querier) ([]Migrator, error)
	write     func(ctx context.Context, tx database.Querier, from, to Record) error
	// mayRead reports whether a table is there and the role sees all its
	// rows. What is asked of rows beside the catalog is left out where it
	// may not.
	mayRead func(ctx context.Context, q database.Querier, rec Record, table string) (bool, error)
	// mark reads the version in the name of a catalog file.
	mark func(name string) (Mark, error)
	// catalogQuery returns kind, table, name and definition of every object;
	// canonical makes a definition comparable.
	catalogQuery string
	catalogArgs  func(Record) []any
	canonical    func(Kind, string) (canonical, sequence string)
	// seeds are tables that are never empty; qualify names a table.
	seeds   []string
	qualify func(schema, table string) string
}

// dialectOf is a function because a dialect's functions look dialects up.
func dialectOf(e database.Engine) dialect {
	return map[database.Engine]dialect{
		database.PostgreSQL: {
			recorded:     recordedPostgres,
			migrators:    postgresMigrators,
			write:        writePostgres,
			mayRead:      postgresMayRead,
			mark:         versionMark,
			catalogQuery: pgCatalog,
			catalogArgs:  func(rec Record) []any { return []any{rec.Schema} },
			canonical:    canonicalPostgres,
			seeds:        []string{"harbor_user", "project", "role", "access"},
			qualify:      func(schema, table string) string { return database.PostgreSQL.QuoteIdent(schema, table) },
		},
		database.MySQL: {
			recorded:     recordedMySQL,
			migrators:    mysqlMigrators,
			write:        writeMySQL,
			mayRead:      mysqlMayRead,
			mark:         func(name string) (Mark, error) { return Mark{Alembic: name}, nil },
			catalogQuery: myCatalog,
			catalogArgs:  func(Record) []any { return nil },
			canonical:    canonicalMySQL,
			seeds:        []string{"user", "project", "role", "access"},
			qualify:      func(_, table string) string { return database.MySQL.QuoteIdent(table) },
		},
	}[e]
}

func versionMark(name string) (Mark, error) {
	v, err := ParseVersion(name)
	return Mark{Version: v}, err
}

func postgresMayRead(ctx context.Context, q database.Querier, rec Record, table string) (bool, error) {
	var may bool
	err := q.QueryRowContext(ctx, `select coalesce((
		select pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') and not pg_catalog.row_security_active(c.oid)
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2), false)`,
		rec.Schema, table).Scan(&may)
	return may, err
}

// mysqlMayRead: MySQL lists a table only for who may use it.
func mysqlMayRead(context.Context, database.Querier, Record, string) (bool, error) { return true, nil }

// explain turns a refusal of the server, and a lock that was not free in
// time, into faults that say what is needed; other errors stay as they are.
func explain(err error) error {
	var state interface{ SQLState() string }
	var my *mysql.MySQLError
	if errors.As(err, &state) && state.SQLState() == "55P03" || errors.As(err, &my) && my.Number == 1205 {
		return fault.Refusedf("%w", err).WithHint("another session holds the table, perhaps a migration: look again when it has ended")
	}
	denied := errors.As(err, &state) && state.SQLState() == "42501" ||
		errors.As(err, &my) && slices.Contains([]uint16{1044, 1142, 1143}, my.Number)
	if !denied {
		return err
	}
	return fault.Failedf("%w", err).WithHint("the role needs SELECT on Harbor's tables, USAGE on their schema, and the server's catalogs; connect as the role that Harbor uses")
}

// column returns the values of a query with one column.
func column[T any](ctx context.Context, q database.Querier, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, explain(rows.Err())
}
