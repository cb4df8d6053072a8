package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// Rows move from one database to the next while they are copied: a step is
// written to Harbor's database, then to the companion. At any one moment the
// companion is at the same step or one behind.
func TestDatabasesShowOneMomentUnderLoad(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	name := settings.Database + "_companion"
	server.Exec(t, "", "CREATE DATABASE "+name)
	for _, in := range []string{settings.Database, name} {
		server.Exec(t, in, "CREATE TABLE steps (step bigint PRIMARY KEY)")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a, b := server.Open(t, settings.Database), server.Open(t, name)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, db := range []*sql.DB{a, b} {
				if _, err := db.ExecContext(ctx, "INSERT INTO steps VALUES ($1)", i); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 5 {
		s := take(t, settings, newStore(t), backup.Options{Companions: []string{name}})
		requireTaken(t, s, []string{settings.Database, name})
		var rows []int64
		for _, d := range s.Manifest.Contents.Databases {
			for _, table := range d.Tables {
				if table.Name == "steps" {
					rows = append(rows, table.Rows)
				}
			}
		}
		if ahead := rows[0] - rows[1]; ahead != 0 && ahead != 1 {
			t.Errorf("%d steps in one database, %d in the other", rows[0], rows[1])
		}
	}
	stop()
	writer.Wait()
}

// A ledger that adds up to nothing in every transaction, over two databases,
// adds up in every snapshot: under the global lock, and under locks of the
// tables where the login may do no more.
func TestMySQLDatabasesShowOneMomentUnderLoad(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			d := settings.Database
			server.Exec(t, "", "CREATE DATABASE "+d+"_companion")
			for _, in := range []string{d, d + "_companion"} {
				server.Exec(t, in, "CREATE TABLE ledger (id bigint AUTO_INCREMENT PRIMARY KEY, amount bigint NOT NULL) ENGINE=InnoDB")
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			db := server.Open(t, d)
			var writers sync.WaitGroup
			for range 3 {
				writers.Go(func() {
					for ctx.Err() == nil {
						if err := bookAcross(ctx, db, d+"_companion"); err != nil && ctx.Err() == nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for _, login := range []database.Settings{settings, account(t, server, settings, "ALL ON `"+d+"`.*", "ALL ON `"+d+"\\_companion`.*")} {
				s := take(t, login, newStore(t), backup.Options{Companions: []string{d + "_companion"}})
				requireTaken(t, s, []string{d, d + "_companion"})
				sum := int64(0)
				for i, part := range []string{d, d + "_companion"} {
					copied := fmt.Sprintf("%s_copy%d", d, i)
					putBackSet(t, settings, s, target.Options{Mode: target.Keep, Name: copied}, part)
					sum += number(t, server, copied, "SELECT COALESCE(SUM(amount), 0) FROM ledger")
					server.Exec(t, "", "DROP DATABASE "+copied)
				}
				if sum != 0 {
					t.Errorf("the ledger is off by %d", sum)
				}
			}
			stop()
			writers.Wait()
		})
	}
}

func bookAcross(ctx context.Context, db *sql.DB, other string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{"INSERT INTO ledger (amount) VALUES (7), (5)", "INSERT INTO " + other + ".ledger (amount) VALUES (-12)"} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}
