package mysql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

const snapshotID = snapshots.ID("20261121T023000Z-3f9a1c")

// besides makes a live Harbor and one loaded beside it, of another release,
// both with a view and a trigger.
func besides(t *testing.T, server *dbtest.Server) (s *Server, live, with string) {
	t.Helper()
	live = server.CreateDatabase(t).Database
	with = besideName(live, loadMark, time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC))
	server.Exec(t, "", "CREATE DATABASE "+with)
	for name, version := range map[string]string{live: "1.5.0", with: "1.3.0"} {
		db := server.Open(t, name)
		check(t, harborsql.FillMySQL(t.Context(), db, version))
		db.Close()
		server.Exec(t, name, fmt.Sprintf(`CREATE VIEW names AS SELECT name FROM project;
			CREATE TRIGGER same_name BEFORE UPDATE ON project FOR EACH ROW SET NEW.deleted = %d`, len(version)))
	}
	s, err := OpenServer(t.Context(), server.Settings(live))
	check(t, err)
	t.Cleanup(func() { s.Close() })
	check(t, writeMark(t.Context(), s.db, with, loadedMark()))
	return s, live, with
}

func loadedMark() mark { return mark{State: stateLoaded, Snapshot: snapshotID} }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// contentsOf are those of a database without our mark and without the times at
// which triggers were made.
func contentsOf(t *testing.T, server *dbtest.Server, name string) dbtest.Contents {
	t.Helper()
	db := server.Open(t, name)
	defer db.Close()
	c := dbtest.Dump(t, db)
	for object, lines := range c {
		if strings.HasSuffix(object, markTable) {
			delete(c, object)
		}
		if strings.HasPrefix(object, "definition of trigger ") {
			fields := strings.Split(lines[0], "\t")
			fields[2] = strings.TrimRight(fields[2], ";") // which MySQL 5.6 keeps
			c[object] = []string{strings.Join(fields[:6], "\t")}
		}
	}
	return c
}

// stopAt begins a swap and stops it after that many of its tables were moved,
// as a server does that crashes before MySQL 8 and MariaDB 10.6, or, with -1,
// before the first one was, as a process does that is killed.
func stopAt(t *testing.T, s *Server, live, with, aside string, moves int) {
	t.Helper()
	on, err := connect(t.Context(), s.db, "")
	check(t, err)
	defer on.close()
	after := loadedMark()
	j, err := s.prepare(t.Context(), on, swapping{live: live, with: with, aside: aside, after: &after})
	check(t, err)
	if moves < 0 {
		return
	}
	check(t, j.Out.dropPrograms(t.Context(), on, live))
	check(t, j.In.dropPrograms(t.Context(), on, with))
	check(t, on.exec(t.Context(), "SET SESSION foreign_key_checks = 0"))
	pairs := j.forward()
	for _, p := range pairs[:min(moves, len(pairs))] {
		check(t, on.exec(t.Context(), renames([][2]string{p})))
	}
	if moves > len(pairs) {
		check(t, j.In.makePrograms(t.Context(), on, live))
	}
}

// Wherever a swap was cut off, nothing but a rollback is accepted, and the
// rollback puts everything back to where it was.
func TestAnInterruptedSwapIsUndone(t *testing.T) {
	for name, server := range map[string]*dbtest.Server{"MariaDB": dbtest.MariaDB(t), "MySQL 5.6": dbtest.MySQL56(t)} {
		t.Run(name, func(t *testing.T) {
			s, live, with := besides(t, server)
			before, loaded := contentsOf(t, server, live), contentsOf(t, server, with)
			for _, moves := range []int{-1, 0, 1, 20, 21, 36, 100} {
				aside, err := s.freeName(t.Context(), live, asideMark)
				check(t, err)
				stopAt(t, s, live, with, aside, moves)
				if err := s.Discard(t.Context(), target.Beside{Name: aside}); err == nil {
					t.Fatalf("after %d moves, what was set aside could be dropped", moves)
				}
				p, err := s.PlanRollback(t.Context(), live, target.Refuse)
				check(t, err)
				check(t, s.Rollback(t.Context(), p, target.Refuse))
				dbtest.RequireSame(t, before, contentsOf(t, server, live))
				dbtest.RequireSame(t, loaded, contentsOf(t, server, with))
				list, err := s.Beside(t.Context(), live)
				check(t, err)
				if len(list) != 1 || list[0].Kind != target.Loaded || list[0].Snapshot != snapshotID {
					t.Fatalf("after %d moves, beside it: %v", moves, list)
				}
			}
			_, err := s.swap(t.Context(), swapping{live: live, with: with, aside: besideName(live, asideMark, time.Now())})
			check(t, err)
			dbtest.RequireSame(t, loaded, contentsOf(t, server, live))
		})
	}
}

// Names beside a database fit 64 characters and are found again.
func TestNamesBeside(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC)
	for _, name := range []string{"registry", strings.Repeat("ü", 64), "a_before_20261121t023000z"} {
		got := besideName(name, asideMark, at)
		form, when, ok := parseBeside(name, got)
		if len([]rune(got)) > maxName || !ok || form != asideMark || !when.Equal(at) {
			t.Errorf("%s: %s, %v", name, got, ok)
		}
	}
}
