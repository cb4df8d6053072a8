package orphans_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// The variables by which this binary scans a synthetic bucket instead of
// running tests: how many tags, and the folder of its manifests.
const (
	memoryTags   = "HARBORDB_TEST_SYNTHETIC_TAGS"
	memoryFolder = "HARBORDB_TEST_SYNTHETIC_FOLDER"
)

// syntheticScan scans and prints the peak of the process's memory in bytes.
func syntheticScan() int {
	tags, err := strconv.Atoi(os.Getenv(memoryTags))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	store, err := openSynthetic(os.Getenv(memoryFolder), tags)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	tree := registry.At(store, registry.Root{Prefix: treeRoot})
	r, err := orphans.Scan(context.Background(), tree, nil, orphans.Options{Now: time.Now(), TempDir: os.Getenv(memoryFolder), Settle: -1})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if !r.Complete || r.Implausible != "" || len(r.Findings) > 0 || len(r.Waste) > 0 || r.Stats.Tags != int64(tags) || r.Stats.Manifests != int64(tags) {
		fmt.Printf("%+v\n", *r)
		return 1
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), " kB"))
			if err != nil {
				fmt.Println(err)
				return 1
			}
			fmt.Println(kilobytes << 10)
			return 0
		}
	}
	return 1
}

// peakMemory scans so many tags in a process of its own.
func peakMemory(t testing.TB, tags int) (bytes int64, took time.Duration) {
	t.Helper()
	folder := t.TempDir()
	s, err := newSynthetic(folder, tags)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.manifests.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", memoryTags, tags), memoryFolder+"="+folder)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	bytes, err = strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatalf("%s", out)
	}
	return bytes, time.Since(start)
}

// mostMemory is what a scan of any size may take.
const mostMemory = 200 << 20

func TestMemoryIsBounded(t *testing.T) {
	if peak, _ := peakMemory(t, 100_000); peak > mostMemory {
		t.Errorf("%d MB for 100,000 tags", peak>>20)
	} else {
		t.Logf("%d MB", peak>>20)
	}
}

// BenchmarkMemory scans 1,000,000 and 10,000,000 tags and reports the peak.
func BenchmarkMemory(b *testing.B) {
	for _, tags := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("tags=%d", tags), func(b *testing.B) {
			for b.Loop() {
				peak, took := peakMemory(b, tags)
				b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
				b.ReportMetric(took.Seconds(), "scan-s")
				if peak > mostMemory {
					b.Errorf("%d MB for %d tags", peak>>20, tags)
				}
			}
		})
	}
}
