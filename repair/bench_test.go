package repair_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// manyTasks are two million tasks of 200,000 executions, of which the last
// 1,000 hang with ten thousand tasks.
const manyTasks = `
INSERT INTO replication_policy (id, name, enabled) VALUES (8, 'nightly', true);
INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, end_time, revision, update_time)
SELECT i, CASE i % 4 WHEN 0 THEN 'IMAGE_SCAN' ELSE 'REPLICATION' END, 1 + i % 40, 'Success', 'MANUAL', '{}', '2024-01-01', '2024-01-01 00:05', 20, '2024-01-01 00:05'
FROM generate_series(1, 199000) i;
INSERT INTO execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, revision, update_time)
SELECT i, 'REPLICATION', 8, 'Running', 'MANUAL', '{}', '2024-01-02', 1, '2024-01-02' FROM generate_series(199001, 200000) i;
INSERT INTO task (id, execution_id, vendor_type, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, start_time, update_time, end_time)
SELECT i, 1 + (i - 1) / 10, CASE (1 + (i - 1) / 10) % 4 WHEN 0 THEN 'IMAGE_SCAN' ELSE 'REPLICATION' END, md5(i::text), 'Success', 3, 1704067200, 1,
	('{"operation":"copy","resource_type":"artifact","source_resource":"library/app:[v' || i || ']","destination_resource":"mirror/app:[v' || i || ']"}')::json,
	'2024-01-01', '2024-01-01', '2024-01-01 00:05', '2024-01-01 00:05'
FROM generate_series(1, 1990000) i;
INSERT INTO task (id, execution_id, vendor_type, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time)
SELECT i, 1 + (i - 1) / 10, 'REPLICATION', md5(i::text), CASE i % 2 WHEN 0 THEN 'Running' ELSE 'Pending' END, CASE i % 2 WHEN 0 THEN 2 ELSE 0 END, 1704153600, 1,
	('{"operation":"copy","resource_type":"artifact","source_resource":"library/app:[v' || i || ']","destination_resource":"mirror/app:[v' || i || ']"}')::json,
	'2024-01-02', '2024-01-02'
FROM generate_series(1990001, 2000000) i;
SELECT setval('task_id_seq', 2000000), setval('execution_id_seq', 200000);
`

// byHand is the SQL that maintainers and users have posted for stuck
// replication, with what they left out: times, codes and revisions.
const byHand = `
BEGIN;
UPDATE task SET status = 'Stopped', status_code = 3, end_time = now() AT TIME ZONE 'UTC', update_time = now() AT TIME ZONE 'UTC'
	WHERE vendor_type = 'REPLICATION' AND status IN ('Pending', 'Scheduled', 'Running');
UPDATE execution SET status = 'Stopped', end_time = now() AT TIME ZONE 'UTC', update_time = now() AT TIME ZONE 'UTC', revision = revision + 1
	WHERE vendor_type = 'REPLICATION' AND status = 'Running';
COMMIT;
`

// rounds is how often each way is measured, by turns.
const rounds = 5

// BenchmarkReplication finishes ten thousand stuck tasks among two million, by
// hand and with the repair (plan, journal on disk, apply), while a second
// connection keeps writing. It reports the mean time of each in ms, how many
// times as long the repair takes, and the longest that the writer was stopped.
func BenchmarkReplication(b *testing.B) {
	server := dbtest.PostgreSQL(b)
	settings := server.CreateDatabase(b)
	template := settings.Database
	loaded := dbtest.Open(b, settings)
	if err := harborsql.BuildPostgreSQL(b.Context(), loaded, 180); err != nil {
		b.Fatal(err)
	}
	loaded.Close()
	server.Exec(b, template, manyTasks)
	server.Exec(b, template, "VACUUM ANALYZE")
	hand, made := way{finish: finishByHand}, way{finish: finishByRepair}
	for b.Loop() {
		for range rounds {
			hand.measure(b, server, template)
			made.measure(b, server, template)
		}
	}
	b.ReportMetric(hand.mean(), "ms-by-hand")
	b.ReportMetric(made.mean(), "ms-repair")
	b.ReportMetric(made.mean()/hand.mean(), "x-by-hand")
	b.ReportMetric(milliseconds(hand.stopped), "ms-writer-stopped-by-hand")
	b.ReportMetric(milliseconds(made.stopped), "ms-writer-stopped-by-repair")
}

// way is one way to finish the tasks, and what was measured of it.
type way struct {
	finish  func(*testing.B, database.Settings)
	took    []time.Duration
	stopped time.Duration // the longest time that the writer waited
}

// measure goes the way once, in a copy of a database that the server has read.
func (w *way) measure(b *testing.B, server *dbtest.Server, template string) {
	copied := "t" + strings.ToLower(rand.Text())
	server.Exec(b, "", "CREATE DATABASE "+copied+" TEMPLATE "+template)
	settings := server.Settings(copied)
	server.Exec(b, copied, "SELECT count(*) FROM task; SELECT count(*) FROM execution; CHECKPOINT")
	stop := keepWriting(b, settings)
	start := time.Now()
	w.finish(b, settings)
	w.took = append(w.took, time.Since(start))
	w.stopped = max(w.stopped, stop())
	requireNoneOpen(b, settings)
	server.Exec(b, "", "DROP DATABASE "+copied+" WITH (FORCE)")
}

// mean is in milliseconds.
func (w *way) mean() float64 {
	var sum time.Duration
	for _, d := range w.took {
		sum += d
	}
	return milliseconds(sum) / float64(len(w.took))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func finishByHand(b *testing.B, settings database.Settings) {
	dbtest.Exec(b, settings, byHand)
}

func finishByRepair(b *testing.B, settings database.Settings) {
	db, err := database.Open(b.Context(), settings)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	store, err := dir.Create(b.TempDir() + "/store")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	p, err := repair.PlanReplication(b.Context(), db, "", repair.Options{OlderThan: repair.Day})
	if err != nil {
		b.Fatal(err)
	}
	if len(p.Rows) != 11000 {
		b.Fatalf("%d rows", len(p.Rows))
	}
	if _, err := repair.Apply(b.Context(), db, repair.NewJournal(store, rand.Reader, "bench"), p); err != nil {
		b.Fatal(err)
	}
}

// keepWriting does what a busy core does to other rows, until the returned
// function ends it and says how long the longest statement took.
func keepWriting(b *testing.B, settings database.Settings) func() time.Duration {
	db := dbtest.Open(b, settings)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var longest time.Duration
	running.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			start := time.Now()
			if err := writeOnce(db, n); err != nil {
				b.Error(err)
				return
			}
			longest = max(longest, time.Since(start))
		}
	})
	return func() time.Duration {
		cancel()
		running.Wait()
		db.Close()
		return longest
	}
}

func writeOnce(db *sql.DB, n int) error {
	_, err := db.Exec(fmt.Sprintf(`
		WITH e AS (INSERT INTO execution (vendor_type, vendor_id, status, trigger, start_time, revision)
			VALUES ('IMAGE_SCAN', 1, 'Running', 'MANUAL', now(), 0) RETURNING id)
		INSERT INTO task (execution_id, vendor_type, status, status_code) SELECT id, 'IMAGE_SCAN', 'Pending', 0 FROM e;
		UPDATE task SET status_message = 'seen', update_time = now() WHERE id = %d`, n))
	return err
}

func requireNoneOpen(b *testing.B, settings database.Settings) {
	db := dbtest.Open(b, settings)
	defer db.Close()
	var open int
	err := db.QueryRow(`SELECT count(*) FROM task WHERE vendor_type = 'REPLICATION' AND status_code <> 3`).Scan(&open)
	if err != nil || open > 0 {
		b.Fatalf("%d tasks are open: %v", open, err)
	}
}
