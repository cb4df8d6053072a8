package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// A command line is read in two steps, because flags may stand anywhere and
// urfave/cli stops looking for them at the first argument. readLine tells
// flags from words, for which it need not know the command: a flag name is a
// switch or takes a value in all of harbordb alike. resolve then finds the
// command, checks every flag and the number of arguments, adds what the
// environment says, and writes the line anew in the order that urfave/cli
// understands.

// word is an argument or the name of a command.
type word struct {
	text    string
	literal bool // stood after "--": never the name of a command
}

// flagUse is one flag as it stood on the line, or came from the environment.
type flagUse struct {
	spelled  string // as typed, with dashes; the variable for one of the environment
	name     string // without dashes
	value    string
	hasValue bool
}

// line is a command line taken apart.
type line struct {
	flags []flagUse
	words []word
}

// early returns the value of a flag before anything is checked, so that even
// an error about the line itself comes out in the form that was asked for.
func (l line) early(names ...string) string {
	value := ""
	for _, f := range l.flags {
		if slices.Contains(names, f.name) {
			value = f.value
		}
	}
	return value
}

// takesValue says of each flag name in the tree whether it takes a value.
type takesValue map[string]bool

func flagNames(app *cli.App) takesValue {
	known := takesValue{"help": false, "h": false}
	add := func(flags []cli.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				known[name] = needsValue(f)
			}
		}
	}
	add(app.Flags)
	eachCommand(app.Commands, nil, func(_ []string, c *cli.Command) { add(c.Flags) })
	return known
}

func needsValue(f cli.Flag) bool {
	doc, ok := f.(cli.DocGenerationFlag)
	return ok && doc.TakesValue()
}

// eachCommand visits every command below list, groups before their members.
func eachCommand(list []*cli.Command, path []string, visit func(path []string, c *cli.Command)) {
	for _, c := range list {
		here := append(slices.Clone(path), c.Name)
		visit(here, c)
		eachCommand(c.Subcommands, here, visit)
	}
}

// readLine tells flags from words. Flags that nothing knows stay in the line,
// for resolve to report with the command they were given to.
func readLine(app *cli.App, args []string) (line, error) {
	known := flagNames(app)
	var l line
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			for _, rest := range args[i+1:] {
				l.words = append(l.words, word{text: rest, literal: true})
			}
			return l, nil
		case !strings.HasPrefix(arg, "-") || arg == "-":
			l.words = append(l.words, word{text: arg})
		case i == 0 && arg == "--version":
			l.words = append(l.words, word{text: "version"})
		default:
			uses := splitFlag(arg, known)
			last := &uses[len(uses)-1]
			if known[last.name] && !last.hasValue {
				if i+1 == len(args) || looksLikeFlag(args[i+1], known) {
					l.flags = append(l.flags, uses...)
					return l, fault.Usagef("flag %s needs a value", last.spelled)
				}
				i++
				last.value, last.hasValue = args[i], true
			}
			l.flags = append(l.flags, uses...)
		}
	}
	return l, nil
}

// looksLikeFlag keeps a flag from being swallowed as the value of the one
// before it. A value that begins with "--" can be given as --flag=value.
func looksLikeFlag(arg string, known takesValue) bool {
	if strings.HasPrefix(arg, "--") {
		return true
	}
	if !strings.HasPrefix(arg, "-") || arg == "-" {
		return false
	}
	name, _, _ := strings.Cut(arg[1:], "=")
	_, ok := known[name]
	return ok
}

// splitFlag reads one argument that begins with a dash: --name, --name=value,
// -name as Go programs take it, -x, -xvalue, and switches run together (-yq).
func splitFlag(arg string, known takesValue) []flagUse {
	name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	spelled, _, _ := strings.Cut(arg, "=")
	whole := []flagUse{{spelled: spelled, name: name, value: value, hasValue: hasValue}}
	if _, ok := known[name]; ok || strings.HasPrefix(arg, "--") {
		return whole
	}
	if cluster, ok := splitShort(arg[1:], known); ok {
		return cluster
	}
	return whole
}

// splitShort reads one-letter flags run together; the first that takes a value
// takes the rest.
func splitShort(letters string, known takesValue) ([]flagUse, bool) {
	var uses []flagUse
	for i, letter := range letters {
		name := string(letter)
		needs, ok := known[name]
		if !ok {
			return nil, false
		}
		use := flagUse{spelled: "-" + name, name: name}
		rest := letters[i+len(name):]
		if needs && rest != "" {
			use.value, use.hasValue = strings.TrimPrefix(rest, "="), true
			return append(uses, use), true
		}
		uses = append(uses, use)
	}
	return uses, len(uses) > 0
}
