package mysql

import (
	"context"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
)

const listNeighbours = `SELECT s.schema_name, COALESCE(t.table_name, ''), COALESCE(t.data_length + t.index_length, 0)
FROM information_schema.schemata s LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
WHERE s.schema_name <> DATABASE() ORDER BY 1, 2`

// ofServer are the server's own databases.
const ofServer = " mysql information_schema performance_schema sys "

// Neighbours lists the databases beside db's, ascending by name, without what
// restores have made. The server shows what the login has a right on.
func Neighbours(ctx context.Context, db *database.DB) ([]source.Neighbour, error) {
	lines, err := texts(ctx, db, listNeighbours)
	if err != nil {
		return nil, err
	}
	var list []source.Neighbour
	for _, line := range lines {
		if target.IsBeside(line[0]) {
			continue
		}
		if len(list) == 0 || list[len(list)-1].Name != line[0] {
			n := source.Neighbour{Name: line[0]}
			if strings.Contains(ofServer, " "+strings.ToLower(n.Name)+" ") {
				n.Closed = "belongs to the server itself"
			}
			list = append(list, n)
		}
		if line[1] == "" {
			continue
		}
		n := &list[len(list)-1]
		bytes, err := strconv.ParseInt(line[2], 10, 64)
		if err != nil {
			return nil, err
		}
		n.Bytes += bytes
		n.Tables = append(n.Tables, line[1])
	}
	return list, nil
}
