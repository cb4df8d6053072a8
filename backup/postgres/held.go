package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/jackc/pgx/v5"
)

// readHeld reads the catalog as it is at the moment that is held.
//
// What the server prints of a view, a function or an index is its newest state
// and not that of the transaction's snapshot. So the catalogs are summed up
// within the snapshot before anything is printed, and outside of it after: if
// both are the same, nothing was changed in between, and the newest state was
// the one held. What is changed later, while rows are copied, does not matter.
func (s *Source) readHeld(ctx context.Context) (*pgmodel.Model, error) {
	leader := s.hold.leader
	sum, err := sumOfCatalogs(ctx, leader)
	if err != nil {
		return nil, err
	}
	held, err := catalogState(ctx, leader, sum)
	if err != nil {
		return nil, err
	}
	m, err := ReadCatalog(ctx, leader)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, s.db, s.name)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	now, err := catalogState(ctx, conn, sum)
	if err != nil || slices.Equal(held, now) {
		return m, err
	}
	for i, state := range now {
		if catalog, _, _ := strings.Cut(state, " "); state != held[i] && !ofOthers[catalog] {
			return nil, changedMeanwhile("system catalog " + catalog)
		}
	}
	return m, s.sameModel(ctx, m, conn)
}

// ofOthers are the catalogs in which somebody's temporary table is entered, and
// the roles of the whole server. What of them is read, the transaction's
// snapshot decides, so that reading all of it again shows a change that
// matters.
var ofOthers = map[string]bool{
	"pg_attrdef": true, "pg_attribute": true, "pg_class": true, "pg_constraint": true, "pg_depend": true, "pg_index": true,
	"pg_namespace": true, "pg_roles": true, "pg_sequence": true, "pg_type": true,
}

func changedMeanwhile(what string) error {
	return fault.Failedf("its schema changed while it was being read: %s", what).
		WithHint("run the backup again when no migration or maintenance is under way")
}

// sameModel reads the catalog once more, in the newest state: what has changed
// may be nothing that a snapshot holds, such as somebody's temporary table. It
// does not wait for whoever waits for a table that we hold.
func (s *Source) sameModel(ctx context.Context, m *pgmodel.Model, conn *pgx.Conn) error {
	if err := pin(ctx, conn.PgConn(), s.db.Server().Number, time.Second); err != nil {
		return err
	}
	now, err := ReadCatalog(ctx, conn)
	if sqlState(err) == "55P03" { // lock not available
		return fmt.Errorf("%w: %w", errTablesMoved, err)
	}
	if err != nil {
		return err
	}
	changed := pgmodel.Diff(m, now)
	if len(changed) == 0 {
		return nil
	}
	return changedMeanwhile(changed[0].String())
}

// listCatalogs lists the system catalogs of the database that may be read, but
// for those that change without a change of the schema: statistics and large
// objects.
const listCatalogs = `
SELECT relname FROM pg_catalog.pg_class
WHERE relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND relkind = 'r' AND NOT relisshared
AND pg_catalog.has_table_privilege(oid, 'SELECT')
AND relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata', 'pg_subscription_rel')
ORDER BY relname`

// ofServer sum up what concerns the database in the catalogs that all databases
// share, and the roles by name, because their catalog is for superusers.
const ofServer = `
SELECT pg_catalog.format('pg_database %s', xmin) FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() UNION ALL
SELECT pg_catalog.format('pg_db_role_setting %s %s', count(*), sum(s.xmin::text::bigint)) FROM pg_catalog.pg_db_role_setting s
  JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE d.datname = pg_catalog.current_database() UNION ALL
SELECT pg_catalog.format('pg_shdescription %s %s', count(*), sum(s.xmin::text::bigint)) FROM pg_catalog.pg_shdescription s
  JOIN pg_catalog.pg_database d ON d.oid = s.objoid AND s.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
  WHERE d.datname = pg_catalog.current_database() UNION ALL
SELECT pg_catalog.format('pg_roles %s %s', count(*), sum(pg_catalog.hashtext(oid::text || rolname::text)::bigint)) FROM pg_catalog.pg_roles`

// sumOfCatalogs returns a query whose result is another whenever a catalog is.
// A row that is written bears the number of its transaction, which is larger
// than all before, so that no change keeps both the number of rows and their
// sum. VACUUM and ANALYZE write in place.
func sumOfCatalogs(ctx context.Context, q rowQuerier) (sql string, err error) {
	names, err := query(ctx, q, listCatalogs, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("list system catalogs: %w", err)
	}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "SELECT pg_catalog.format('%[1]s %%s %%s', count(*), sum(xmin::text::bigint)) FROM pg_catalog.%[1]s UNION ALL ", name)
	}
	return b.String() + ofServer, nil
}

// catalogState sums the catalogs up, as the session sees them.
func catalogState(ctx context.Context, q rowQuerier, sum string) ([]string, error) {
	state, err := query(ctx, q, sum, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("sum up system catalogs: %w", err)
	}
	return state, nil
}
