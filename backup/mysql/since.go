package mysql

import (
	"context"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// Since tells what the live database has that a snapshot of that time has
// not. Harbor of the MySQL era records pushes in access_log, and no garbage
// collections.
func (s *Server) Since(ctx context.Context, name string, moment time.Time) (target.Since, error) {
	var n int64
	row := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+mymodel.QuoteIdent(name, "access_log")+
		" WHERE operation = 'push' AND op_time > ?", moment.UTC().Format("2006-01-02 15:04:05.999999"))
	err := row.Scan(&n)
	const errBadField = 1054
	switch number(err) {
	case errNoSuchTable, errBadField:
		return target.Since{}, nil
	}
	if err != nil {
		return target.Since{}, fmt.Errorf("look into database %s: %w", name, err)
	}
	return target.Since{ArtifactsPushed: &n}, nil
}
