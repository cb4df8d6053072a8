package backup_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// waitUntil looks again and again; the test's own time-out bounds it.
func waitUntil(done func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		<-tick.C
	}
}

// With clients that come back at once, a swap that may end sessions happens,
// and no client ever finds a database without its tables.
func TestMySQLSwapWithReconnectingClients(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			s := take(t, settings, newStore(t), backup.Options{})
			server.Exec(t, settings.Database, "DELETE FROM harbor_label")
			core := server.Open(t, settings.Database)
			var wrong atomic.Pointer[string]
			var served atomic.Int64
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var clients sync.WaitGroup
			for range 8 {
				clients.Go(func() {
					for ctx.Err() == nil {
						var n int
						err := core.QueryRowContext(ctx, "SELECT COUNT(*) FROM project p JOIN user u ON u.user_id = p.owner_id").Scan(&n)
						if err != nil && strings.Contains(err.Error(), "exist") || err == nil && n == 0 {
							text := fmt.Sprint(n, err)
							wrong.Store(&text)
						}
						served.Add(1)
					}
				})
			}
			waitUntil(func() bool { return served.Load() >= 10 })
			_, err := tryPutBack(t.Context(), settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
			requireRefused(t, err, "in use")
			putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database, Disconnect: target.EndSessions})
			after := served.Load()
			waitUntil(func() bool { return served.Load() >= after+10 })
			stop()
			clients.Wait()
			if text := wrong.Load(); text != nil {
				t.Errorf("a client found %s", *text)
			}
			if number(t, server, settings.Database, "SELECT COUNT(*) FROM harbor_label") == 0 {
				t.Error("the snapshot is not live")
			}
		})
	}
}

// A connection that is cut, wherever that happens, leaves no snapshot and no
// database, and the live one as it was.
func TestMySQLCutConnectionsLeaveNothing(t *testing.T) {
	server := dbtest.MariaDB(t)
	settings := filledMySQL(t, server, "1.5.0")
	s := take(t, settings, newStore(t), backup.Options{})
	before := contents(t, server, settings.Database)
	for _, bytes := range []int64{5_000, 20_000, 60_000, 120_000} {
		proxy := dbtest.NewProxy(t, server)
		through := proxy.Settings(settings.Database)
		through.Password = settings.Password
		store := newStore(t)
		db := open(t, through)
		proxy.CutAfter(dbtest.ToClient, bytes)
		_, err := tryTake(t.Context(), db, store, backup.Options{})
		db.Close()
		if proxy.Cuts() > 0 && err == nil {
			t.Errorf("cut after %d bytes: no error", bytes)
		}
		if err != nil {
			requireEmptyStore(t, store.String())
		}
		proxy.CutAfter(dbtest.ToServer, bytes)
		_, err = tryPutBack(t.Context(), through, s, target.Options{Mode: target.SwapIn, Name: settings.Database})
		if err == nil {
			t.Fatalf("cut after %d bytes: no error", bytes)
		}
		dbtest.RequireSame(t, before, contents(t, server, settings.Database))
		waitUntil(func() bool {
			sweep(t, server, settings.Database)
			return len(beside(t, settings)) == 0
		})
	}
}

// sweep drops what is dead beside a database.
func sweep(t *testing.T, server *dbtest.Server, name string) {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), server.Settings(name))
	check(t, err)
	defer on.Close()
	_, err = on.Sweep(t.Context(), name)
	check(t, err)
}

// A disk that is full in the middle of a load leaves the live database as it
// was, and nothing beside it.
func TestMySQLFullDiskLeavesTheLiveDatabase(t *testing.T) {
	from := dbtest.MariaDB(t)
	settings := filledMySQL(t, from, "1.5.0")
	from.Exec(t, settings.Database, `CREATE TABLE wide (id int PRIMARY KEY, v longtext); INSERT INTO wide SELECT seq, REPEAT(MD5(seq), 8000) FROM seq_1_to_400`)
	s := take(t, settings, newStore(t), backup.Options{})
	small := dbtest.StartMariaDB(t, dbtest.Options{DiskMB: 120})
	on := small.CreateDatabase(t)
	db := small.Open(t, on.Database)
	check(t, harborsql.BuildMySQL(t.Context(), db, "1.5.0"))
	db.Close()
	before := contents(t, small, on.Database)
	if _, err := tryPutBack(t.Context(), on, s, target.Options{Mode: target.SwapIn, Name: on.Database}); err == nil {
		t.Fatal("100 MB fit on the disk")
	}
	dbtest.RequireSame(t, before, contents(t, small, on.Database))
	if left := beside(t, on); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A snapshot of a newer MariaDB restores on MySQL 5.6, and the other way
// round: operators moved Harbor between the two.
func TestMySQLRoundTripAcrossProducts(t *testing.T) {
	servers := mySQLServers(t)
	for from, to := range map[string]string{"MariaDB": "MySQL 5.6", "MySQL 5.6": "MariaDB"} {
		for _, version := range []string{"1.1.0", "1.4.0"} {
			t.Run(from+" to "+to+"/"+version, func(t *testing.T) {
				settings := filledMySQL(t, servers[from], version)
				s := take(t, settings, newStore(t), backup.Options{})
				name := spare(t, servers[to], settings.Database)
				putBack(t, servers[to].Settings(name), s, target.Options{Mode: target.Keep, Name: name})
				was, is := contents(t, servers[from], settings.Database), contents(t, servers[to], name)
				for object := range was {
					if strings.HasPrefix(object, "definition") {
						delete(was, object)
						delete(is, object)
					}
				}
				dbtest.RequireSame(t, was, is)
			})
		}
	}
}
