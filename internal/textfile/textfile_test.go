package textfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sys/unix"
)

func newFile(t *testing.T) File {
	return File{Path: filepath.Join(t.TempDir(), "harbordb.prom"), Prefix: "harbordb_"}
}

func gauge(name string, samples ...Sample) Family {
	return Family{Name: "harbordb_" + name, Help: "what it is", Samples: samples}
}

func merge(t *testing.T, f File, updates ...Update) {
	t.Helper()
	if err := f.Merge(t.Context(), updates...); err != nil {
		t.Fatal(err)
	}
}

func requireSeries(t *testing.T, f File, want ...string) {
	t.Helper()
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the file holds\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestARunReplacesItsOwnSeriesAlone(t *testing.T) {
	f := newFile(t)
	scan, backup := Labels{"command": "scan"}, Labels{"command": "backup"}
	merge(t, f, Update{scan, []Family{
		gauge("exit_code", Sample{Value: 3}),
		gauge("findings", Sample{Labels{"code": "T3"}, 2}, Sample{Labels{"code": "B2"}, 1}),
	}})
	merge(t, f, Update{backup, []Family{gauge("exit_code", Sample{Value: 0})}})
	requireSeries(t, f, `harbordb_exit_code{command="backup"} 0`, `harbordb_exit_code{command="scan"} 3`,
		`harbordb_findings{code="B2",command="scan"} 1`, `harbordb_findings{code="T3",command="scan"} 2`)

	// A family that is not named stays, one without samples goes.
	merge(t, f, Update{scan, []Family{gauge("exit_code", Sample{Value: 1})}})
	requireSeries(t, f, `harbordb_exit_code{command="backup"} 0`, `harbordb_exit_code{command="scan"} 1`,
		`harbordb_findings{code="B2",command="scan"} 1`, `harbordb_findings{code="T3",command="scan"} 2`)
	merge(t, f, Update{scan, []Family{gauge("findings")}})
	requireSeries(t, f, `harbordb_exit_code{command="backup"} 0`, `harbordb_exit_code{command="scan"} 1`)
	info, err := os.Stat(f.Path)
	if err != nil || info.Mode().Perm() != Mode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestValuesOfLabelsComeBackAsTheyWere(t *testing.T) {
	f := newFile(t)
	odd := "a \"quoted\" \\ back\\nslash\nand a line, ü}"
	for range 2 { // the second run must find its own series
		merge(t, f, Update{Labels{"database": odd}, []Family{gauge("bytes", Sample{Value: 1 << 40})}})
	}
	requireSeries(t, f, `harbordb_bytes{database="a \"quoted\" \\ back\\nslash\nand a line, ü}"} 1.099511627776e+12`)
}

func TestFilesOfOthersStay(t *testing.T) {
	for what, text := range map[string]string{
		"other metrics":   "# TYPE node_load1 gauge\nnode_load1 1\n",
		"no metrics":      "keep me\n",
		"another type":    "# TYPE harbordb_runs counter\nharbordb_runs 1\n",
		"a file cut off":  "# TYPE harbordb_x gauge\nharbordb_x{command=\"ba",
		"the same number": "harbordb_x 1\nharbordb_x 1 1 1\n",
	} {
		f := newFile(t)
		if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{f.Check(), f.Merge(t.Context(), Update{})} {
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got, err := os.ReadFile(f.Path); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	folder := File{Path: t.TempDir(), Prefix: "harbordb_"}
	if err := folder.Check(); !errors.Is(err, ErrForeign) {
		t.Errorf("a folder: %v", err)
	}
	if err := (File{Path: filepath.Join(t.TempDir(), "missing", "x.prom")}).Check(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestRunsAtOnceLoseNothing(t *testing.T) {
	f := newFile(t)
	var runs sync.WaitGroup
	const n = 20
	for i := range n {
		runs.Go(func() {
			u := Update{Labels{"command": fmt.Sprint(i)}, []Family{gauge("exit_code", Sample{Value: float64(i)})}}
			if err := f.Merge(t.Context(), u); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	families, err := f.read()
	if err != nil || len(families["harbordb_exit_code"].Metric) != n {
		t.Errorf("%d series of %d, %v", len(families["harbordb_exit_code"].Metric), n, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(entries) != 1 {
		t.Errorf("%v in the folder, %v", entries, err)
	}
}

func TestALockThatIsHeldIsNotWaitedForWithoutEnd(t *testing.T) {
	f := newFile(t)
	folder, err := os.Open(filepath.Dir(f.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Merge(ctx, Update{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// What is read is refused or read again after a merge, with every series of
// another scope in it.
func FuzzMerge(f *testing.F) {
	f.Add("# HELP harbordb_x what\n# TYPE harbordb_x gauge\nharbordb_x{command=\"backup\"} 1\n", "backup")
	f.Add("# TYPE harbordb_x gauge\nharbordb_x{command=\"scan\",code=\"\\\"\\\\\\n\"} NaN\nharbordb_x 2 3\n", "scan")
	f.Fuzz(func(t *testing.T, former, command string) {
		families, err := decode([]byte(former), "harbordb_")
		if err != nil {
			return
		}
		before := countOthers(families["harbordb_x"].GetMetric(), command)
		Update{Labels{"command": command}, []Family{gauge("x", Sample{Value: 1})}}.apply(families)
		text, err := encode(families)
		if err != nil {
			return // names or values that the format does not have
		}
		again, err := decode(text, "harbordb_")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		metrics := again["harbordb_x"].GetMetric()
		if after := countOthers(metrics, command); after != before || len(metrics) != before+1 {
			t.Errorf("%d series of others became %d\n%s", before, after, text)
		}
	})
}

func countOthers(metrics []*dto.Metric, command string) (n int) {
	for _, m := range metrics {
		if !hasLabels(m, valid(Labels{"command": command})) {
			n++
		}
	}
	return n
}
