package backup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
	"github.com/jackc/pgx/v5"
)

// harbor makes a small filled Harbor and a snapshot of it.
func harbor(t *testing.T, server *dbtest.Server, version int) (database.Settings, *snapshots.Snapshot) {
	t.Helper()
	settings := filled(t, server, version)
	return settings, take(t, settings, newStore(t), backup.Options{})
}

func contents(t *testing.T, server *dbtest.Server, name string) dbtest.Contents {
	t.Helper()
	db := server.Open(t, name)
	defer db.Close() // an open connection would be in the way of a swap
	return dbtest.Dump(t, db)
}

func upgrade(t *testing.T, server *dbtest.Server, name string, version int) {
	t.Helper()
	db := server.Open(t, name)
	defer db.Close()
	check(t, harborsql.BuildPostgreSQL(t.Context(), db, version))
}

// The main job: after an upgrade the snapshot takes the place of the database,
// which is kept; rollback puts it back, and back again.
func TestRestoreSwapsAndRollsBack(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 5)
	name := settings.Database
	before := contents(t, server, name)
	upgrade(t, server, name, 12)
	upgraded := contents(t, server, name)

	result := putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: name})
	dbtest.RequireSame(t, before, contents(t, server, name))
	dbtest.RequireSame(t, upgraded, contents(t, server, result.Aside))

	rollBack(t, settings)
	dbtest.RequireSame(t, upgraded, contents(t, server, name))
}

func TestRestoreMakesAMissingDatabase(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 180)
	before := contents(t, server, settings.Database)
	server.Exec(t, "postgres", `DROP DATABASE "`+settings.Database+`"`)
	result := putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
	dbtest.RequireSame(t, before, contents(t, server, settings.Database))
	if result.Aside != "" {
		t.Errorf("%s was set aside, but there was nothing", result.Aside)
	}
}

func TestRestoreFillsTheEmptyDatabaseOfANewImage(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	before := contents(t, server, settings.Database)
	empty := server.CreateDatabase(t)
	server.Exec(t, empty.Database, "CREATE TABLE schema_migrations (version bigint primary key, dirty boolean not null)")
	putBack(t, empty, s, target.Options{Mode: target.Keep, Name: empty.Database})
	dbtest.RequireSame(t, before, contents(t, server, empty.Database))
}

func TestDrillLeavesNothing(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	putBack(t, settings, s, target.Options{Mode: target.Drill, Name: settings.Database})
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func beside(t *testing.T, settings database.Settings) []target.Beside {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	list, err := on.Beside(t.Context(), settings.Database)
	check(t, err)
	return list
}

// A target in use is refused before the long work, and nothing is made.
func TestATargetInUseIsRefused(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	core := server.Open(t, settings.Database)
	check(t, core.PingContext(t.Context()))
	_, err := tryPutBack(t.Context(), settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
	requireRefused(t, err, "in use")
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := tryPutBack(t.Context(), settings, s, target.Options{Mode: target.Keep, Name: settings.Database}); err == nil {
		t.Error("loaded into a live database")
	}
}

func requireRefused(t *testing.T, err error, want string) {
	t.Helper()
	if fault.KindOf(err) != fault.Refused || err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("%v is no refusal that says %q", err, want)
	}
}

// What was loaded and could not be swapped in is kept, and the next restore of
// the same snapshot only swaps.
func TestALoadedDatabaseIsKeptForTheNextRestore(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	before := contents(t, server, settings.Database)
	content, err := backup.Content(s)
	check(t, err)
	on, err := backup.OpenServer(t.Context(), settings)
	check(t, err)
	defer on.Close()
	options := target.Options{Mode: target.SwapIn, Name: settings.Database, Jobs: 1}
	restore, err := on.Plan(t.Context(), s, content, options)
	check(t, err)
	check(t, restore.Load(t.Context(), progress.Discard))

	core := server.Open(t, settings.Database)
	check(t, core.PingContext(t.Context()))
	_, err = restore.Swap(t.Context())
	requireRefused(t, err, "is loaded and compared in database")
	if left := beside(t, settings); len(left) != 1 || left[0].Kind != target.Loaded {
		t.Fatalf("beside it: %v", left)
	}
	core.Close()
	again, err := on.Plan(t.Context(), s, content, options)
	check(t, err)
	if !again.Plan().Ready {
		t.Error("the loaded database is not found")
	}
	check(t, again.Load(t.Context(), progress.Discard))
	_, err = again.Swap(t.Context())
	check(t, err)
	dbtest.RequireSame(t, before, contents(t, server, settings.Database))
}

// Twenty clients that reconnect at once are ended, and find the restored
// database; BenchmarkSwap measures for how long they are refused.
func TestSwapUnderReconnectingClients(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	before := contents(t, server, settings.Database)
	server.Exec(t, settings.Database, "CREATE TABLE only_before (x int)")
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var connected atomic.Int64
	up := make(chan struct{})
	for range 20 {
		clients.Go(func() {
			for ctx.Err() == nil {
				client(ctx, settings, func() {
					if connected.Add(1) == 20 {
						close(up)
					}
				}, func() {})
			}
		})
	}
	<-up
	result := putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database, Disconnect: target.EndSessions})
	stop()
	clients.Wait()
	dbtest.RequireSame(t, before, contents(t, server, settings.Database))
	if result.Aside == "" {
		t.Error("nothing was set aside")
	}
}

// client holds a connection as a core does, until it is ended. It tells when
// it is connected, and after every answer.
func client(ctx context.Context, s database.Settings, connected, answered func()) {
	config, err := pgx.ParseConfig("")
	if err != nil {
		return
	}
	config.Host, config.Port, config.User, config.Database = s.Host, uint16(s.Port), s.User, s.Database
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return
	}
	defer conn.Close(context.Background())
	connected()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err == nil {
		if _, err = conn.Exec(ctx, "SELECT 1"); err == nil {
			answered()
		}
		<-tick.C
	}
}

func TestRoleWithoutCreateDatabase(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	before := contents(t, server, settings.Database)
	server.Exec(t, "postgres", `DROP ROLE IF EXISTS harbor_plain; CREATE ROLE harbor_plain LOGIN`)
	plain := settings
	plain.User = "harbor_plain"
	_, err := tryPutBack(t.Context(), plain, s, target.Options{Mode: target.Drill, Name: plain.Database})
	requireRefused(t, err, "may neither create nor rename databases")
	if hint := fault.HintOf(err); !strings.Contains(hint, `ALTER ROLE "harbor_plain" CREATEDB`) || !strings.Contains(hint, "--as") {
		t.Errorf("hint: %s", hint)
	}
	empty := server.CreateDatabase(t)
	server.Exec(t, "postgres", `ALTER DATABASE "`+empty.Database+`" OWNER TO harbor_plain`)
	server.Exec(t, empty.Database, `GRANT ALL ON SCHEMA public TO harbor_plain`)
	empty.User = "harbor_plain"
	putBack(t, empty, s, target.Options{Mode: target.Keep, Name: empty.Database})
	dbtest.RequireSame(t, before, contents(t, server, empty.Database))
}

// A snapshot with a damaged part is found while it is loaded; nothing of the
// load is left.
func TestADamagedPartStopsTheRestore(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings, s := harbor(t, server, 12)
	before := contents(t, server, settings.Database)
	table := &s.Manifest.Contents.Databases[0].Tables[slices.IndexFunc(s.Manifest.Contents.Databases[0].Tables,
		func(t snapshots.Table) bool { return t.Name == "project" })]
	table.Fingerprint = strings.Repeat("0", 32)
	_, err := tryPutBack(t.Context(), settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
	if !errors.Is(err, snapshots.ErrCorrupt) {
		t.Errorf("%v is not ErrCorrupt", err)
	}
	if left := beside(t, settings); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	dbtest.RequireSame(t, before, contents(t, server, settings.Database))
}
