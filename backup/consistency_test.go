package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// A ledger whose entries add up to nothing in every transaction, and whose
// parents come with their children, is whole in every snapshot taken while it
// is written.
func TestSnapshotIsOneMomentUnderLoad(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	db := server.Open(t, settings.Database)
	server.Exec(t, settings.Database, `
		CREATE TABLE ledger (id bigserial PRIMARY KEY, amount bigint NOT NULL, pad text);
		CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent, pad text);`)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := w; ctx.Err() == nil; i += 3 {
				if err := transfer(ctx, db, i); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	store := newStore(t)
	for range 3 {
		s := take(t, settings, store, backup.Options{})
		copied := spare(t, server, settings.Database+"_copy")
		putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied, AllowUnknownObjects: true})
		requireBalance(t, server, copied)
		server.Exec(t, "postgres", "DROP DATABASE "+copied)
	}
	stop()
	writers.Wait()
}

func transfer(ctx context.Context, db *sql.DB, i int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{
		fmt.Sprintf("INSERT INTO ledger (amount, pad) VALUES (%d, repeat('x', 500)), (%d, 'y')", i, -i),
		"DELETE FROM ledger WHERE id % 7 = 0 AND amount = 0",
		fmt.Sprintf("INSERT INTO parent VALUES (%d)", i),
		fmt.Sprintf("INSERT INTO child VALUES (%d, %[1]d, repeat('z', 200))", i),
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func requireBalance(t *testing.T, server *dbtest.Server, name string) {
	t.Helper()
	db := server.Open(t, name)
	defer db.Close()
	var sum, parents, children int64
	row := db.QueryRowContext(t.Context(), `SELECT (SELECT coalesce(sum(amount), 0) FROM ledger), (SELECT count(*) FROM parent), (SELECT count(*) FROM child)`)
	check(t, row.Scan(&sum, &parents, &children))
	if sum != 0 || parents != children {
		t.Errorf("the ledger is off by %d, %d parents have %d children", sum, parents, children)
	}
}

// While tables are truncated, rewritten, made and dropped, a
// backup is right or it fails.
func TestBackupIsRightOrFailsUnderDDL(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	server.Exec(t, settings.Database, `CREATE TABLE busy (id int PRIMARY KEY, v text);
		INSERT INTO busy SELECT i, 'row' FROM generate_series(1, 1000) i`)
	ctx, stop := context.WithCancel(t.Context())
	ddl := server.Open(t, settings.Database)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, q := range []string{
				"TRUNCATE busy; INSERT INTO busy SELECT i, 'row' FROM generate_series(1, 1000) i",
				"ALTER TABLE busy ALTER v TYPE varchar(100); ALTER TABLE busy ALTER v TYPE text",
				fmt.Sprintf("CREATE TABLE passing_%d (x int); DROP TABLE passing_%[1]d", i),
			} {
				if _, err := ddl.ExecContext(ctx, q); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	store := newStore(t)
	right := 0
	for i := 0; i < 6 && right < 1; i++ {
		db := open(t, settings)
		id, err := tryTake(t.Context(), db, store, backup.Options{})
		db.Close()
		if err != nil {
			continue
		}
		right++
		verified(t, store, id)
		s := entryByID(t, store, id)
		copied := spare(t, server, settings.Database+"_copy")
		putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied, AllowUnknownObjects: true})
		var rows int
		check(t, server.Open(t, copied).QueryRowContext(t.Context(), "SELECT count(*) FROM busy").Scan(&rows))
		if rows != 1000 {
			t.Errorf("the snapshot has %d of 1000 rows", rows)
		}
	}
	stop()
	writer.Wait()
}

// A lock that somebody holds is waited for no longer than the bound.
func TestBackupDoesNotWaitForALockWithoutEnd(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	holder, err := server.Open(t, settings.Database).BeginTx(t.Context(), nil)
	check(t, err)
	defer holder.Rollback()
	_, err = holder.ExecContext(t.Context(), "LOCK TABLE project IN ACCESS EXCLUSIVE MODE")
	check(t, err)
	settings.LockTimeout = 200_000_000
	store := newStore(t)
	_, err = tryTake(t.Context(), open(t, settings), store, backup.Options{})
	requireRefused(t, err, "lock")
	requireEmptyStore(t, store.String())
}

func requireEmptyStore(t *testing.T, path string) {
	t.Helper()
	check(t, filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			t.Errorf("%s is left in the store", p)
		}
		return err
	}))
}

// What a snapshot cannot carry is refused by name before a byte is written,
// or left out by name.
func TestUnsupportedObjectsAreRefusedByName(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 12)
	server.Exec(t, settings.Database, `CREATE TABLE measured (day date NOT NULL) PARTITION BY RANGE (day);
		CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')`)
	store := newStore(t)
	_, err := tryTake(t.Context(), open(t, settings), store, backup.Options{})
	requireRefused(t, err, "public.measured")
	requireEmptyStore(t, store.String())
	s := take(t, settings, store, backup.Options{LeaveOutUnsupported: true})
	left := strings.Join(s.Manifest.Contents.Databases[0].LeftOut, "; ")
	if !strings.Contains(left, "public.measured") || !strings.Contains(left, "public.measured_1") {
		t.Errorf("left out: %s", left)
	}
	copied := spare(t, server, settings.Database+"_copy")
	putBack(t, settings, s, target.Options{Mode: target.Keep, Name: copied})
}

func TestADatabaseWithoutHarborIsRefused(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := server.CreateDatabase(t)
	server.Exec(t, settings.Database, "CREATE TABLE something (x int)")
	_, err := tryTake(t.Context(), open(t, settings), newStore(t), backup.Options{})
	if err == nil || fault.KindOf(err) != fault.Failed {
		t.Errorf("%v", err)
	}
}

// Databases that began on MySQL, and what operators add, come back exactly.
func TestRoundTripOfWhatHarborDoesNotMake(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	t.Run("converted from MySQL", func(t *testing.T) {
		settings := server.CreateDatabase(t)
		db := server.Open(t, settings.Database)
		check(t, harborsql.ConvertFromMySQL(t.Context(), db, 180))
		check(t, harborsql.Fill(t.Context(), db, 180))
		roundTrip(t, server, settings)
	})
	t.Run("with an operator's additions", func(t *testing.T) {
		settings := filled(t, server, 180)
		check(t, harborsql.OperatorAdditions(t.Context(), server.Open(t, settings.Database)))
		roundTrip(t, server, settings)
	})
}

// The recipe of docs/FORMAT.md, as it stands there, restores a snapshot with
// nothing but sha256sum, jq, zstd and psql.
func TestRestoringByHand(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	settings := filled(t, server, 180)
	store := newStore(t)
	companions := withNotary(t, server, settings)
	s := take(t, settings, store, backup.Options{Companions: companions[:1]})
	text, err := os.ReadFile("../docs/FORMAT.md")
	check(t, err)
	_, recipe, found := strings.Cut(string(text), "```sh\n")
	recipe, _, ended := strings.Cut(recipe, "```")
	if !found || !ended {
		t.Fatal("docs/FORMAT.md has no recipe")
	}
	for n, from := range []database.Settings{settings, named(settings, companions[0])} {
		by := server.CreateDatabase(t)
		script := "set -euo pipefail\n" + strings.ReplaceAll(strings.Replace(recipe, "n=0", fmt.Sprint("n=", n), 1), "-d restored", "-d "+by.Database)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
		cmd.Dir = filepath.Join(store.String(), "snapshots", string(s.Manifest.ID))
		cmd.Env = append(os.Environ(), "PGHOST="+by.Host, fmt.Sprintf("PGPORT=%d", by.Port), "PGUSER="+by.User, "PGCLIENTENCODING=UTF8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		dbtest.RequireSame(t, contents(t, server, from.Database), contents(t, server, by.Database))
		requireSameText(t, dbtest.PgDump(t, from), dbtest.PgDump(t, by))
	}
}
