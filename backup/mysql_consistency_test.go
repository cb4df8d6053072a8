package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// account makes a login with rights on one database and what else is granted.
func account(t *testing.T, server *dbtest.Server, settings database.Settings, grants ...string) database.Settings {
	t.Helper()
	user := "u" + settings.Database
	server.Exec(t, "", "GRANT USAGE ON *.* TO '"+user+"'@'localhost' IDENTIFIED BY 'pass'")
	t.Cleanup(func() { server.Exec(t, "", "DROP USER '"+user+"'@'localhost'") })
	for _, g := range grants {
		server.Exec(t, "", "GRANT "+g+" TO '"+user+"'@'localhost'")
	}
	settings.User, settings.Password = user, "pass"
	return settings
}

// A ledger that adds up to nothing in every transaction, over two tables, adds
// up in every snapshot taken while it is written: under the global lock, and
// under locks of the tables where the login may do no more.
func TestMySQLSnapshotIsOneMomentUnderLoad(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			server.Exec(t, settings.Database, `
				CREATE TABLE ledger (id bigint AUTO_INCREMENT PRIMARY KEY, amount bigint NOT NULL) ENGINE=InnoDB;
				CREATE TABLE other_side (id bigint AUTO_INCREMENT PRIMARY KEY, amount bigint NOT NULL) ENGINE=InnoDB`)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			db := server.Open(t, settings.Database)
			var writers sync.WaitGroup
			for range 3 {
				writers.Go(func() {
					for ctx.Err() == nil {
						if err := book(ctx, db); err != nil && ctx.Err() == nil {
							t.Error(err)
							return
						}
					}
				})
			}
			d := settings.Database
			logins := []database.Settings{settings, account(t, server, settings, "ALL ON `"+d+"`.*")}
			for _, login := range logins {
				s := take(t, login, newStore(t), backup.Options{})
				copied := spare(t, server, d+"_copy")
				putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied})
				if got := number(t, server, copied, "SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger) + (SELECT COALESCE(SUM(amount), 0) FROM other_side)"); got != 0 {
					t.Errorf("the ledger is off by %d", got)
				}
				server.Exec(t, "", "DROP DATABASE "+copied)
			}
			stop()
			writers.Wait()
		})
	}
}

func book(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{"INSERT INTO ledger (amount) VALUES (7), (5)", "INSERT INTO other_side (amount) VALUES (-12)"} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func number(t *testing.T, server *dbtest.Server, name, query string) int64 {
	t.Helper()
	db := server.Open(t, name)
	defer db.Close()
	var n int64
	check(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// While tables are truncated, altered, made and dropped, a backup is right or
// it fails.
func TestMySQLBackupIsRightOrFailsUnderDDL(t *testing.T) {
	server := dbtest.MariaDB(t)
	settings := filledMySQL(t, server, "1.5.0")
	server.Exec(t, settings.Database, `CREATE TABLE busy (id int PRIMARY KEY, v text); INSERT INTO busy SELECT seq, 'row' FROM seq_1_to_1000`)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ddl := server.Open(t, settings.Database)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, q := range []string{
				"CREATE TABLE busy_new LIKE busy", "INSERT INTO busy_new SELECT seq, 'row' FROM seq_1_to_1000",
				"RENAME TABLE busy TO busy_old, busy_new TO busy", "DROP TABLE busy_old",
				"ALTER TABLE busy MODIFY v varchar(100)", "ALTER TABLE busy MODIFY v text",
			} {
				if _, err := ddl.ExecContext(ctx, q); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		}
	})
	store := newStore(t)
	for range 4 {
		db := open(t, settings)
		id, err := tryTake(t.Context(), db, store, backup.Options{})
		db.Close()
		if err != nil {
			t.Logf("failed, as it may: %v", err)
			continue
		}
		copied := spare(t, server, settings.Database+"_copy")
		putBack(t, settings, entryByID(t, store, id), target.Options{Mode: target.Keep, Name: copied})
		if rows := number(t, server, copied, "SELECT COUNT(*) FROM busy"); rows != 1000 {
			t.Errorf("the snapshot has %d of 1000 rows", rows)
		}
		server.Exec(t, "", "DROP DATABASE "+copied)
	}
	stop()
	writer.Wait()
}

// A long statement is not waited for with the lock in hand, and not without
// end: writers would queue up behind us.
func TestMySQLBackupDoesNotQueueBehindALongStatement(t *testing.T) {
	server := dbtest.StartMariaDB(t, dbtest.Options{})
	settings := filledMySQL(t, server, "1.5.0")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader := server.Open(t, settings.Database)
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = reader.ExecContext(ctx, "SELECT SLEEP(60) FROM project LIMIT 1") })
	long := "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' AND time >= 4"
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for number(t, server, settings.Database, long) == 0 {
		<-tick.C
	}
	settings.LockTimeout = time.Second
	store := newStore(t)
	_, err := tryTake(t.Context(), open(t, settings), store, backup.Options{})
	requireRefused(t, err, "SELECT SLEEP(60)")
	requireEmptyStore(t, store.String())
	server.Exec(t, settings.Database, "UPDATE project SET deleted = 0") // nobody is locked out
	stop()
	reading.Wait()
}

// Without a right that it takes to see all of the database, a backup is
// refused with the grant that is missing.
func TestMySQLMissingRightsAreNamed(t *testing.T) {
	server := dbtest.MariaDB(t)
	settings := filledMySQL(t, server, "1.5.0")
	d := settings.Database
	few := account(t, server, settings, "SELECT ON `"+d+"`.*")
	requireRefused(t, takeAs(t, few), "SHOW VIEW, TRIGGER, EVENT, EXECUTE")
	server.Exec(t, "", "GRANT SHOW VIEW, TRIGGER, EVENT, EXECUTE ON `"+d+"`.* TO '"+few.User+"'@'localhost'")
	requireRefused(t, takeAs(t, few), "lock tables")

	s := take(t, settings, newStore(t), backup.Options{})
	_, err := tryPutBack(t.Context(), few, s, target.Options{Mode: target.SwapIn, Name: d})
	requireRefused(t, err, "INSERT")
	escaped := strings.ReplaceAll(d, "_", `\_`)
	server.Exec(t, "", fmt.Sprintf("GRANT ALL ON `%s`.* TO '%s'@'localhost'", d, few.User))
	_, err = tryPutBack(t.Context(), few, s, target.Options{Mode: target.SwapIn, Name: d})
	requireRefused(t, err, "SELECT, INSERT")
	server.Exec(t, "", fmt.Sprintf("GRANT ALL ON `%s\\_%%`.* TO '%s'@'localhost'", escaped, few.User))
	putBack(t, few, s, target.Options{Mode: target.SwapIn, Name: d})
}

func takeAs(t *testing.T, settings database.Settings) error {
	t.Helper()
	db := open(t, settings)
	defer db.Close()
	_, err := tryTake(t.Context(), db, newStore(t), backup.Options{})
	return err
}
