package backup_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// filledMySQL makes a database of a release of the MySQL era, with hostile
// rows in every table.
func filledMySQL(t testing.TB, server *dbtest.Server, version string) database.Settings {
	t.Helper()
	settings := server.CreateDatabase(t)
	db := server.Open(t, settings.Database)
	defer db.Close() // a session would be in the way of a swap
	check(t, harborsql.FillMySQL(t.Context(), db, version))
	return settings
}

// mySQLServers are the servers of Harbor's MySQL era: it shipped MySQL 5.6 up
// to 1.2 and MariaDB 10 from 1.3 on.
func mySQLServers(t testing.TB) map[string]*dbtest.Server {
	return map[string]*dbtest.Server{"MariaDB": dbtest.MariaDB(t), "MySQL 5.6": dbtest.MySQL56(t)}
}

// Every schema of the MySQL era comes back exactly: every row, every
// definition, every next AUTO_INCREMENT value.
func TestRoundTripOfTheMySQLEra(t *testing.T) {
	for name, server := range mySQLServers(t) {
		for _, version := range harborsql.MySQLVersions() {
			t.Run(fmt.Sprintf("%s/%s", name, version), func(t *testing.T) {
				settings := filledMySQL(t, server, version)
				roundTripMySQL(t, server, settings)
			})
		}
	}
}

func roundTripMySQL(t *testing.T, server *dbtest.Server, settings database.Settings) {
	t.Helper()
	before := contents(t, server, settings.Database)
	store := newStore(t)
	s := take(t, settings, store, backup.Options{})
	verified(t, store, s.Manifest.ID)
	copied := spare(t, server, settings.Database+"_copy")
	putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied, AllowUnknownObjects: true})
	dbtest.RequireSame(t, before, contents(t, server, settings.Database))
	dbtest.RequireSame(t, before, contents(t, server, copied))
	if server.Major() >= 10 {
		requireSameText(t, mariadbDump(t, settings, settings.Database), mariadbDump(t, settings, copied))
	}
	server.Exec(t, "", "DROP DATABASE "+copied)
}

// mariadbDump is a database as the server's own tool sees it. On MySQL 5.6 the
// tool fails.
func mariadbDump(t *testing.T, settings database.Settings, name string) string {
	t.Helper()
	var complaints strings.Builder
	cmd := exec.CommandContext(t.Context(), "mariadb-dump", "--no-defaults", "--user="+settings.User, "--socket="+settings.Host,
		"--single-transaction", "--skip-comments", "--hex-blob", "--triggers", "--routines", "--events", "--skip-extended-insert", "--order-by-primary", name)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mariadb-dump: %v\n%s", err, complaints.String())
	}
	return strings.ReplaceAll(string(out), name, "DATABASE")
}
