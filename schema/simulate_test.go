package schema

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/harbordb/harbordb/internal/fault"
)

func parse(t *testing.T, name string) Release {
	t.Helper()
	r, err := ParseRelease(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCoreSaysWhatItSays(t *testing.T) {
	const downgrade25 = "no migration found for version 12: read down for version 12 .: file does not exist"
	for name, c := range map[string]struct {
		release string
		row     *Row
		err     string
		log     string // a line that is printed
	}{
		"downgrade to 1.6":            {"1.6.3", &Row{Version: 12}, "file does not exist", "failed to initialize the system: file does not exist"},
		"downgrade to 1.8.6":          {"1.8.6", &Row{Version: 12}, "file does not exist", "failed to initialize database: file does not exist"},
		"downgrade to 1.8.6, too":     {"1.8.6", &Row{Version: 12}, "file does not exist", `Failed to upgrade schema, error: "file does not exist"`},
		"downgrade to 2.0":            {"2.0.6", &Row{Version: 180}, "file does not exist", "failed to migrate: file does not exist"},
		"downgrade to 2.4":            {"2.4.3", &Row{Version: 180}, "file does not exist", "error: no migration found for version 180"},
		"a gap from 2.5 on":           {"2.15.2", &Row{Version: 13}, strings.Replace(downgrade25, "version 12", "version 13", -1), "failed to migrate the database, error: " + strings.Replace(downgrade25, "version 12", "version 13", -1)},
		"the same, logged":            {"2.9.0", &Row{Version: 13}, strings.Replace(downgrade25, "version 12", "version 13", -1), "error: " + strings.Replace(downgrade25, "version 12", "version 13", -1)},
		"the gap of 2.2.0":            {"2.2.0", &Row{Version: 41}, "file does not exist", "error: no migration found for version 41"},
		"dirty":                       {"2.11.0", &Row{Version: 50, Dirty: true}, "Dirty database version 50. Fix and force version.", `Failed to upgrade schema, error: "Dirty database version 50. Fix and force version."`},
		"dirty and too new":           {"1.8.6", &Row{Version: 12, Dirty: true}, "Dirty database version 12. Fix and force version.", "failed to initialize database: Dirty database version 12. Fix and force version."},
		"too old for 2.0":             {"2.0.0", &Row{Version: 5}, "please upgrade to version 1.9 first", "failed to migrate: please upgrade to version 1.9 first"},
		"too old for 2.8":             {"2.8.6", &Row{Version: 12}, "please upgrade to version 1.10 first", "failed to migrate the database, error: please upgrade to version 1.10 first"},
		"a number that nobody writes": {"2.11.0", &Row{Version: -5}, "suint(-5) expects input >= 0", "panic: suint(-5) expects input >= 0"},
		"a version that is NULL":      {"2.11.0", &Row{NullVersion: true}, `sql: Scan error on column index 0, name "version": converting NULL to int is unsupported`, `failed to migrate the database, error: sql: Scan error on column index 0, name "version": converting NULL to int is unsupported`},
		"a flag that is NULL":         {"1.8.6", &Row{Version: 5, NullDirty: true}, `sql: Scan error on column index 1, name "dirty": sql/driver: couldn't convert <nil> (<nil>) into type bool`, `failed to initialize database: sql: Scan error on column index 1, name "dirty": sql/driver: couldn't convert <nil> (<nil>) into type bool`},
		"nothing to do":               {"1.10.0", &Row{Version: 15}, "", "No change in schema, skip."},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse(t, c.release).Start(c.row)
			if err != nil {
				t.Fatal(err)
			}
			if o.Error != c.err || len(o.Runs) > 0 || !slices.Contains(o.Log, c.log) {
				t.Errorf("error %q, runs %v, log %q; want %q and %q", o.Error, o.Runs, o.Log, c.err, c.log)
			}
		})
	}
}

func TestCoreRunsWhatIsAbove(t *testing.T) {
	for name, c := range map[string]struct {
		release string
		row     *Row
		runs    []Version
	}{
		"fresh":                    {"1.8.2", nil, []Version{1, 2, 3, 4, 5}},
		"an upgrade":               {"2.2.1", &Row{Version: 31}, []Version{40, 41, 50, 51}},
		"by 2.2.0":                 {"2.2.0", &Row{Version: 31}, []Version{40, 50}},
		"a row that was set to 5":  {"1.9.4", &Row{Version: 5}, []Version{10, 11, 12}},
		"far, without the floor":   {"2.9.0", &Row{Version: 12}, []Version{15, 30, 31, 40, 41, 50, 51, 52, 53, 60, 61, 70, 71, 80, 81, 82, 90, 91, 100, 110, 111, 120}},
		"at the floor":             {"2.0.0", &Row{Version: 10}, []Version{11, 12, 15, 30}},
		"between two of a release": {"1.7.8", &Row{Version: 2}, []Version{3}},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse(t, c.release).Start(c.row)
			if err != nil || o.Refuses() {
				t.Fatal(o.Error, err)
			}
			var runs []Version
			for _, m := range o.Runs {
				runs = append(runs, m.Version)
			}
			if !slices.Equal(runs, c.runs) {
				t.Errorf("runs %v, want %v", runs, c.runs)
			}
		})
	}
}

func TestReleaseFromFolder(t *testing.T) {
	file := &fstest.MapFile{Data: []byte("select 1")}
	r, err := ReleaseFromFolder("v2.17.0", fstest.MapFS{
		"0001_initial_schema.up.sql": file, "0190_2.16.0_schema.up.sql": file, "0200_2.17.0_schema.up.sql": file,
		"README.md": file, "0001_initial_schema.down.sql": file,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Max != 200 || !r.Ships(190) || r.Ships(180) || r.String() != "v2.17.0" {
		t.Errorf("%s up to %s: %v", r, r.Max, r.Migrations())
	}
	o, err := r.Start(&Row{Version: 190})
	if err != nil || len(o.Runs) != 1 || o.Runs[0].File() != "0200_2.17.0_schema.up.sql" {
		t.Errorf("runs %v, %v", o.Runs, err)
	}
	for name, fsys := range map[string]fstest.MapFS{
		"no migrations": {"README.md": file},
		"empty":         {},
		"two of one":    {"0001_a.up.sql": file, "1_b.up.sql": file},
		"too large":     {"0001_a.up.sql": file, "18446744073709551615_b.up.sql": file},
	} {
		if _, err := ReleaseFromFolder("main", fsys); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v, want a usage fault", name, err)
		}
	}
	if _, err := ReleaseFromFolder("1.5.0", fstest.MapFS{"0001_a.up.sql": file}); fault.KindOf(err) != fault.Usage {
		t.Errorf("1.5.0: %v, want a usage fault", err)
	}
}
