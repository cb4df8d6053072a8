package orphans_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// benchTags are the sizes of the registries that BenchmarkFolder generates;
// HARBORDB_BENCH_TAGS=10000,100000 makes others. They lie in TMPDIR, or in
// HARBORDB_BENCH_TREES, where they are kept for the next run.
func benchTags(b *testing.B) (sizes []int) {
	text := os.Getenv("HARBORDB_BENCH_TAGS")
	if text == "" {
		text = "10000"
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// BenchmarkFolder scans a registry in a folder, beside what else could look at
// all of it: the registry's own garbage collection, and find.
func BenchmarkFolder(b *testing.B) {
	for _, tags := range benchTags(b) {
		b.Run(fmt.Sprintf("tags=%d", tags), func(b *testing.B) {
			top := benchTree(b, tags)
			find := fastest(b, func() { listAll(b, top) })
			collect := fastest(b, func() { collectGarbage(b, top) })
			var scan time.Duration
			for b.Loop() {
				scan = fastest(b, func() { scanFolder(b, top, tags, "") })
			}
			cache := b.TempDir()
			scanFolder(b, top, tags, cache)
			again := fastest(b, func() { scanFolder(b, top, tags, cache) })
			b.ReportMetric(scan.Seconds(), "scan-s")
			b.ReportMetric(again.Seconds(), "cached-scan-s")
			b.ReportMetric(find.Seconds(), "find-s")
			b.ReportMetric(collect.Seconds(), "gc-s")
			b.ReportMetric(scan.Seconds()/find.Seconds(), "scan/find")
			b.ReportMetric(collect.Seconds()/scan.Seconds(), "gc/scan")
		})
	}
}

// BenchmarkBucket scans a registry of 1,000 tags in a bucket beside the
// registry's own garbage collection. The server is in this process, so that a
// request costs next to nothing: over a network the requests decide.
func BenchmarkBucket(b *testing.B) {
	const tags = 1000
	reg := registrytest.S3(b)
	eachImageFile(tags, func(name string, content []byte) { reg.Put(b, reg.Key(name), content) })
	tree, err := registry.Open(b.Context(), reg.Reader(b))
	if err != nil {
		b.Fatal(err)
	}
	collect := fastest(b, func() { reg.GarbageCollect(b, "--dry-run") })
	var scan time.Duration
	for b.Loop() {
		scan = fastest(b, func() { scanTags(b, tree, tags, orphans.Options{}) })
	}
	b.ReportMetric(scan.Seconds(), "scan-s")
	b.ReportMetric(collect.Seconds(), "gc-s")
	b.ReportMetric(collect.Seconds()/scan.Seconds(), "gc/scan")
}

// benchTree returns the folder of a registry with so many tags.
func benchTree(b *testing.B, tags int) string {
	kept := os.Getenv("HARBORDB_BENCH_TREES")
	if kept == "" {
		top := b.TempDir()
		writeImages(b, top, tags)
		return top
	}
	top := filepath.Join(kept, strconv.Itoa(tags))
	if _, err := os.Stat(top); err == nil {
		return top
	}
	writeImages(b, top+".part", tags)
	if err := os.Rename(top+".part", top); err != nil {
		b.Fatal(err)
	}
	return top
}

// enough is when a measurement is long enough to be made once.
const enough = 20 * time.Second

// fastest is the least time of three runs, because others use the machine,
// too; what is long is run less often.
func fastest(b *testing.B, f func()) time.Duration {
	least, begin := time.Duration(1<<62), time.Now()
	for range 3 {
		start := time.Now()
		f()
		least = min(least, time.Since(start))
		if time.Since(begin) > enough {
			break
		}
	}
	return least
}

func listAll(b *testing.B, top string) {
	cmd := exec.Command("find", top, "-printf", `%p %s %T@\n`)
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
}

func collectGarbage(b *testing.B, top string) {
	config := filepath.Join(b.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %q}\n", top)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command("docker-registry", "garbage-collect", "--dry-run", config).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

func scanFolder(b *testing.B, top string, tags int, cache string) {
	scanTags(b, openFolder(b, top), tags, orphans.Options{CacheDir: cache, Split: 500})
}

func scanTags(b *testing.B, tree *registry.Tree, tags int, o orphans.Options) {
	o.Now, o.TempDir = time.Now(), b.TempDir()
	r, err := orphans.Scan(b.Context(), tree, nil, o)
	if err != nil {
		b.Fatal(err)
	}
	if len(r.Findings) > 0 || !r.Complete || r.Stats.Tags != int64(tags) {
		b.Fatalf("%+v", r)
	}
}

// writeImages writes a registry of so many tags, with 12 files a tag: an image
// has three layers of its own, shares three with its repository, and is the
// only one that its tag has ever meant.
func writeImages(b *testing.B, top string, tags int) {
	b.Helper()
	eachImageFile(tags, func(name string, content []byte) { writeFile(b, top, treeRoot+name, content) })
}
