package schema

import (
	"context"

	"github.com/harbordb/harbordb/database"
)

// dialect is what differs between the engines.
type dialect struct {
	recorded  func(context.Context, database.Querier) (Record, error)
	migrators func(context.Context, database.Querier) ([]Migrator, error)
}

var dialects = map[database.Engine]dialect{
	database.PostgreSQL: {recorded: recordedPostgres, migrators: postgresMigrators},
	database.MySQL:      {recorded: recordedMySQL, migrators: mysqlMigrators},
}

// column returns the values of a query with one column.
func column[T any](ctx context.Context, q database.Querier, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
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
	return list, rows.Err()
}
