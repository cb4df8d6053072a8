package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
)

const listNeighbours = `SELECT d.datname, ` + sizeOf + `,
  CASE WHEN d.datistemplate THEN 'is a template of the server' WHEN NOT d.datallowconn THEN 'takes no connections' ELSE '' END
FROM pg_catalog.pg_database d WHERE d.datname <> pg_catalog.current_database() ORDER BY d.datname`

// lookInto is into how many databases Neighbours looks: each is a connection.
const lookInto = 50

// Neighbours lists the databases beside db's, ascending by name, without what
// restores have made. It does not look into those that the login cannot
// connect to, nor into more than a few dozen.
func Neighbours(ctx context.Context, db *database.DB) ([]source.Neighbour, error) {
	rows, err := db.QueryContext(ctx, listNeighbours)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []source.Neighbour
	for rows.Next() {
		var n source.Neighbour
		if err := rows.Scan(&n.Name, &n.Bytes, &n.Closed); err != nil {
			return nil, err
		}
		if !target.IsBeside(n.Name) {
			list = append(list, n)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range min(len(list), lookInto) {
		if list[i].Closed == "" {
			list[i].Tables, err = tablesIn(ctx, db, list[i].Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// tablesIn returns nothing where the server refuses, or ends the session because
// somebody drops or renames the database at this moment.
func tablesIn(ctx context.Context, db *database.DB, name string) ([]string, error) {
	conn, err := connect(ctx, db, name)
	if sqlState(err) != "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	list, err := relations(ctx, conn)
	if strings.HasPrefix(sqlState(err), "57P") { // operator intervention
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = r.name
	}
	return names, nil
}
