package backup_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// The recipe of docs/FORMAT.md for MySQL, as it stands there, restores a
// snapshot with nothing but sha256sum, jq, zstd and the client.
func TestMySQLRestoringByHand(t *testing.T) {
	text, err := os.ReadFile("../docs/FORMAT.md")
	check(t, err)
	_, section, found := strings.Cut(string(text), "### From MySQL or MariaDB\n")
	_, recipe, begins := strings.Cut(section, "```sh\n")
	recipe, _, ends := strings.Cut(recipe, "```\n")
	if !found || !begins || !ends {
		t.Fatal("docs/FORMAT.md has no recipe")
	}
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			server.Exec(t, settings.Database, extras)
			server.Exec(t, settings.Database, everyType)
			if name == "MariaDB" {
				server.Exec(t, settings.Database, onMariaDB)
			}
			store := newStore(t)
			companions := withNotary(t, server, settings)
			s := take(t, settings, store, backup.Options{Companions: companions[:1]})
			folder := filepath.Join(store.String(), "snapshots", string(s.Manifest.ID))
			for n, from := range []string{settings.Database, companions[0]} {
				by := server.CreateDatabase(t)
				script := strings.Replace(recipe, "n=0", fmt.Sprint("n=", n), 1)
				runRecipe(t, folder, strings.ReplaceAll(script, " restored ", " "+by.Database+" "), by)
				dbtest.RequireSame(t, mySQLContents(t, server, from), mySQLContents(t, server, by.Database))
			}
		})
	}
}

// runRecipe runs a script in the folder of a snapshot, with an option file
// that says where the server is.
func runRecipe(t *testing.T, folder, script string, by database.Settings) {
	t.Helper()
	home := t.TempDir()
	check(t, os.WriteFile(filepath.Join(home, ".my.cnf"), []byte("[client]\nuser="+by.User+"\nsocket="+by.Host+"\n"), 0o600))
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+script)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "HOME="+home)
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
}
