package backup_test

import (
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/progress"
)

// onEveryEngine runs a test on a small filled Harbor of each engine.
func onEveryEngine(t *testing.T, test func(t *testing.T, server *dbtest.Server, settings database.Settings)) {
	t.Run("PostgreSQL", func(t *testing.T) {
		server := dbtest.PostgreSQL(t)
		test(t, server, filled(t, server, 12))
	})
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) { test(t, server, filledMySQL(t, server, "1.5.0")) })
	}
}

func rollBack(t *testing.T, settings database.Settings) {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	r, err := on.PlanRollback(t.Context(), settings.Database, target.Refuse)
	check(t, err)
	check(t, on.Rollback(t.Context(), r, target.Refuse))
}

// However quickly restores and rollbacks follow one another, a rollback brings
// back what the last restore replaced.
func TestRollbacksInQuickSuccession(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, server *dbtest.Server, settings database.Settings) {
		s := take(t, settings, newStore(t), backup.Options{})
		server.Exec(t, settings.Database, "CREATE TABLE newer (x int)")
		live := contents(t, server, settings.Database)
		for range 4 {
			putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
			rollBack(t, settings)
			dbtest.RequireSame(t, live, contents(t, server, settings.Database))
		}
	})
}

// A restore that was planned before another one of the same database swapped
// changes nothing: what it would set aside would not be the newest by name.
func TestARestoreThatWasOvertakenIsRefused(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, server *dbtest.Server, settings database.Settings) {
		late := take(t, settings, newStore(t), backup.Options{})
		server.Exec(t, settings.Database, "CREATE TABLE second (x int)")
		soon := take(t, settings, newStore(t), backup.Options{})
		server.Exec(t, settings.Database, "CREATE TABLE third (x int)")
		live := contents(t, server, settings.Database)
		o := target.Options{Mode: target.SwapIn, Name: settings.Database, Jobs: 2, AllowUnknownObjects: true}
		on, err := backup.OpenServer(t.Context(), settings)
		check(t, err)
		defer on.Close()
		content, err := backup.Content(late)
		check(t, err)
		restore, err := on.Plan(t.Context(), late, content, o)
		check(t, err)
		check(t, restore.Load(t.Context(), progress.Discard))

		putBack(t, settings, soon, o)
		swapped := contents(t, server, settings.Database)
		_, err = restore.Swap(t.Context())
		requireRefused(t, err, "another restore has set database")
		dbtest.RequireSame(t, swapped, contents(t, server, settings.Database))
		rollBack(t, settings)
		dbtest.RequireSame(t, live, contents(t, server, settings.Database))
	})
}
