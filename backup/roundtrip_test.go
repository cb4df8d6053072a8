package backup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// filled makes a database at a schema version, with hostile rows in every
// table.
func filled(t *testing.T, server *dbtest.Server, version int) database.Settings {
	t.Helper()
	settings := server.CreateDatabase(t)
	db := server.Open(t, settings.Database)
	defer db.Close() // a session would be in the way of a swap
	check(t, harborsql.BuildPostgreSQL(t.Context(), db, version))
	check(t, harborsql.Fill(t.Context(), db, version))
	return settings
}

// Every schema version that Harbor ever had comes back exactly: every row,
// every sequence, and, as pg_dump sees it, every object.
func TestRoundTripOfEverySchemaVersion(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	for _, version := range harborsql.PostgreSQLVersions() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			settings := filled(t, server, version)
			roundTrip(t, server, settings)
		})
	}
}

// roundTrip takes a snapshot, restores it beside, and compares both.
func roundTrip(t *testing.T, server *dbtest.Server, settings database.Settings) {
	t.Helper()
	before := dbtest.Dump(t, server.Open(t, settings.Database))
	store := newStore(t)
	s := take(t, settings, store, backup.Options{})
	verified(t, store, s.Manifest.ID)
	copied := spare(t, server, settings.Database+"_copy")
	putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied, AllowUnknownObjects: true})
	dbtest.RequireSame(t, before, dbtest.Dump(t, server.Open(t, settings.Database)))
	dbtest.RequireSame(t, before, dbtest.Dump(t, server.Open(t, copied)))
	if server.Major() <= dbtest.DefaultMajor {
		requireSameText(t, dbtest.PgDump(t, settings), dbtest.PgDump(t, named(settings, copied)))
	}
}

// requireSameText shows the first line that differs.
func requireSameText(t *testing.T, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("pg_dump differs in line %d:\n%s\n%s", i+1, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Fatalf("pg_dump prints %d lines, not %d", len(b), len(a))
	}
}

// A snapshot restores on any other major, older ones included.
func TestRoundTripAcrossMajors(t *testing.T) {
	versions := []int{1, 12, 41, 111, 180}
	for i, pair := range [][2]int{
		{10, 18}, {18, 10}, {11, 12}, {12, 11}, {13, 18}, {18, 13}, {14, 10}, {15, 18}, {18, 15},
		{16, 13}, {17, 15}, {10, 15}, {15, 10}, {14, 17}, {12, 16}, {11, 14}, {18, 16}, {16, 17},
	} {
		version := versions[i%len(versions)]
		t.Run(fmt.Sprintf("schema %d from %d to %d", version, pair[0], pair[1]), func(t *testing.T) {
			from, to := dbtest.PostgreSQLMajor(t, pair[0]), dbtest.PostgreSQLMajor(t, pair[1])
			settings := filled(t, from, version)
			s := take(t, settings, newStore(t), backup.Options{})
			name := spare(t, to, settings.Database)
			putBack(t, to.Settings(name), s, target.Options{Mode: target.Keep, Name: name})
			before, after := dbtest.Dump(t, from.Open(t, settings.Database)), dbtest.Dump(t, to.Open(t, name))
			dbtest.RequireSame(t, before, after)
		})
	}
}

// Foreign keys in circles, to the table itself, not validated, of several
// columns and many of one table come back, whatever the number of jobs: they
// are added while other tables are still being loaded.
func TestForeignKeysInCirclesComeBack(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	var ddl strings.Builder
	const ring = 6
	for i := range ring {
		fmt.Fprintf(&ddl, `CREATE TABLE ring_%d (id int PRIMARY KEY, self int REFERENCES ring_%[1]d, next int, before int, note text, UNIQUE (id, note));
			INSERT INTO ring_%[1]d SELECT i, i, i, i, 'note ' || i FROM generate_series(1, 500) i;`, i)
	}
	for i := range ring {
		fmt.Fprintf(&ddl, `ALTER TABLE ring_%d ADD FOREIGN KEY (next) REFERENCES ring_%d, ADD FOREIGN KEY (before) REFERENCES ring_%d,
			ADD FOREIGN KEY (next, note) REFERENCES ring_%[2]d (id, note) DEFERRABLE, ADD CONSTRAINT loose_%[1]d FOREIGN KEY (self) REFERENCES ring_%[2]d NOT VALID;`,
			i, (i+1)%ring, (i+ring-1)%ring)
	}
	server.Exec(t, settings.Database, ddl.String())
	s := take(t, settings, newStore(t), backup.Options{})
	for _, jobs := range []int{1, 2, 7} {
		copied := spare(t, server, fmt.Sprint(settings.Database, "_copy_", jobs))
		putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied, AllowUnknownObjects: true, Jobs: jobs})
		requireSameText(t, dbtest.PgDump(t, settings), dbtest.PgDump(t, named(settings, copied)))
	}
}
