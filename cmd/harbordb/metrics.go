package main

import (
	"context"
	"fmt"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/doctor"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/textfile"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/snapshots"
)

// metricsPrefix begins the name of every metric; docs/METRICS.md tells of each.
const metricsPrefix = "harbordb_"

// The values of the label database where it is not one database.
const (
	unknownDatabase = "unknown" // the run failed before it knew
	allDatabases    = "all"     // of a run that is about a whole store
)

// metricHelp are the metrics by their names without the prefix.
var metricHelp = map[string]string{
	"last_run_timestamp_seconds":        "When the command last ended, well or not.",
	"last_success_timestamp_seconds":    "When the command last did its work to the end; findings of doctor and scan are no failure.",
	"last_run_duration_seconds":         "How long the last run took.",
	"last_run_exit_code":                "How the last run ended: 0 done, 1 failed, 2 wrong call, 3 found what it looks for, 4 refused, 130 interrupted.",
	"snapshot_bytes":                    "Size, as stored, of the snapshot that the last successful run wrote or read.",
	"snapshot_timestamp_seconds":        "The moment that the data of that snapshot shows.",
	"findings":                          "What the last run found, by code and severity.",
	"waste_bytes":                       "What serves nobody in the registry's storage, by code.",
	"store_snapshots":                   "Good snapshots in the store.",
	"store_bytes":                       "Size of the good snapshots in the store.",
	"store_newest_timestamp_seconds":    "The moment that the newest good snapshot shows.",
	"store_corrupt_snapshots":           "Snapshots in the store whose manifests cannot be used.",
	"store_last_read_timestamp_seconds": "When the store was last listed for these numbers.",
}

// metricsLockTimeout bounds the wait for other runs that write the same file.
const metricsLockTimeout = 10 * time.Second

// measurement is what one run leaves in --metrics-file. Commands that are not
// measured never begin one. The zero value is ready.
type measurement struct {
	command  string // empty until begin
	began    time.Time
	database string
	families []textfile.Family // beside those that every run has
	store    blobstore.Store   // to be listed at the end; nil where the run is not about one
}

// begin starts to measure the run under the name of a command.
func (m *measurement) begin(command string) {
	m.command, m.began = command, time.Now()
}

// about says which database the run is about, as far as a name tells.
func (m *measurement) about(host, database string) { m.database = host + "/" + database }

func (m *measurement) add(name string, samples ...textfile.Sample) {
	m.families = append(m.families, metric(name, samples...))
}

func metric(name string, samples ...textfile.Sample) textfile.Family {
	return textfile.Family{Name: metricsPrefix + name, Help: metricHelp[name], Samples: samples}
}

func gauge[N int | int64 | float64](n N) textfile.Sample { return textfile.Sample{Value: float64(n)} }

// snapshot records the snapshot that a run wrote, or has read and found good.
func (m *measurement) snapshot(row snapshotRow) {
	m.add("snapshot_bytes", gauge(row.Stored))
	if row.Time != nil {
		m.add("snapshot_timestamp_seconds", gauge(row.Time.Unix()))
	}
}

// scan records what a whole scan found. What could not be read or believed
// leaves the numbers of the scan before.
func (m *measurement) scan(r *orphans.Report) {
	if r.Implausible != "" || !r.Complete {
		return
	}
	var findings, waste []textfile.Sample
	for _, s := range r.Summary {
		labels := textfile.Labels{"code": string(s.Code), "name": s.Name, "severity": string(s.Severity)}
		findings = append(findings, textfile.Sample{Labels: labels, Value: float64(s.Count)})
	}
	for _, w := range r.Waste {
		waste = append(waste, textfile.Sample{Labels: textfile.Labels{"code": string(w.Code), "name": w.Name}, Value: float64(w.Bytes)})
	}
	m.add("findings", findings...)
	m.add("waste_bytes", waste...)
}

// doctor records what the checks of the database found.
func (m *measurement) doctor(r *doctor.Report) {
	count := map[[2]string]int{}
	for _, f := range r.Findings {
		count[[2]string{f.ID, string(f.Severity)}] += max(f.Count, 1)
	}
	var findings []textfile.Sample
	for key, n := range count {
		labels := textfile.Labels{"code": key[0], "severity": key[1]}
		findings = append(findings, textfile.Sample{Labels: labels, Value: float64(n)})
	}
	m.add("findings", findings...)
}

// checkMetricsFile refuses, before anything is done, a file that could not be
// written in the end.
func checkMetricsFile(path string) error {
	if path == "" {
		return nil
	}
	if err := (textfile.File{Path: path, Prefix: metricsPrefix}).Check(); err != nil {
		return fault.Usagef("--metrics-file: %w", err).
			WithHint("it names a file in the folder of node_exporter's --collector.textfile.directory, such as harbordb.prom, that harbordb has for itself")
	}
	return nil
}

// leaveMetrics writes what the run has measured. The result of the command
// stands, whatever comes of it.
func (s *session) leaveMetrics(ctx context.Context, failure error) {
	m := &s.metrics
	if s.global.metricsFile == "" || m.command == "" {
		return
	}
	code := exitCode(ctx, failure)
	// An interrupted run is to be seen, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsLockTimeout)
	defer cancel()
	now := time.Now()
	updates := m.updates(code, now)
	if m.store != nil && code != exitInterrupted {
		listed, err := storeMetrics(ctx, m.store, now)
		if err != nil {
			s.console.warn("--metrics-file keeps what it had of the store: %v", err)
		} else {
			updates = append(updates, listed)
		}
	}
	file := textfile.File{Path: s.global.metricsFile, Prefix: metricsPrefix}
	if err := file.Merge(ctx, updates...); err != nil {
		s.console.warn("--metrics-file: %v", err)
	}
}

// updates are the series of the run. Where it knows its database it also takes
// away what an earlier run left that did not.
func (m *measurement) updates(code int, now time.Time) []textfile.Update {
	families := append([]textfile.Family{
		metric("last_run_timestamp_seconds", gauge(now.Unix())),
		metric("last_run_duration_seconds", gauge(now.Sub(m.began).Seconds())),
		metric("last_run_exit_code", gauge(code)),
	}, m.families...)
	if m.done(code) {
		families = append(families, metric("last_success_timestamp_seconds", gauge(now.Unix())))
	}
	if m.database == "" {
		return []textfile.Update{{Scope: m.scope(unknownDatabase), Families: families}}
	}
	var emptied []textfile.Family
	for _, f := range families {
		emptied = append(emptied, textfile.Family{Name: f.Name, Help: f.Help})
	}
	return []textfile.Update{
		{Scope: m.scope(m.database), Families: families},
		{Scope: m.scope(unknownDatabase), Families: emptied},
	}
}

func (m *measurement) scope(database string) textfile.Labels {
	return textfile.Labels{"command": m.command, "database": database}
}

// done tells whether the command did its work to the end. What doctor and scan
// find is a result, and has a metric of its own; a snapshot that does not
// verify is a failure.
func (m *measurement) done(code int) bool {
	looks := m.command == "doctor" || m.command == "scan"
	return code == 0 || looks && code == int(fault.Found)
}

// storeMetrics are the numbers of a store, by the database that snapshots are
// of.
func storeMetrics(ctx context.Context, store blobstore.Store, now time.Time) (textfile.Update, error) {
	entries, err := snapshots.List(ctx, store, now)
	if err != nil {
		return textfile.Update{}, err
	}
	type totals struct{ count, bytes, newest int64 }
	of := map[string]totals{}
	corrupt := 0
	for _, e := range entries {
		switch {
		case e.Unfinished:
		case !e.Good():
			corrupt++
		default:
			name := e.Manifest.Source.Host + "/" + e.Manifest.Source.Database
			t := of[name]
			of[name] = totals{t.count + 1, t.bytes + e.Size, max(t.newest, e.Manifest.Time.Unix())}
		}
	}
	var count, bytes, newest []textfile.Sample
	for name, t := range of {
		labels := textfile.Labels{"database": name}
		count = append(count, textfile.Sample{Labels: labels, Value: float64(t.count)})
		bytes = append(bytes, textfile.Sample{Labels: labels, Value: float64(t.bytes)})
		newest = append(newest, textfile.Sample{Labels: labels, Value: float64(t.newest)})
	}
	return textfile.Update{Scope: textfile.Labels{"store": fmt.Sprint(store)}, Families: []textfile.Family{
		metric("store_snapshots", count...), metric("store_bytes", bytes...), metric("store_newest_timestamp_seconds", newest...),
		metric("store_corrupt_snapshots", gauge(corrupt)), metric("store_last_read_timestamp_seconds", gauge(now.Unix())),
	}}, nil
}
