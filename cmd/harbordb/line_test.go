package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// sampleApp is a tree with every kind of command and flag, so that the rules
// of the line are tested apart from what harbordb can do today.
func sampleApp() *cli.App {
	leaf := func(name, arguments string, flags ...cli.Flag) *cli.Command {
		return &cli.Command{Name: name, ArgsUsage: arguments, Flags: flags, Action: func(*cli.Context) error { return nil }}
	}
	label := &cli.StringFlag{Name: "label", Aliases: []string{"l"}}
	group := func(name string, list ...*cli.Command) *cli.Command {
		return &cli.Command{Name: name, Subcommands: list}
	}
	app := &cli.App{
		Name: "harbordb", Flags: globalFlags(), HideHelp: true, HideVersion: true, Writer: io.Discard,
		Commands: []*cli.Command{
			leaf("status", ""),
			leaf("backup", "", label, &cli.BoolFlag{Name: "verify"}, &cli.StringSliceFlag{Name: "databases"}),
			leaf("restore", "[ID]", dryRunFlag(), &cli.BoolFlag{Name: "rollback"}, &cli.IntFlag{Name: "jobs", Aliases: []string{"j"}}),
			group("snapshots", leaf("ls", ""), leaf("show", "ID"), leaf("rm", "ID", dryRunFlag()), leaf("diff", "ID ID|live")),
			group("schema", leaf("status", ""), leaf("releases", "")),
			group("repair", leaf("schema", "", dryRunFlag(), &cli.StringFlag{Name: "version"}), leaf("undo", "ID", dryRunFlag())),
			group("orphans", leaf("scan", "")),
			leaf("doctor", "[FILE...]"),
			leaf("prune", "", &cli.IntFlag{Name: "keep-last", Required: true}),
			leaf("version", ""),
		},
	}
	return app
}

// parse reads a line and returns what urfave/cli is given.
func parse(line string, env environ) (string, error) {
	app := sampleApp()
	l, err := readLine(app, fields(line))
	if err != nil {
		return "", err
	}
	c, err := resolve(app, l, env)
	if err != nil {
		return "", err
	}
	if c.help {
		return "help on " + c.name(), nil
	}
	return strings.Join(c.argv(), " "), nil
}

// fields splits a line at blanks; _ stands for an empty argument.
func fields(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == "_" {
			words[i] = ""
		}
	}
	return words
}

func TestALineIsUnderstoodInAnyOrder(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"a flag after the argument", "restore A --dry-run", "harbordb restore --dry-run=true -- A"},
		{"a flag before the argument", "restore --dry-run A", "harbordb restore --dry-run=true -- A"},
		{"a flag before the command", "--dry-run restore A", "harbordb restore --dry-run=true -- A"},
		{"a flag between group and command", "snapshots --dry-run rm A", "harbordb snapshots rm --dry-run=true -- A"},
		{"a flag with a value after the argument", "restore A --jobs 3", "harbordb restore --jobs=3 -- A"},
		{"a flag with a value before the command", "--jobs 3 restore A", "harbordb restore --jobs=3 -- A"},
		{"global flags anywhere", "--store s restore --yes A -o json", "harbordb --store=s --yes=true --output=json restore -- A"},
		{"a value with =", "restore --jobs=3 A", "harbordb restore --jobs=3 -- A"},
		{"an empty value", "backup --label= ", "harbordb backup --label= --"},
		{"an empty value apart", "backup --label _", "harbordb backup --label= --"},
		{"a value with = in it", "backup --label a=b", "harbordb backup --label=a=b --"},
		{"a switch that is turned off", "restore A --dry-run=false", "harbordb restore --dry-run=false -- A"},
		{"one-letter flags", "-y -o json status", "harbordb --yes=true --output=json status --"},
		{"one-letter flags run together", "status -yq", "harbordb --yes=true --quiet=true status --"},
		{"a value run together", "status -ojson", "harbordb --output=json status --"},
		{"switches and a value run together", "status -yojson", "harbordb --yes=true --output=json status --"},
		{"a value behind the last of them", "status -yo json", "harbordb --yes=true --output=json status --"},
		{"a long flag with one dash", "restore A -dry-run", "harbordb restore --dry-run=true -- A"},
		{"an alias gets its first name", "backup -l x", "harbordb backup --label=x --"},
		{"-- ends flags", "restore -- --dry-run", "harbordb restore -- --dry-run"},
		{"-- ends flags, which before it count", "restore --dry-run -- -A", "harbordb restore --dry-run=true -- -A"},
		{"a dash is an argument", "restore -", "harbordb restore -- -"},
		{"a negative number is a value", "restore A --jobs -3", "harbordb restore --jobs=-3 -- A"},
		{"the same flag twice, alike", "restore A --jobs 3 -j3", "harbordb restore --jobs=3 --jobs=3 -- A"},
		{"a list is given in pieces", "backup --databases a --databases b", "harbordb backup --databases=a --databases=b --"},
		{"an optional argument is left out", "restore", "harbordb restore --"},
		{"many arguments where many may be", "doctor a b c", "harbordb doctor -- a b c"},
		{"--version alone", "--version", "harbordb version --"},
		{"help as a flag", "restore --help", "help on harbordb restore"},
		{"help as a flag, whatever else is missing", "snapshots diff A -h", "help on harbordb snapshots diff"},
		{"help as a word", "help snapshots rm", "help on harbordb snapshots rm"},
		{"help on a group", "snapshots --help", "help on harbordb snapshots"},
		{"help alone", "help", "help on harbordb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.line, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got != strings.TrimSpace(c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestALineThatIsWrongDoesNothing(t *testing.T) {
	for _, c := range []struct{ name, line, word, hint string }{
		{"an unknown command", "statsu", `no command "statsu"`, `"harbordb status"`},
		{"an unknown command, like a member of a group", "verfy x", `"verfy"`, ""},
		{"a member of a group without the group", "releases", `"releases"`, `"harbordb schema releases"`},
		{"an unknown member of a group", "snapshots sohw", `harbordb snapshots knows no command "sohw"`, `"harbordb snapshots show"`},
		{"nothing like it", "frobnicate", `"frobnicate"`, "harbordb --help"},
		{"no command", "", "no command is given", "harbordb help"},
		{"a group without a member", "snapshots", "needs one of: ls, show, rm, diff", "harbordb snapshots --help"},
		{"an unknown flag", "restore A --dryrun", "harbordb restore knows no flag --dryrun", "--dry-run"},
		{"an unknown one-letter flag", "restore A -x", "no flag -x", ""},
		{"another command's flag", "status --dry-run", "harbordb status knows no flag --dry-run", ""},
		{"another command's flag before the command", "--label x status", "no flag --label", ""},
		{"an unknown one among one-letter flags", "status -yz", "no flag -yz", ""},
		{"a surplus argument", "restore A B", `one argument too many: "B"`, ""},
		{"a surplus argument of a command that takes none", "backup foo", `"foo"`, ""},
		{"a surplus argument after --", "restore -- A B", `"B"`, ""},
		{"a command after --", "-- restore A", `no command "restore"`, ""},
		{"a missing argument", "snapshots show", "needs ID", ""},
		{"a missing second argument", "snapshots diff A", "needs ID|live", ""},
		{"a flag without its value", "backup --label", "--label needs a value", ""},
		{"a flag without its value before another flag", "backup --label --verify", "--label needs a value", ""},
		{"a flag without its value before a one-letter flag", "backup --label -y", "--label needs a value", ""},
		{"a flag twice, with different values", "restore A --jobs 3 --jobs 4", "--jobs is given twice", ""},
		{"a flag twice, on and off", "restore A --dry-run --dry-run=false", "--dry-run is given twice", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.line, nil)
			if err == nil {
				t.Fatalf("it was read as %s", got)
			}
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), c.word) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("kind %d: %v\nhint: %s", fault.KindOf(err), err, fault.HintOf(err))
			}
		})
	}
}

func TestOtherWordsForACommand(t *testing.T) {
	for line, want := range map[string]string{
		"snapshot":                   "harbordb backup --",
		"snapshot --label x":         "harbordb backup --label=x --",
		"dump":                       "harbordb backup --",
		"snapshots create":           "harbordb backup --",
		"snapshot create":            "harbordb backup --",
		"snapshot ls":                "harbordb snapshots ls --",
		"snapshot show A":            "harbordb snapshots show -- A",
		"snapshot --yes rm A":        "harbordb --yes=true snapshots rm -- A",
		"snapshot list":              "harbordb snapshots ls --",
		"snapshot delete A":          "harbordb snapshots rm -- A",
		"snapshots list":             "harbordb snapshots ls --",
		"snapshots delete A":         "harbordb snapshots rm -- A",
		"rollback":                   "harbordb restore --rollback=true --",
		"rollback --dry-run":         "harbordb restore --dry-run=true --rollback=true --",
		"repair dirty":               "harbordb repair schema --",
		"repair migrations":          "harbordb repair schema --",
		"schema repair --dry-run":    "harbordb repair schema --dry-run=true --",
		"schema force":               "harbordb repair schema --",
		"schema force 12":            "harbordb repair schema --version=12 --",
		"schema force 12 --dry-run":  "harbordb repair schema --dry-run=true --version=12 --",
		"schema version":             "harbordb schema status --",
		"orphans find":               "harbordb orphans scan --",
		"orphans ls":                 "harbordb orphans scan --",
		"help rollback":              "help on harbordb restore",
		"snapshot ls --help":         "help on harbordb snapshots ls",
		"restore -- snapshot":        "harbordb restore -- snapshot",
		"restore dump":               "harbordb restore -- dump",
		"backup --label snapshot":    "harbordb backup --label=snapshot --",
		"repair undo migrations":     "harbordb repair undo -- migrations",
		"--store dump snapshots ls":  "harbordb --store=dump snapshots ls --",
		"snapshots show rollback":    "harbordb snapshots show -- rollback",
		"snapshot diff create dirty": "harbordb snapshots diff -- create dirty",
	} {
		got, err := parse(line, nil)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", line, got, err, want)
		}
	}
	for _, line := range []string{"snapshot lst", "snapshot foo", "dump foo", "snapshots create foo", "schema force 1 2", "rollback A B"} {
		if got, err := parse(line, nil); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s was read as %s, %v", line, got, err)
		}
	}
}

func TestThereIsNoDowngrade(t *testing.T) {
	for _, line := range []string{"downgrade", "downgrade v1.8.6", "schema down", "schema down 5 --yes", "schema goto 5", "help schema down"} {
		got, err := parse(line, nil)
		if err == nil || fault.KindOf(err) != fault.Refused || !strings.Contains(fault.HintOf(err), "harbordb restore") {
			t.Errorf("%s was read as %s: %v, hint %q", line, got, err, fault.HintOf(err))
		}
	}
}

func TestEveryFlagHasAVariable(t *testing.T) {
	for _, c := range []struct {
		name, line string
		env        environ
		want       string
	}{
		{"a global flag", "status", environ{"HARBORDB_LOCK_TIMEOUT": "5s"}, "harbordb --lock-timeout=5s status --"},
		{"a switch", "restore A", environ{"HARBORDB_DRY_RUN": "true"}, "harbordb restore --dry-run=true -- A"},
		{"the line wins", "restore A --jobs 2", environ{"HARBORDB_JOBS": "4"}, "harbordb restore --jobs=2 -- A"},
		{"an empty one is none", "restore A", environ{"HARBORDB_JOBS": ""}, "harbordb restore -- A"},
		{"another command's is left alone", "status", environ{"HARBORDB_JOBS": "4"}, "harbordb status --"},
		{"where the database is has an order of its own", "status", environ{"HARBORDB_DSN": "x", "HARBORDB_HARBOR_CONFIG": "y"}, "harbordb status --"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.line, c.env)
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestAValueThatCannotBeReadIsNamedAsItWasGiven(t *testing.T) {
	for _, c := range []struct {
		name, line string
		env        environ
		word       string
	}{
		{"a number", "restore A -j many", nil, `-j: cannot read "many"`},
		{"a switch", "restore A --dry-run=perhaps", nil, `--dry-run: cannot read "perhaps"`},
		{"a duration", "status --lock-timeout soon", nil, `--lock-timeout: cannot read "soon"`},
		{"a variable", "restore A", environ{"HARBORDB_JOBS": "many"}, `HARBORDB_JOBS: cannot read "many"`},
		{"a required flag", "prune", nil, `harbordb prune needs the flag "keep-last"`},
		{"a variable of a switch", "restore A", environ{"HARBORDB_DRY_RUN": "perhaps"}, `HARBORDB_DRY_RUN: cannot read "perhaps"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := sampleApp()
			app.OnUsageError = returnError
			prepareCommands(app.Commands)
			app.ExitErrHandler = func(*cli.Context, error) {}
			l, err := readLine(app, fields(c.line))
			if err != nil {
				t.Fatal(err)
			}
			call, err := resolve(app, l, c.env)
			if err != nil {
				t.Fatal(err)
			}
			err = call.explain(app.Run(call.argv()))
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), c.word) {
				t.Errorf("kind %d: %v", fault.KindOf(err), err)
			}
		})
	}
}

// FuzzReadLine: whatever is typed, words and values are the arguments, in
// their order, and nothing behind "--" is a flag.
func FuzzReadLine(f *testing.F) {
	for _, seed := range []string{"restore A --dry-run", "-yojson status -- -x", "--label= backup", "-o", "--jobs -3 - --"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := fields(text)
		l, err := readLine(sampleApp(), args)
		if err != nil {
			return
		}
		if end := slices.Index(args, "--"); end >= 0 {
			var literal []string
			for _, w := range l.words {
				if w.literal {
					literal = append(literal, w.text)
				}
			}
			if len(l.words) > 0 && len(literal) > len(args)-end-1 {
				t.Fatalf("%q: %d words behind --", text, len(literal))
			}
		}
		if c, err := resolve(sampleApp(), l, nil); err == nil && !c.help && len(c.path) == 0 {
			t.Fatalf("%q has no command and no error", text)
		}
	})
}
