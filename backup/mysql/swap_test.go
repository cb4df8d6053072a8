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
	with = naming.Name(live, target.LoadMark, time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC))
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
	stopAllAt(t, s, moves, move{Live: live, With: with, Aside: aside})
}

func stopAllAt(t *testing.T, s *Server, moves int, list ...move) {
	t.Helper()
	on, err := connect(t.Context(), s.db, "")
	check(t, err)
	defer on.close()
	after := loadedMark()
	j, err := s.prepare(t.Context(), on, exchange{moves: list, after: &after})
	check(t, err)
	if moves < 0 {
		return
	}
	for _, m := range j.Moves {
		check(t, m.Out.dropPrograms(t.Context(), on, m.Live))
		check(t, m.In.dropPrograms(t.Context(), on, m.With))
	}
	check(t, on.exec(t.Context(), "SET SESSION foreign_key_checks = 0"))
	pairs := j.forward()
	for _, p := range pairs[:min(moves, len(pairs))] {
		check(t, on.exec(t.Context(), renames([][2]string{p})))
	}
	if moves > len(pairs) {
		check(t, j.Moves[0].In.makePrograms(t.Context(), on, j.Moves[0].Live))
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
				at, err := s.freeTime(t.Context())
				check(t, err)
				aside := naming.Name(live, target.AsideMark, at)
				stopAt(t, s, live, with, aside, moves)
				if err := s.Discard(t.Context(), target.Beside{Name: aside, Of: live}); err == nil {
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
			_, err := s.swap(t.Context(), exchange{moves: []move{{Live: live, With: with, Aside: naming.Name(live, target.AsideMark, time.Now())}}})
			check(t, err)
			dbtest.RequireSame(t, loaded, contentsOf(t, server, live))
		})
	}
}

// A swap of two databases that was cut off anywhere is undone as a whole,
// whichever of them is asked for.
func TestAnInterruptedSwapOfTwoIsUndone(t *testing.T) {
	for name, server := range map[string]*dbtest.Server{"MariaDB": dbtest.MariaDB(t), "MySQL 5.6": dbtest.MySQL56(t)} {
		t.Run(name, func(t *testing.T) {
			s, live, with := besides(t, server)
			_, second, secondWith := besides(t, server)
			names := []string{live, with, second, secondWith}
			before := map[string]dbtest.Contents{}
			for _, n := range names {
				before[n] = contentsOf(t, server, n)
			}
			for i, moves := range []int{-1, 0, 1, 40, 41, 72, 200} {
				at, err := s.freeTime(t.Context())
				check(t, err)
				stopAllAt(t, s, moves, move{Live: live, With: with, Aside: naming.Name(live, target.AsideMark, at)},
					move{Live: second, With: secondWith, Aside: naming.Name(second, target.AsideMark, at)})
				asked := []string{live, second}[i%2]
				if err := s.Discard(t.Context(), target.Beside{Name: naming.Name(asked, target.AsideMark, at), Of: asked}); err == nil {
					t.Fatalf("after %d moves, what was set aside could be dropped", moves)
				}
				p, err := s.PlanRollback(t.Context(), asked, target.Refuse)
				check(t, err)
				check(t, s.Rollback(t.Context(), p, target.Refuse))
				for _, n := range names {
					dbtest.RequireSame(t, before[n], contentsOf(t, server, n))
				}
				for _, n := range []string{live, second} {
					list, err := s.Beside(t.Context(), n)
					check(t, err)
					for _, b := range list {
						if b.Kind != target.Loaded {
							t.Fatalf("after %d moves, beside %s: %v", moves, n, list)
						}
					}
				}
			}
			at := time.Now()
			_, err := s.swap(t.Context(), exchange{moves: []move{{Live: live, With: with, Aside: naming.Name(live, target.AsideMark, at)},
				{Live: second, With: secondWith, Aside: naming.Name(second, target.AsideMark, at)}}})
			check(t, err)
			dbtest.RequireSame(t, before[with], contentsOf(t, server, live))
			dbtest.RequireSame(t, before[secondWith], contentsOf(t, server, second))
			set, err := s.PlanRollback(t.Context(), second, target.Refuse)
			check(t, err)
			if len(set.All()) != 2 {
				t.Errorf("%d databases go back, not 2", len(set.All()))
			}
			check(t, s.Rollback(t.Context(), set, target.Refuse))
			dbtest.RequireSame(t, before[live], contentsOf(t, server, live))
			dbtest.RequireSame(t, before[second], contentsOf(t, server, second))
		})
	}
}

// Names beside a database fit 64 characters and are found again.
func TestNamesBeside(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC)
	for _, name := range []string{"registry", strings.Repeat("ü", 64), "a_before_20261121t023000z"} {
		got := naming.Name(name, target.AsideMark, at)
		form, when, ok := naming.Parse(name, got)
		if len([]rune(got)) > maxName || !ok || form != target.AsideMark || !when.Equal(at) {
			t.Errorf("%s: %s, %v", name, got, ok)
		}
	}
}
