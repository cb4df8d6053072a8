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

// readLines returns the rows of a query of one column.
func readLines(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	all, err := queryStrings(t.Context(), db, query)
	if err != nil {
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
	for _, version := range PostgreSQLVersions() {
		if err := m.Steps(1); err != nil {
			t.Fatalf("step to %d: %v", version, err)
		}
		got, dirty, err := m.Version()
		if err != nil || dirty || int(got) != version {
			t.Fatalf("version %d, dirty %v, error %v after the step to %d", got, dirty, err, version)
		}
		requireVersion(t, db, version)
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
	for _, major := range []int{10, 12, 14, 16, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			db := server.Open(t, server.CreateDatabase(t).Database)
			build(t, db, 190)
			requireVersion(t, db, 190)
		})
	}
}

func TestBuildContinuesFromALowerVersion(t *testing.T) {
	db := atVersion(t, 15)
	build(t, db, 171)
	requireVersion(t, db, 171)
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
			requireVersion(t, db, 5)
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
