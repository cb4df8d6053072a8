package harborsql

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// postgreSQLCatalog lists a database as the measured catalogs do: columns by
// table and position, indexes and constraints by table and name, triggers in
// the order of their creation, functions.
const postgreSQLCatalog = `
	SELECT line FROM (
		SELECT 1 AS kind, c.relname::text AS a, lpad(a.attnum::text, 5) AS b,
			concat_ws(E'\t', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
				CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
				COALESCE(pg_get_expr(d.adbin, d.adrelid), '')) AS line
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
		UNION ALL
		SELECT 2, tablename, indexname, concat_ws(E'\t', 'index', tablename, indexname, indexdef)
		FROM pg_indexes WHERE schemaname = current_schema()
		UNION ALL
		SELECT 3, c.relname, k.conname,
			concat_ws(E'\t', 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid))
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND k.contype <> 'n'
		UNION ALL
		SELECT 4, lpad(t.oid::text, 10), '',
			concat_ws(E'\t', 'trigger', c.relname, t.tgname, pg_get_triggerdef(t.oid))
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
		UNION ALL
		SELECT 5, p.proname, '', concat_ws(E'\t', 'function', p.oid::regprocedure, '', l.lanname)
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = current_schema()::regnamespace
	) catalog
	ORDER BY kind, a COLLATE "C", b COLLATE "C"`

func readCatalog(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// queryText returns the rows of a query, fields separated by spaces.
func queryText(t *testing.T, db database.Querier, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%v in: %s", err, query)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		fields := make([]sql.NullString, len(columns))
		targets := make([]any, len(columns))
		for i := range fields {
			fields[i].String = "NULL"
			targets[i] = &fields[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(fields))
		for i, f := range fields {
			if row[i] = f.String; !f.Valid {
				row[i] = "NULL"
			}
		}
		all = append(all, strings.Join(row, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v in: %s", err, query)
	}
	return strings.Join(all, "\n")
}

func mustExec(t *testing.T, db database.Querier, script string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%v in:\n%s", err, script)
	}
}

// newPostgreSQL returns an empty database on the shared server.
func newPostgreSQL(t *testing.T) *sql.DB {
	t.Helper()
	server := dbtest.PostgreSQL(t)
	return server.Open(t, server.CreateDatabase(t).Database)
}

// atVersion returns a database of its own with a version's schema and seed
// rows: a copy of one that stays on the shared server until the last test.
func atVersion(t *testing.T, version int) *sql.DB {
	t.Helper()
	server := dbtest.PostgreSQL(t)
	template := fmt.Sprintf("version_%d", version)
	known := queryText(t, server.Open(t, ""), `SELECT count(*) FROM pg_database WHERE datname = $1::text`, template)
	if known == "0" {
		server.Exec(t, "", "CREATE DATABASE "+template)
		db := server.Open(t, template)
		build(t, db, version)
		db.Close()
	}
	h := fnv.New64()
	h.Write([]byte(t.Name()))
	name := fmt.Sprintf("at_%x", h.Sum64())
	server.DropDatabase(t, name)
	server.Exec(t, "", fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template))
	return server.Open(t, name)
}

func build(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	if err := BuildPostgreSQL(t.Context(), db, version); err != nil {
		t.Fatal(err)
	}
}

func TestGolangMigrateWalksThroughEveryVersionWithTheMeasuredCatalog(t *testing.T) {
	db := newPostgreSQL(t)
	m := newMigrate(t, db)
	want := catalogs(t, "postgresql")
	if len(want) != len(PostgreSQLVersions()) {
		t.Fatalf("%d catalogs for %d versions", len(want), len(PostgreSQLVersions()))
	}
	for _, version := range PostgreSQLVersions() {
		if err := m.Steps(1); err != nil {
			t.Fatalf("step to %d: %v", version, err)
		}
		got, dirty, err := m.Version()
		if err != nil || dirty || int(got) != version {
			t.Fatalf("version %d, dirty %v, error %v after the step to %d", got, dirty, err, version)
		}
		compare(t, fmt.Sprint("version ", version), readCatalog(t, db, postgreSQLCatalog), want[fmt.Sprintf("%04d", version)])
	}
}

// newMigrate opens golang-migrate on db with the steps of this package.
func newMigrate(t *testing.T, db *sql.DB) *migrate.Migrate {
	t.Helper()
	source, err := iofs.New(MigrationsFS(), ".")
	if err != nil {
		t.Fatal(err)
	}
	driver, err := pgx.WithInstance(db, &pgx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// The counts are those of real installations of these releases, fresh as well
// as upgraded: dropped columns keep their slots.
func TestNewestReleaseHasItsSequencesAndDroppedColumns(t *testing.T) {
	db := atVersion(t, 180)
	dropped := queryText(t, db, `
		SELECT c.relname, count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.attisdropped AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
		GROUP BY 1 ORDER BY 1`)
	if want := strings.Join([]string{
		"artifact 2", "p2p_preheat_policy 1", "project_metadata 1", "registry 1",
		"replication_policy 1", "scan_report 8", "schedule 2", "schema_migrations 1",
	}, "\n"); dropped != want {
		t.Errorf("dropped columns:\n%s\nwant:\n%s", dropped, want)
	}
	sequences := queryText(t, db, `
		SELECT count(*), count(*) FILTER (WHERE data_type = 'bigint'::regtype) FROM pg_sequences`)
	if sequences != "47 5" {
		t.Errorf("sequences and wide sequences: %s, want 47 5", sequences)
	}
	unowned := queryText(t, db, `
		SELECT count(*) FROM pg_class c WHERE relkind = 'S' AND NOT EXISTS (
			SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'a')`)
	if unowned != "0" {
		t.Errorf("%s sequences belong to no column", unowned)
	}
	seeds := queryText(t, db, `
		SELECT (SELECT count(*) FROM access), (SELECT string_agg(role_id || ' ' || name || ' ' || role_code, ', ' ORDER BY role_id) FROM role),
			(SELECT count(*) FROM harbor_user), (SELECT count(*) FROM quota), (SELECT count(*) FROM quota_usage),
			(SELECT count(*) FROM cve_allowlist), (SELECT count(*) FROM properties),
			(SELECT string_agg(version::text, ',') FROM data_migrations), (SELECT version_num FROM alembic_version)`)
	if want := "5 1 projectAdmin MDRWS, 2 developer RWS, 3 guest RS, 4 maintainer DRWS, 5 limitedGuest LRS" +
		" 2 1 1 1 0 0 1.6.0"; seeds != want {
		t.Errorf("seed rows: %s\nwant:      %s", seeds, want)
	}
}

func TestEveryVersionFitsOnOtherMajors(t *testing.T) {
	newest := fmt.Sprintf("%04d", PostgreSQLVersions()[len(PostgreSQLVersions())-1])
	want := catalogs(t, "postgresql")[newest]
	for _, major := range []int{10, 12, 14, 16, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			db := server.Open(t, server.CreateDatabase(t).Database)
			build(t, db, 190)
			compare(t, fmt.Sprint("PostgreSQL ", major), portable(readCatalog(t, db, postgreSQLCatalog)), want)
		})
	}
}

// portable writes a catalog of any major as PostgreSQL 15 does.
func portable(catalog []string) []string {
	for i, line := range catalog {
		catalog[i] = strings.Replace(line, "EXECUTE PROCEDURE", "EXECUTE FUNCTION", 1)
	}
	return catalog
}

func TestBuildContinuesFromALowerVersion(t *testing.T) {
	db := atVersion(t, 15)
	build(t, db, 171)
	compare(t, "version 171", readCatalog(t, db, postgreSQLCatalog), catalogs(t, "postgresql")["0171"])
	if got := queryText(t, db, `SELECT version, dirty FROM schema_migrations`); got != "171 false" {
		t.Errorf("recorded %s", got)
	}
}

func TestBuildRefusesWithoutAChange(t *testing.T) {
	for _, c := range []struct {
		name, prepare string
		version       int
	}{
		{"a version that does not exist", "", 6},
		{"a lower version than the recorded one", "", 1},
		{"a dirty database", Defect("dirty"), 12},
		{"a recorded version that does not exist", Defect("unknown-version"), 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := atVersion(t, 5)
			mustExec(t, db, c.prepare)
			before := queryText(t, db, `SELECT version, dirty FROM schema_migrations`)
			if err := BuildPostgreSQL(t.Context(), db, c.version); err == nil {
				t.Error("no error")
			}
			if after := queryText(t, db, `SELECT version, dirty FROM schema_migrations`); after != before {
				t.Errorf("recorded %s, before %s", after, before)
			}
			compare(t, "version 5", readCatalog(t, db, postgreSQLCatalog), catalogs(t, "postgresql")["0005"])
		})
	}
}

func TestCancelledBuildStops(t *testing.T) {
	db := newPostgreSQL(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := BuildPostgreSQL(ctx, db, 1); err == nil {
		t.Error("no error")
	}
}
