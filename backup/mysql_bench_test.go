package backup_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// generateMySQL fills a Harbor 1.5 as years of use do: access_log is nearly
// all of it.
const generateMySQL = `
INSERT INTO access_log (username, project_id, repo_name, repo_tag, GUID, operation, op_time)
  SELECT CONCAT('user-', seq %% 300), seq %% 50, CONCAT('library/app-', seq %% 500), CONCAT('1.', seq %% 4000), MD5(seq), ELT(seq %% 4 + 1, 'pull', 'push', 'pull', 'delete'),
    FROM_UNIXTIME(1500000000 + seq * 20) FROM seq_1_to_%[1]d000;
INSERT INTO img_scan_overview (image_digest, scan_job_id, severity, components_overview, details_key, creation_time, update_time)
  SELECT CONCAT('sha256:', MD5(seq), MD5(seq + 1)), seq, seq %% 5, REPEAT(CONCAT('{"total":', seq, ',"summary":[{"sev":1,"count":', seq %% 97, '}]}'), 5), MD5(seq), NOW(), NOW()
  FROM seq_1_to_%[1]d0;
INSERT INTO replication_job (status, policy_id, repository, operation, tags, creation_time, update_time)
  SELECT 'finished', seq %% 20, CONCAT('library/app-', seq %% 500), 'transfer', CONCAT('1.', seq %% 4000), NOW(), NOW() FROM seq_1_to_%[1]d0`

// mySQLRig is one MariaDB with the generated Harbor, and the binary under
// test.
func newMySQLRig(b *testing.B) *rig {
	b.Helper()
	server := dbtest.StartMariaDB(b, dbtest.Options{Settings: []string{"--innodb-buffer-pool-size=512M", "--innodb-log-file-size=512M", "--local-infile=1"}})
	r := &rig{b: b, server: server, settings: server.CreateDatabase(b), jobs: 2, dir: b.TempDir()}
	db := server.Open(b, r.settings.Database)
	r.must(harborsql.BuildMySQL(b.Context(), db, "1.5.0"))
	server.Exec(b, r.settings.Database, fmt.Sprintf(generateMySQL, benchRows(b)))
	r.binary = filepath.Join(r.dir, "harbordb")
	build := exec.Command("go", "build", "-o", r.binary, "github.com/harbordb/harbordb/cmd/harbordb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	r.run(build)
	return r
}

// onMySQL is a run of harbordb on the rig's database.
func (r *rig) onMySQL(args ...string) *exec.Cmd {
	c := r.harbordb(args...)
	c.Env = []string{"HOME=" + r.dir, "HARBORDB_DSN=" + mySQLURL(r.settings)}
	return c
}

func mySQLURL(s database.Settings) string {
	return fmt.Sprintf("mysql://%s@/%s?socket=%s", s.User, s.Database, s.Host)
}

// shell runs a pipe of MariaDB's own tools; $AT says where the server is.
func (r *rig) shell(script string) func() (time.Duration, int64) {
	return func() (time.Duration, int64) {
		c := exec.Command("bash", "-c", "set -euo pipefail\n"+script)
		c.Dir = r.dir
		c.Env = append(os.Environ(), "AT=--socket="+r.settings.Host+" --user="+r.settings.User, "DB="+r.settings.Database, "JOBS="+strconv.Itoa(r.jobs))
		return r.run(c)
	}
}

// BenchmarkMySQLDump compares backup with mariadb-dump and mydumper.
func BenchmarkMySQLDump(b *testing.B) {
	r := newMySQLRig(b)
	contenders := []contender{
		{name: "harbordb backup", run: func() (time.Duration, int64) {
			r.must(os.RemoveAll(filepath.Join(r.dir, "store")))
			return r.run(r.onMySQL("backup"))
		}},
		{name: "mariadb-dump | zstd", run: r.shell("mariadb-dump --no-defaults $AT --single-transaction --quick $DB | zstd -q -f -o dump.zst")},
		{name: "mydumper -c", run: r.shell("rm -rf my; mydumper $AT -B $DB -t $JOBS -c -r 500000 -o my")},
	}
	contest(contenders)
	report(b, contenders)
}

// BenchmarkMySQLRestore compares restore, with and without reading the rows
// back, with the client and with myloader.
func BenchmarkMySQLRestore(b *testing.B) {
	r := newMySQLRig(b)
	r.run(r.onMySQL("backup"))
	r.shell(`mariadb-dump --no-defaults $AT --single-transaction --quick $DB > dump.sql
		mydumper $AT -B $DB -t $JOBS -c -r 500000 -o my`)()
	admin := r.server.Open(b, "")
	into := func(name string, run func() (time.Duration, int64)) contender {
		return contender{name: name, run: func() (time.Duration, int64) {
			dropDatabase(b, admin, "benched")
			return run()
		}}
	}
	ours := func(args ...string) func() (time.Duration, int64) {
		return func() (time.Duration, int64) {
			return r.run(r.onMySQL(append([]string{"restore", "latest", "--as", "benched"}, args...)...))
		}
	}
	contenders := []contender{
		into("harbordb restore", ours()),
		into("without read-back", ours("--skip-read-back")),
		into("mariadb < dump.sql", r.shell("mariadb --no-defaults $AT -e 'CREATE DATABASE benched CHARACTER SET utf8'; mariadb --no-defaults $AT benched < dump.sql")),
		into("myloader", r.shell("myloader $AT -B benched -t $JOBS -d my")),
	}
	contest(contenders)
	report(b, contenders)
}
