package database_test

import (
	"context"
	"os"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// open opens a database as the program does; it is closed when the test ends.
func open(t testing.TB, settings database.Settings) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// text runs a query for one value.
func text(t testing.TB, q database.Querier, query string, args ...any) string {
	t.Helper()
	var s string
	if err := q.QueryRowContext(context.Background(), query, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}
