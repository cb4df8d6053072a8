package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// ownApp is the tree of harbordb itself.
func ownApp() *cli.App {
	return newApp(&session{console: newConsole(strings.NewReader(""), io.Discard, io.Discard)})
}

// leaves are the commands that can be run.
func leaves(app *cli.App) map[string]*cli.Command {
	found := map[string]*cli.Command{}
	eachCommand(app.Commands, nil, func(path []string, c *cli.Command) {
		if len(c.Subcommands) == 0 {
			found[strings.Join(path, " ")] = c
		}
	})
	return found
}

// A line is taken apart before its command is known.
func TestAFlagNameMeansTheSameKindOfFlagEverywhere(t *testing.T) {
	app := ownApp()
	takes := map[string]bool{}
	check := func(where string, flags []cli.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				if known, ok := takes[name]; ok && known != needsValue(f) {
					t.Errorf("%s: --%s takes a value in one command and none in another", where, name)
				}
				takes[name] = needsValue(f)
			}
		}
	}
	check("global", app.Flags)
	for name, c := range leaves(app) {
		check(name, c.Flags)
		for _, f := range c.Flags {
			for _, global := range app.Flags {
				for _, n := range f.Names() {
					if slices.Contains(global.Names(), n) {
						t.Errorf("%s: --%s hides a global flag", name, n)
					}
				}
			}
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	app := ownApp()
	for name, c := range leaves(app) {
		if c.Usage == "" || c.Description == "" || c.UsageText == "" {
			t.Errorf("%s lacks a usage line, a description or an example", name)
		}
		if strings.HasSuffix(c.Usage, ".") || c.Usage != "" && c.Usage[0] < 'a' && !strings.HasPrefix(c.Usage, "Harbor") {
			t.Errorf("%s: the usage line is one line without a full stop: %q", name, c.Usage)
		}
		for _, f := range c.Flags {
			if f.(cli.DocGenerationFlag).GetUsage() == "" {
				t.Errorf("%s: --%s says nothing", name, f.Names()[0])
			}
		}
	}
}

func TestEveryHelpHasAnExampleAndFitsIntoATerminal(t *testing.T) {
	app := ownApp()
	check := func(name, help string) {
		before, rest, _ := strings.Cut(help, "\nExamples:\n")
		examples, after, _ := strings.Cut(rest, "\n\n")
		if !strings.HasPrefix(examples, "  harbordb") && !strings.Contains(examples, "(harbordb ") {
			t.Errorf("the help of %q has no example", name)
		}
		for line := range strings.Lines(before + after) { // examples are to be copied
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("the help of %q: %d characters: %s", name, n, line)
			}
		}
	}
	check("", helpText(app, nil))
	var walk func(path []*cli.Command)
	walk = func(path []*cli.Command) {
		last := path[len(path)-1]
		check(last.FullName(), helpText(app, path))
		for _, sub := range last.Subcommands {
			walk(append(slices.Clone(path), sub))
		}
	}
	for _, c := range app.Commands {
		walk([]*cli.Command{c})
	}
}

// Each example in the help is a line that is understood, and of that command.
func TestExamplesAreRight(t *testing.T) {
	app := ownApp()
	for name, c := range leaves(app) {
		for _, example := range strings.Split(c.UsageText, "\n") {
			_, line, ok := strings.Cut(example, "harbordb ")
			if !ok {
				t.Errorf("%s: %q is no example", name, example)
				continue
			}
			line = strings.TrimRight(line, ")")
			line, _, _ = strings.Cut(line, " > ")
			line, _, _ = strings.Cut(line, " | ")
			l, err := readLine(app, shellWords(line))
			if err != nil {
				t.Errorf("%s: %q: %v", name, example, err)
				continue
			}
			call, err := resolve(app, l, nil)
			if err != nil {
				t.Errorf("%s: %q: %v", name, example, err)
			} else if call.name() != "harbordb "+name {
				t.Errorf("%s: %q is an example of %s", name, example, call.name())
			}
		}
	}
}

// shellWords splits a line as a shell does that knows quotes alone.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.FieldsFunc(line, func(r rune) bool { return r == '\'' || r == '"' }) {
		if i%2 == 0 {
			words = append(words, strings.Fields(part)...)
		} else {
			words = append(words, part)
		}
	}
	return words
}

// A preview must never turn into the real thing because of where its flag
// stands: for each command that changes something, the flag counts wherever
// it is put, and the arguments stay what they are.
func TestDryRunCountsWhereverItStands(t *testing.T) {
	for name, c := range leaves(ownApp()) {
		if !slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Names()[0] == "dry-run" }) {
			continue
		}
		words := append(strings.Fields(name), sampleArguments(c)...)
		for at := range len(words) + 1 {
			line := slices.Insert(slices.Clone(words), at, "--dry-run")
			dryRun, args := whatRuns(t, name, line)
			if !dryRun || !slices.Equal(args, sampleArguments(c)) {
				t.Errorf("%q runs with dry-run %v and arguments %q", line, dryRun, args)
			}
		}
	}
}

func sampleArguments(c *cli.Command) []string {
	var args []string
	for i := range strings.Fields(c.ArgsUsage) {
		args = append(args, []string{"first", "second", "third"}[i])
	}
	return args
}

// whatRuns runs a line with the action of its command replaced, and returns
// what the action saw.
func whatRuns(t *testing.T, name string, line []string) (dryRun bool, args []string) {
	t.Helper()
	app := ownApp()
	leaves(app)[name].Action = func(c *cli.Context) error {
		dryRun, args = c.Bool("dry-run"), c.Args().Slice()
		return nil
	}
	l, err := readLine(app, line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	call, err := resolve(app, l, nil)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if err := app.Run(call.argv()); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return dryRun, args
}

func TestOtherWordsLeadToCommands(t *testing.T) {
	app := ownApp()
	for _, s := range synonyms {
		group := app.Command(s.to[0])
		if group == nil {
			continue // this build lacks the whole group
		}
		if len(s.to) > 1 && lookUp(group.Subcommands, word{text: s.to[1]}) == nil {
			t.Errorf("%s leads to %s, which is no command", strings.Join(s.from, " "), strings.Join(s.to, " "))
		}
		if s.flag != "" {
			target := leaves(app)[strings.Join(s.to, " ")]
			if !slices.ContainsFunc(target.Flags, func(f cli.Flag) bool { return f.Names()[0] == s.flag }) {
				t.Errorf("%s needs the flag --%s", strings.Join(s.from, " "), s.flag)
			}
		}
	}
}
