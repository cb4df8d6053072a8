// Package harborsql builds databases of every Harbor release for tests, and
// fills, converts and damages them.
//
// The SQL stands beside this file. It is written for this project from measured
// catalogs: columns, indexes, constraints, triggers, functions and sequences are
// those of a real Harbor of that version.
//
//	postgresql  one migration step per schema version from Harbor 1.6 on, a source for golang-migrate
//	mysql       the whole schema of each release from 1.1 to 1.5
//	lineage     what differs where an installation began on MySQL
//	notary      the two databases of Notary beside Harbor's
//	additions   one file per kind of object that operators add
//	defects     one file per defect
//	layout      the order of columns and the names of sequences that tests compare with
//
// Only tests import this package. It writes to the database that it is given
// without asking: never hand it one that anybody needs.
package harborsql

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed postgresql/*.sql mysql/*.sql lineage/*.sql notary/*.sql additions/*.sql defects/*.sql
var files embed.FS

// MigrationsFS holds the steps for PostgreSQL at its root, named as
// golang-migrate's iofs source wants them: 0001_initial_schema.up.sql.
func MigrationsFS() fs.FS {
	sub, err := fs.Sub(files, "postgresql")
	if err != nil {
		panic(err) // the path is valid
	}
	return sub
}

// PostgreSQLVersions returns the schema versions that BuildPostgreSQL knows,
// ascending: those of Harbor 1.6.0 to 2.15.2, and 181 and 190, which no
// release has.
func PostgreSQLVersions() []int {
	steps := postgreSQLSteps()
	versions := make([]int, len(steps))
	for i, s := range steps {
		versions[i] = s.version
	}
	return versions
}

// MySQLVersions returns the releases that BuildMySQL knows, ascending.
func MySQLVersions() []string {
	names := list("mysql")
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".sql")
	}
	return names
}

// Step returns the text of the migration to a schema version.
func Step(version int) string {
	for _, s := range postgreSQLSteps() {
		if s.version == version {
			return read("postgresql/" + s.file)
		}
	}
	panic(fmt.Sprintf("no migration to schema version %d", version))
}

// Defect returns the SQL that damages a database in the named way, the name of
// a file in defects without ".sql". The file says what it does to which
// versions; it may assume no rows but those of a new installation unless it
// says so.
func Defect(name string) string { return read("defects/" + name + ".sql") }

// Defects returns the names that Defect knows, sorted.
func Defects() []string {
	names := list("defects")
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".sql")
	}
	return names
}

type step struct {
	version int
	file    string
}

func postgreSQLSteps() []step {
	var steps []step
	for _, name := range list("postgresql") {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			panic(err) // the files are part of the package
		}
		steps = append(steps, step{version, name})
	}
	slices.SortFunc(steps, func(a, b step) int { return a.version - b.version })
	return steps
}

func list(dir string) []string {
	entries, err := files.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

// read returns an embedded file. A name that does not exist is a mistake in a
// test, not something to handle.
func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}
