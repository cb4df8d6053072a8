package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/atomicfile"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

func orphansCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "orphans",
		Usage: "find what points at nothing in the registry's storage",
		Subcommands: []*cli.Command{{
			Name:  "scan",
			Usage: "compare the registry's storage with itself and with the database",
			Description: "Finds tags of 0 bytes, links, manifests and layers that are missing, empty or wrong, " +
				"rows without storage and storage without rows, blobs in use that the next garbage collection would delete, and waste. " +
				"Says what suffers from each cause and the way out. Only reads; Harbor may run. " +
				"Without --storage or --registry-config the storage is that of --harbor-config, of /etc/registry/config.yml, or of REGISTRY_STORAGE_… variables.\n\n" +
				"Ends with 3 where it has found something, with 0 where there is only waste, with 1 where it could not read everything.",
			UsageText: "harbordb orphans scan --storage /data/registry\n" +
				"harbordb orphans scan --registry-config config.yml --project library --deep\n" +
				"harbordb orphans scan --storage 's3://bucket/folder?endpoint=http://rgw:8080' --no-db --csv found.csv",
			Flags: append(registryFlags(),
				&cli.StringFlag{Name: "project", Usage: "only this project (`NAME`)"},
				&cli.StringFlag{Name: "repository", Usage: "only this repository, with its project (`NAME`)"},
				&cli.BoolFlag{Name: "deep", Usage: "read and hash every manifest, and compare it with the database"},
				&cli.BoolFlag{Name: "verify-data", Usage: "read and hash every blob"},
				&cli.StringFlag{Name: "rate", Usage: "with --verify-data, read at most so much in a second, such as 50MiB (`BYTES`)"},
				&cli.BoolFlag{Name: "report-anyway", Usage: "list what is missing even where that is so much that a setting must be wrong"},
				&cli.BoolFlag{Name: "no-db", Usage: "without Harbor's database: a plain registry, or Harbor's storage alone"},
				&cli.StringFlag{Name: "csv", Usage: "also write findings and waste to `FILE`"},
				&cli.StringFlag{Name: "cache", Usage: "keep what manifests refer to in `FOLDER`, so that the next scan need not read them; none for no cache (default: in the user's cache folder)"},
			),
			Action: func(c *cli.Context) error { return runOrphansScan(c, s) },
		}},
	}
}

func runOrphansScan(c *cli.Context, s *session) error {
	options, err := s.scanOptions(c)
	if err != nil {
		return err
	}
	if options.Project == "" && options.Repository == "" {
		s.metrics.begin("scan") // one of a part says nothing of the rest
	}
	store, err := s.openRegistryStore(c)
	if err != nil {
		return err
	}
	if folder, ok := store.(*dir.Reader); ok {
		defer folder.Close()
		options.Split = folderSplit
	}
	tree, err := registry.Open(c.Context, store)
	if err != nil {
		return err
	}
	var db *orphans.Database
	keep := func(*orphans.Report) error { return nil }
	if !c.Bool("no-db") {
		conn, err := s.connect(c.Context)
		if err != nil {
			return fault.Hint(err, "%s", joinHints(fault.HintOf(err), "or scan without the database: --no-db"))
		}
		defer conn.Close()
		db = scanDatabase(conn)
		keep = func(r *orphans.Report) error { return s.keepScan(c.Context, conn, r) }
	}
	var done func()
	options.Progress, done = s.console.progress()
	report, err := orphans.Scan(c.Context, tree, db, options)
	done()
	if err != nil {
		return err
	}
	s.metrics.scan(report)
	if file := c.String("csv"); file != "" {
		if err := writeCSV(file, report); err != nil {
			return err
		}
	}
	if report.CacheError != "" {
		s.console.warn("the cache of manifests is not used: %s", report.CacheError)
	}
	if err := keep(report); err != nil {
		s.console.warn("doctor will not know of this scan: %v", err)
	}
	if err := s.console.print(report, func(p *page) { scanText(p, report) }); err != nil {
		return err
	}
	return scanVerdict(report)
}

func joinHints(hints ...string) string {
	var all []string
	for _, h := range hints {
		if h != "" {
			all = append(all, h)
		}
	}
	return strings.Join(all, "; ")
}

// scanVerdict is how a scan ends: unfinished, with findings, or well.
func scanVerdict(r *orphans.Report) error {
	switch {
	case r.Implausible != "" && r.Scope != "" && r.Stats.Repositories == 0:
		return fault.Failedf("nothing was scanned: %s", r.Implausible).
			WithHint("check the names in --project and --repository, and the storage")
	case r.Implausible != "" && !r.Found():
		return fault.Failedf("the result is not plausible: %s", r.Implausible).
			WithHint("check --storage or --registry-config, and that --dsn names the database of the same Harbor; if nothing is wrong there and this is the damage, --report-anyway lists it")
	case !r.Complete:
		return fault.Failedf("the scan could not read everything: %s missing, the first: %s", plural(len(r.Gaps), "part"), r.Gaps[0].Error).
			WithHint("see that the storage can be read, by this user and with these keys, and scan again")
	case r.Found():
		return fault.Foundf("%s in %s", plural(len(r.Findings), "finding"), r.Storage).
			WithHint("the way out stands with each finding; -o json and --csv FILE have all of them")
	}
	return nil
}

// scanOptions reads the flags of a scan.
func (s *session) scanOptions(c *cli.Context) (orphans.Options, error) {
	o := orphans.Options{
		Now: time.Now(), TempDir: os.TempDir(), CacheDir: s.cacheFolder(c.String("cache")),
		Project: c.String("project"), Repository: c.String("repository"), Depth: orphans.Metadata,
		Anyway: c.Bool("report-anyway"),
	}
	if c.Bool("deep") {
		o.Depth = orphans.Manifests
	}
	if c.Bool("verify-data") {
		o.Depth = orphans.Data
	}
	if rate := c.String("rate"); rate != "" {
		n, err := parseBytes(rate)
		if err != nil || n <= 0 {
			return o, fault.Usagef("--rate %q: it is a number of bytes, such as 50MiB", rate)
		}
		if o.Depth != orphans.Data {
			return o, fault.Usagef("--rate is for --verify-data")
		}
		o.BytesPerSecond = n
	}
	return o, nil
}

// folderSplit is from how many names on a list of a folder is divided: reading
// a folder again costs nothing like a request to a bucket.
const folderSplit = 500

// cacheFolder is where scans keep what manifests refer to; it is empty where
// nobody wants it or there is no place for it.
func (s *session) cacheFolder(flag string) string {
	switch {
	case flag == "none":
		return ""
	case flag != "":
		return flag
	}
	if base := s.env.get("XDG_CACHE_HOME"); base != "" {
		return filepath.Join(base, "harbordb", "manifests")
	}
	if home := s.env.get("HOME"); home != "" && home != "/" {
		return filepath.Join(home, ".cache", "harbordb", "manifests")
	}
	return ""
}

// parseBytes reads "1048576", "50MB" or "50MiB": decimal and binary units.
func parseBytes(text string) (int64, error) {
	digits := strings.TrimRight(text, "BbKMGTkmgti")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil {
		return 0, err
	}
	unit, ok := byteUnits[strings.ToLower(strings.TrimSpace(text[len(digits):]))]
	if !ok || n > (1<<62)/unit {
		return 0, fmt.Errorf("%q is no number of bytes", text)
	}
	return n * unit, nil
}

var byteUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
}

// scanDatabase is a database as a scan reads it: in transactions that cannot
// write.
func scanDatabase(db *database.DB) *orphans.Database {
	return &orphans.Database{
		Name: db.Settings().String(), Engine: db.Engine(),
		Begin: func(ctx context.Context) (database.Querier, func() error, error) {
			tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
			if err != nil {
				return nil, nil, fmt.Errorf("begin to read %s: %w", db.Settings(), err)
			}
			return tx, tx.Rollback, nil
		},
	}
}

// writeCSV writes the file as a whole: a scan that fails before leaves an older
// one alone.
func writeCSV(path string, r *orphans.Report) error {
	if _, err := atomicfile.Replace(path, 0o600, r.WriteCSV); err != nil {
		return fault.Failedf("--csv: %w", err)
	}
	return nil
}
