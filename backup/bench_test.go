package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
	"github.com/jackc/pgx/v5"
)

// benchRows is how many rows the dominant table of the generated Harbor has,
// in thousands; HARBORDB_BENCH_KROWS changes it. A thousand rows are about a
// quarter of a megabyte in the database, indexes included.
func benchRows(b *testing.B) int {
	text := os.Getenv("HARBORDB_BENCH_KROWS")
	if text == "" {
		return 3000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 10 {
		b.Fatalf("HARBORDB_BENCH_KROWS=%q is no number from 10", text)
	}
	return n
}

// rounds is how often each tool runs, in turn with the others; the fastest run
// counts.
const rounds = 5

// generate fills a Harbor 2.15 with one dominant table, as scanning makes it.
// Its indexes are made when it is full, which takes a fifth of the time.
const generate = `
ALTER TABLE report_vulnerability_record DROP CONSTRAINT fk_report_uuid, DROP CONSTRAINT fk_vuln_record_id,
  DROP CONSTRAINT report_vulnerability_record_pkey, DROP CONSTRAINT report_vulnerability_record_report_uuid_vuln_record_id_key;
DROP INDEX idx_report_vulnerability_record_vuln_record_id;
INSERT INTO scanner_registration (uuid, url, name, auth) VALUES ('scanner', 'http://trivy', 'trivy', '');
INSERT INTO scan_report (uuid, digest, registration_uuid, mime_type)
  SELECT md5(i::text), 'sha256:' || md5(i::text) || md5((i+1)::text), 'scanner', 'application/vnd.security.vulnerability.report; version=1.1'
  FROM generate_series(1, %[1]d * 10) i;
INSERT INTO vulnerability_record (cve_id, registration_uuid, package, package_version, severity, fixed_version, urls, cvss_score_v3, cvss_score_v2, cvss_vector_v3, description, vendor_attributes)
  SELECT 'CVE-2024-' || i, 'scanner', 'package-' || (i %% 977), '1.' || i, (ARRAY['High','Low','Critical','Medium'])[i %% 4 + 1], '2.' || i,
    'https://avd.aquasec.com/nvd/cve-2024-' || i, (i %% 100) / 10.0, (i %% 97) / 10.0, 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:' || md5(i::text),
    repeat(md5(i::text) || ' is a flaw in the way input is read. ', 1 + i %% 5), '{"CVSS": {"nvd": {"V3Score": 7.5}}}'
  FROM generate_series(1, %[1]d * 20) i;
INSERT INTO report_vulnerability_record (report_uuid, vuln_record_id)
  SELECT md5((1 + i / 100)::text), 1 + (i::bigint * 7919) %% (%[1]d * 20) FROM generate_series(0, %[1]d * 1000 - 1) i;
INSERT INTO audit_log_ext (project_id, operation, resource_type, resource, username, op_desc, op_result, op_time)
  SELECT i %% 50, 'pull', 'artifact', 'library/app-' || (i %% 500) || '@sha256:' || md5(i::text), 'robot$ci-' || (i %% 20), 'pull artifact: library/app', true, now() - i * interval '1 second'
  FROM generate_series(1, %[1]d * 50) i;
INSERT INTO execution (vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time)
  SELECT 'IMAGE_SCAN', i, 'Success', '', 'EVENT', ('{"artifact": {"digest": "sha256:' || md5(i::text) || '", "id": ' || i || '}}')::json, now(), now()
  FROM generate_series(1, %[1]d * 20) i;
INSERT INTO task (vendor_type, execution_id, job_id, status, status_code, extra_attrs, creation_time, start_time, update_time, end_time)
  SELECT 'IMAGE_SCAN', i, md5(i::text), 'Success', 3, ('{"report_uuids": ["' || md5(i::text) || '"]}')::json, now(), now(), now(), now()
  FROM generate_series(1, %[1]d * 20) i;
INSERT INTO blob (digest, content_type, size, status, version) SELECT 'sha256:' || md5(i::text) || md5((i*3)::text), 'application/vnd.oci.image.layer.v1.tar+gzip', i * 1000, 'none', 0
  FROM generate_series(1, %[1]d * 20) i;
ALTER TABLE report_vulnerability_record ADD PRIMARY KEY (id), ADD UNIQUE (report_uuid, vuln_record_id);
CREATE INDEX idx_report_vulnerability_record_vuln_record_id ON report_vulnerability_record (vuln_record_id);
ALTER TABLE report_vulnerability_record ADD CONSTRAINT fk_report_uuid FOREIGN KEY (report_uuid) REFERENCES scan_report(uuid) ON DELETE CASCADE,
  ADD CONSTRAINT fk_vuln_record_id FOREIGN KEY (vuln_record_id) REFERENCES vulnerability_record(id) ON DELETE CASCADE;`

// rig is one server with the generated Harbor, and the binary under test.
type rig struct {
	b        *testing.B
	server   *dbtest.Server
	settings database.Settings
	binary   string
	jobs     int
	dir      string
}

func newRig(b *testing.B) *rig {
	b.Helper()
	// A server as it comes, but for what would happen at odd moments.
	server := dbtest.StartPostgreSQL(b, dbtest.Options{Durable: true, Settings: []string{"shared_buffers = 512MB", "max_wal_size = 16GB", "checkpoint_timeout = 1h"}})
	r := &rig{b: b, server: server, settings: server.CreateDatabase(b), jobs: 2, dir: b.TempDir()}
	db := server.Open(b, r.settings.Database)
	r.must(harborsql.BuildPostgreSQL(b.Context(), db, 180))
	server.Exec(b, r.settings.Database, fmt.Sprintf(generate, benchRows(b)))
	server.Exec(b, r.settings.Database, "VACUUM ANALYZE")
	var bytes int64
	r.must(db.QueryRowContext(b.Context(), "SELECT pg_database_size(current_database())").Scan(&bytes))
	b.Logf("database of %d MB, %d jobs", bytes>>20, r.jobs)
	r.binary = filepath.Join(r.dir, "harbordb")
	build := exec.Command("go", "build", "-o", r.binary, "github.com/harbordb/harbordb/cmd/harbordb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	r.run(build)
	return r
}

func (r *rig) must(err error) {
	r.b.Helper()
	if err != nil {
		r.b.Fatal(err)
	}
}

// run runs a program and returns how long it took and its peak memory.
func (r *rig) run(c *exec.Cmd) (time.Duration, int64) {
	r.b.Helper()
	var out strings.Builder
	c.Stdout, c.Stderr = io.Discard, &out
	began := time.Now()
	if err := c.Run(); err != nil {
		r.b.Fatalf("%v: %v\n%s", c.Args, err, out.String())
	}
	return time.Since(began), c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

func (r *rig) dsn(database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%d", r.settings.User, database, r.settings.Host, r.settings.Port)
}

func (r *rig) harbordb(args ...string) *exec.Cmd {
	c := exec.Command(r.binary, append(args, "--yes", "--quiet", "--jobs", strconv.Itoa(r.jobs), "--store", filepath.Join(r.dir, "store"))...)
	c.Env = []string{"HOME=" + r.dir, "HARBORDB_DSN=" + r.dsn(r.settings.Database)}
	return c
}

func (r *rig) client(name string, args ...string) *exec.Cmd {
	paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(paths) == 0 {
		r.b.Fatalf("%s is not installed; make deps installs it", name)
	}
	c := exec.Command(paths[len(paths)-1], args...)
	c.Env = []string{"HOME=" + r.dir, "PGHOST=" + r.settings.Host, "PGPORT=" + strconv.Itoa(r.settings.Port), "PGUSER=" + r.settings.User}
	return c
}

// drain reads every row over as many connections as the dump has, in the same
// pieces under one snapshot, and throws it away: what no dump can beat.
func (r *rig) drain() time.Duration {
	ctx := r.b.Context()
	began := time.Now()
	leader, err := pgx.Connect(ctx, r.dsn(r.settings.Database))
	r.must(err)
	defer leader.Close(ctx)
	_, err = leader.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	r.must(err)
	var snapshot string
	r.must(leader.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot))
	queries := r.pieces(ctx, leader)
	var next atomic.Int64
	var group sync.WaitGroup
	for range r.jobs {
		group.Go(func() {
			conn, err := pgx.Connect(ctx, r.dsn(r.settings.Database))
			if err != nil {
				r.b.Error(err)
				return
			}
			defer conn.Close(ctx)
			for _, q := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET TRANSACTION SNAPSHOT '" + snapshot + "'"} {
				if _, err := conn.Exec(ctx, q); err != nil {
					r.b.Error(err)
					return
				}
			}
			for i := next.Add(1) - 1; i < int64(len(queries)); i = next.Add(1) - 1 {
				if _, err := conn.PgConn().CopyTo(ctx, io.Discard, queries[i]); err != nil {
					r.b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	runtime.KeepAlive(leader)
	return time.Since(began)
}

func (r *rig) pieces(ctx context.Context, conn *pgx.Conn) []string {
	rows, err := conn.Query(ctx, `SELECT c.oid::regclass::text, pg_relation_size(c.oid) / 8192 FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 2 DESC`)
	r.must(err)
	defer rows.Close()
	var queries []string
	for rows.Next() {
		var name string
		var pages int64
		r.must(rows.Scan(&name, &pages))
		for from := int64(0); from == 0 || from < pages; from += 8192 {
			queries = append(queries, fmt.Sprintf("COPY (SELECT * FROM %s WHERE ctid >= '(%d,0)' AND ctid < '(%d,0)') TO STDOUT", name, from, from+8192))
		}
	}
	r.must(rows.Err())
	return queries
}

// contest runs every contender in turn, rounds times.
func contest(contenders []contender) {
	for range rounds {
		for i := range contenders {
			took, peak := contenders[i].run()
			contenders[i].times = append(contenders[i].times, took)
			contenders[i].peak = max(contenders[i].peak, peak)
		}
	}
}

type contender struct {
	name string
	run  func() (time.Duration, int64)
	// most is what ours may take of this one's time; 0 where nothing is promised.
	most  float64
	times []time.Duration
	peak  int64
}

func (c contender) best() time.Duration { return slices.Min(c.times) }

// report prints the fastest run of each, and what ours, the first, is of it.
func report(b *testing.B, contenders []contender) {
	b.ReportMetric(0, "ns/op") // what it took to compare them tells nobody anything
	ours := contenders[0].best().Seconds()
	for _, c := range contenders {
		ratio := ours / c.best().Seconds()
		line := fmt.Sprintf("%-24s %8.2f s to %8.2f s   ours is %.2f of it", c.name, c.best().Seconds(), slices.Max(c.times).Seconds(), ratio)
		if c.most > 0 {
			line += fmt.Sprintf(" (at most %.2f is promised)", c.most)
		}
		if c.peak > 0 {
			line += fmt.Sprintf("   peak %d MB", c.peak>>20)
		}
		b.Log(line)
		b.ReportMetric(ratio, "x-"+strings.ReplaceAll(c.name, " ", "-"))
	}
}

func folderSize(b *testing.B, path string) (bytes int64) {
	err := filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			info, infoErr := e.Info()
			bytes, err = bytes+info.Size(), infoErr
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// BenchmarkDump compares backup with the raw drain and with pg_dump. All of
// them sync what they write.
func BenchmarkDump(b *testing.B) {
	r := newRig(b)
	out := filepath.Join(r.dir, "out")
	jobs := "-j" + strconv.Itoa(r.jobs)
	sizes := map[string]int64{}
	ours := contender{name: "harbordb backup", run: func() (time.Duration, int64) {
		store := filepath.Join(r.dir, "store")
		r.must(os.RemoveAll(store))
		took, peak := r.run(r.harbordb("backup"))
		sizes["backup"] = folderSize(b, store)
		return took, peak
	}}
	pgDump := func(name string, most float64, args ...string) contender {
		return contender{name: name, most: most, run: func() (time.Duration, int64) {
			r.must(os.RemoveAll(out))
			took, peak := r.run(r.client("pg_dump", append(args, "-d", r.settings.Database, "-f", out)...))
			sizes[name] = folderSize(b, out)
			return took, peak
		}}
	}
	r.drain() // everything is in memory from here on
	contenders := []contender{
		ours,
		{name: "raw drain", most: 1.4, run: func() (time.Duration, int64) { return r.drain(), 0 }},
		pgDump("pg_dump -Fd", 0.45, "-Fd", jobs),
		pgDump("pg_dump -Fd -Z1", 0.9, "-Fd", "-Z1", jobs),
	}
	contest(contenders)
	report(b, contenders)
	b.Logf("stored: %d MB, pg_dump -Fd %d MB, -Z1 %d MB (%.0f %% fewer bytes than that)", sizes["backup"]>>20, sizes["pg_dump -Fd"]>>20,
		sizes["pg_dump -Fd -Z1"]>>20, 100-100*float64(sizes["backup"])/float64(sizes["pg_dump -Fd -Z1"]))
	took, _ := pgDump("pg_dump -Fc", 0, "-Fc").run()
	b.Logf("pg_dump -Fc, which knows no jobs, once: %.2f s", took.Seconds())
	r.jobs += 2
	took, peak := ours.run()
	b.Logf("harbordb backup with %d jobs, once: %.2f s, peak %d MB", r.jobs, took.Seconds(), peak>>20)
}

// BenchmarkRestore compares restore, with and without reading the rows back,
// with pg_restore. Ours alone creates its database and runs ANALYZE within its
// time.
func BenchmarkRestore(b *testing.B) {
	r := newRig(b)
	out := filepath.Join(r.dir, "out")
	r.run(r.client("pg_dump", "-Fd", "-j2", "-d", r.settings.Database, "-f", out))
	r.run(r.harbordb("backup"))
	admin := r.server.Open(b, "postgres")
	into := func(name string, most float64, c func() *exec.Cmd) contender {
		return contender{name: name, most: most, run: func() (time.Duration, int64) {
			dropDatabase(b, admin, "benched")
			run := c()
			r.server.Exec(b, "postgres", "CHECKPOINT") // nobody pays for who was before
			return r.run(run)
		}}
	}
	restore := func(args ...string) func() *exec.Cmd {
		return func() *exec.Cmd {
			return r.harbordb(append([]string{"restore", "latest", "--as", "benched"}, args...)...)
		}
	}
	pgRestore := func() *exec.Cmd {
		r.server.Exec(b, "postgres", "CREATE DATABASE benched TEMPLATE template0")
		return r.client("pg_restore", "-j", strconv.Itoa(r.jobs), "-d", "benched", out)
	}
	inStream := into("restore, in stream", 0, restore("--skip-read-back"))
	readBack := into("restore, read back", 0, restore())
	contenders := []contender{inStream, readBack, into("pg_restore -j", 0.95, pgRestore)}
	contest(contenders)
	report(b, contenders)
	b.Logf("read back and compared, ours is %.2f of pg_restore -j (at most 1.20 is promised)",
		contenders[1].best().Seconds()/contenders[2].best().Seconds())
	r.jobs += 2
	took, peak := readBack.run()
	b.Logf("harbordb restore with %d jobs, once: %.2f s, peak %d MB", r.jobs, took.Seconds(), peak>>20)
}

// BenchmarkSwap measures for how long twenty clients that reconnect at once
// get no answer while one database takes the place of another.
func BenchmarkSwap(b *testing.B) {
	server := dbtest.StartPostgreSQL(b, dbtest.Options{Durable: true})
	var longest []time.Duration
	for range rounds {
		settings := server.CreateDatabase(b)
		db := server.Open(b, settings.Database)
		check(b, harborsql.BuildPostgreSQL(b.Context(), db, 180))
		check(b, db.Close())
		s := take(b, settings, newStore(b), backup.Options{})
		longest = append(longest, outage(b, settings, func() {
			putBack(b, settings, s, target.Options{Mode: target.SwapIn, Name: settings.Database, Disconnect: target.EndSessions})
		}))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(slices.Max(longest).Seconds(), "s-without-answer")
	b.Logf("longest time without an answer in each of %d swaps: %v (at most 0.5 s is promised)", rounds, longest)
}

// outage returns the longest time that one of twenty clients had to wait for
// its next answer while do ran. They reconnect at once.
func outage(b *testing.B, settings database.Settings, do func()) time.Duration {
	ctx, stop := context.WithCancel(b.Context())
	var clients sync.WaitGroup
	var longest, connected atomic.Int64
	up := make(chan struct{})
	for range 20 {
		clients.Go(func() {
			last := time.Now()
			answered := func() {
				now := time.Now()
				gap, most := int64(now.Sub(last)), longest.Load()
				for gap > most && !longest.CompareAndSwap(most, gap) {
					most = longest.Load()
				}
				last = now
			}
			for ctx.Err() == nil {
				client(ctx, settings, func() {
					if connected.Add(1) == 20 {
						close(up)
					}
				}, answered)
			}
		})
	}
	<-up
	longest.Store(0)
	do()
	stop()
	clients.Wait()
	return time.Duration(longest.Load())
}

func dropDatabase(b *testing.B, db *sql.DB, name string) {
	if _, err := db.ExecContext(b.Context(), "DROP DATABASE IF EXISTS "+name); err != nil {
		b.Fatal(err)
	}
}
