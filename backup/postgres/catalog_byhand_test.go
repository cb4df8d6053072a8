package postgres

import (
	"fmt"
	osexec "os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// psql runs a script as the recipe for a restore by hand does.
func psql(t testing.TB, settings database.Settings, script string) {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", settings.Host,
		"-p", strconv.Itoa(settings.Port), "-U", settings.User, settings.Database)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
}

func TestRenderedScriptsRestoreByHand(t *testing.T) {
	for _, major := range []int{10, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			m := readModelOf(t, server, buildHostile(t, server))
			pre, post, err := pgmodel.RenderSQL(m)
			if err != nil {
				t.Fatal(err)
			}
			copied := server.CreateDatabase(t)
			psql(t, copied, pre)
			psql(t, copied, post)
			wantEqual(t, m, readModelOf(t, server, copied))
			again, _, err := pgmodel.RenderSQL(readModelOf(t, server, copied))
			if err != nil || again != pre {
				t.Errorf("equal models are rendered as different scripts (%v)", err)
			}
		})
	}
}
