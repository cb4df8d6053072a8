package backup_test

import (
	"slices"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots"
)

// PostgreSQL 12 prints floats with other digits: across that line a table that
// has them is not called different, one that has none still is.
func TestDiffAcrossTheWayFloatsArePrinted(t *testing.T) {
	old, server := dbtest.PostgreSQLMajor(t, 11), dbtest.PostgreSQL(t)
	settings := filled(t, old, 180)
	before := take(t, settings, newStore(t), backup.Options{})
	here := server.CreateDatabase(t)
	putBack(t, here, before, target.Options{Mode: target.Keep, Name: here.Database})
	server.Exec(t, here.Database, "UPDATE project SET name = name || 'x' WHERE project_id = (SELECT min(project_id) FROM project)")
	after := take(t, here, newStore(t), backup.Options{})

	a, err := backup.OfSnapshot(t.Context(), before)
	check(t, err)
	b, err := backup.OfSnapshot(t.Context(), after)
	check(t, err)
	d, err := backup.Compare(a, b)
	check(t, err)
	rows := before.Manifest.Contents.Databases[0].Tables
	rowsOf := func(name string) int64 {
		return rows[slices.IndexFunc(rows, func(t snapshots.Table) bool { return t.FullName() == name })].Rows
	}
	want := []snapshots.TableDifference{
		{Table: "public.project", Change: snapshots.Content, RowsA: rowsOf("public.project"), RowsB: rowsOf("public.project")},
		{Table: "public.vulnerability_record", Change: snapshots.NotComparable,
			RowsA: rowsOf("public.vulnerability_record"), RowsB: rowsOf("public.vulnerability_record")},
	}
	if !slices.Equal(d.Tables, want) {
		t.Errorf("got %v, want %v", d.Tables, want)
	}
}
