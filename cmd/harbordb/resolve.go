package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// call is a command line that has been understood: the command, its flags by
// their first names, its arguments.
type call struct {
	path  []*cli.Command // the command and the groups around it, outermost first
	flags []boundFlag
	args  []string
	help  bool // help on path is asked for, nothing is to be run
}

// boundFlag is a flag with its definition.
type boundFlag struct {
	flagUse
	definition cli.Flag
	global     bool
}

// primary is the first name of the flag.
func (f boundFlag) primary() string { return f.definition.Names()[0] }

// repeats says that the flag may be given several times.
func (f boundFlag) repeats() bool {
	slice, ok := f.definition.(cli.DocGenerationSliceFlag)
	return ok && slice.IsSliceFlag()
}

// resolve finds the command that a line means and checks the line against it.
func resolve(app *cli.App, l line, env environ) (*call, error) {
	words, flags, err := translate(app, l)
	if err != nil {
		return nil, err
	}
	c := &call{}
	if len(words) > 0 && words[0].text == "help" && !words[0].literal {
		words, c.help = words[1:], true
	}
	rest, err := c.find(app, words)
	if err != nil {
		return nil, err
	}
	if err := c.bind(app, flags); err != nil {
		return nil, err
	}
	if c.help {
		return c, nil
	}
	if err := c.setArgs(rest); err != nil {
		return nil, err
	}
	c.addEnvironment(app, env)
	return c, nil
}

// find walks down the tree and returns the words that are arguments.
func (c *call) find(app *cli.App, words []word) ([]word, error) {
	list := app.Commands
	for len(words) > 0 && len(list) > 0 {
		next := lookUp(list, words[0])
		if next == nil {
			return nil, c.unknownCommand(app, words[0].text)
		}
		c.path, list, words = append(c.path, next), next.Subcommands, words[1:]
	}
	return words, nil
}

func lookUp(list []*cli.Command, w word) *cli.Command {
	if w.literal {
		return nil
	}
	for _, c := range list {
		if c.HasName(w.text) {
			return c
		}
	}
	return nil
}

// bind gives every flag its definition: one of the command's own flags or a
// global one.
func (c *call) bind(app *cli.App, uses []flagUse) error {
	for _, use := range uses {
		if use.name == "help" || use.name == "h" {
			c.help = true
			continue
		}
		bound, ok := c.lookUpFlag(app, use)
		if !ok {
			return c.unknownFlag(app, use)
		}
		if !use.hasValue && !needsValue(bound.definition) {
			bound.value = "true"
		}
		if err := c.addFlag(bound); err != nil {
			return err
		}
	}
	return nil
}

// addFlag refuses a flag that is given twice with different values: which of
// them is meant cannot be known.
func (c *call) addFlag(f boundFlag) error {
	for _, earlier := range c.flags {
		if earlier.primary() == f.primary() && earlier.value != f.value && !f.repeats() {
			return c.hint(fault.Usagef("flag %s is given twice, with different values", f.spelled))
		}
	}
	c.flags = append(c.flags, f)
	return nil
}

func (c *call) lookUpFlag(app *cli.App, use flagUse) (boundFlag, bool) {
	named := func(f cli.Flag) bool { return slices.Contains(f.Names(), use.name) }
	if i := slices.IndexFunc(c.ownFlags(), named); i >= 0 {
		return boundFlag{flagUse: use, definition: c.ownFlags()[i]}, true
	}
	if i := slices.IndexFunc(app.Flags, named); i >= 0 {
		return boundFlag{flagUse: use, definition: app.Flags[i], global: true}, true
	}
	return boundFlag{}, false
}

func (c *call) ownFlags() []cli.Flag {
	if len(c.path) == 0 {
		return nil
	}
	return c.path[len(c.path)-1].Flags
}

// addEnvironment adds the flags that only the environment sets. The variables
// that say where the database is are left to the connection sources, which
// have an order of their own.
func (c *call) addEnvironment(app *cli.App, env environ) {
	add := func(list []cli.Flag, global bool) {
		for _, f := range list {
			name := f.Names()[0]
			variable := flagVariable(name)
			value := env.get(variable)
			if value == "" || c.has(name) || name == "dsn" || name == "harbor-config" {
				continue
			}
			use := flagUse{spelled: variable, name: name, value: value, hasValue: true}
			c.flags = append(c.flags, boundFlag{flagUse: use, definition: f, global: global})
		}
	}
	add(app.Flags, true)
	add(c.ownFlags(), false)
}

func (c *call) has(primary string) bool {
	return slices.ContainsFunc(c.flags, func(f boundFlag) bool { return f.primary() == primary })
}

// setArgs checks the number of arguments against what the command's ArgsUsage
// names.
func (c *call) setArgs(words []word) error {
	for _, w := range words {
		c.args = append(c.args, w.text)
	}
	if len(c.path) == 0 {
		return fault.Usagef("no command is given").WithHint("harbordb help")
	}
	command := c.path[len(c.path)-1]
	if len(command.Subcommands) > 0 {
		return c.hint(fault.Usagef("%s needs one of: %s", c.name(), strings.Join(names(command.Subcommands), ", ")))
	}
	wanted := strings.Fields(command.ArgsUsage)
	for i, name := range wanted {
		if i >= len(c.args) && !strings.HasPrefix(name, "[") {
			return c.hint(fault.Usagef("%s needs %s", c.name(), name))
		}
	}
	if len(c.args) > len(wanted) && !repeats(wanted) {
		return c.hint(fault.Usagef("%s: one argument too many: %q", c.name(), c.args[len(wanted)]))
	}
	return nil
}

func repeats(wanted []string) bool {
	return len(wanted) > 0 && strings.HasSuffix(strings.TrimSuffix(wanted[len(wanted)-1], "]"), "...")
}

func names(list []*cli.Command) []string {
	var out []string
	for _, c := range list {
		if !c.Hidden {
			out = append(out, c.Name)
		}
	}
	return out
}

// name is the command as a person types it.
func (c *call) name() string {
	parts := []string{"harbordb"}
	for _, command := range c.path {
		parts = append(parts, command.Name)
	}
	return strings.Join(parts, " ")
}

// argv writes the line in the order that urfave/cli understands.
func (c *call) argv() []string {
	out := []string{"harbordb"}
	for _, f := range c.flags {
		if f.global {
			out = append(out, "--"+f.primary()+"="+f.value)
		}
	}
	for _, command := range c.path {
		out = append(out, command.Name)
	}
	for _, f := range c.flags {
		if !f.global {
			out = append(out, "--"+f.primary()+"="+f.value)
		}
	}
	return append(append(out, "--"), c.args...)
}

// given maps the flags of the call to how they were spelled.
func (c *call) given() map[string]string {
	spelled := map[string]string{}
	for _, f := range c.flags {
		spelled[f.primary()] = f.spelled
	}
	return spelled
}

// valueError is how the flag package reports a value that it cannot read.
var valueError = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-+([a-z-]+): (.*)$`)

// explain turns the errors of urfave/cli about values of flags into usage
// errors that name the flag, or the variable, as it was given.
func (c *call) explain(err error) error {
	if missing, ok := strings.CutPrefix(err.Error(), "Required flag"); ok {
		return c.hint(fault.Usagef("%s needs the flag%s", c.name(), strings.TrimSuffix(missing, " not set")))
	}
	m := valueError.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return c.hint(fault.Usagef("%s: cannot read %q: %s", c.given()[m[2]], m[1], m[3]))
}

// hint adds the way to the command's help.
func (c *call) hint(err *fault.Error) error {
	return err.WithHint("%s --help", c.name())
}

func (c *call) unknownFlag(app *cli.App, use flagUse) error {
	var candidates []string
	for _, f := range append(slices.Clone(c.ownFlags()), app.Flags...) {
		candidates = append(candidates, f.Names()[0])
	}
	err := fault.Usagef("%s knows no flag %s", c.name(), use.spelled)
	if near, ok := nearest(use.name, candidates); ok {
		return err.WithHint("did you mean --%s? see %s --help", near, c.name())
	}
	return c.hint(err)
}

func (c *call) unknownCommand(app *cli.App, text string) error {
	err := fault.Usagef("%s knows no command %q", c.name(), text)
	if near, ok := nearestCommand(app, c, text); ok {
		return err.WithHint("did you mean %q? see %s --help", near, c.name())
	}
	return c.hint(err)
}

// nearestCommand looks among the commands that may stand here and, at the top,
// among the members of all groups and the synonyms too.
func nearestCommand(app *cli.App, c *call, text string) (string, bool) {
	if len(c.path) > 0 {
		near, ok := nearest(text, names(c.path[len(c.path)-1].Subcommands))
		return strings.TrimPrefix(fmt.Sprintf("%s %s", c.name(), near), " "), ok
	}
	full := map[string]string{}
	eachCommand(app.Commands, nil, func(path []string, command *cli.Command) {
		last := path[len(path)-1]
		if _, taken := full[last]; !taken && !command.Hidden {
			full[last] = "harbordb " + strings.Join(path, " ")
		}
	})
	for _, s := range synonyms {
		if _, taken := full[s.from[0]]; !taken && len(s.from) == 1 {
			full[s.from[0]] = "harbordb " + s.from[0]
		}
	}
	var candidates []string
	for name := range full {
		candidates = append(candidates, name)
	}
	slices.Sort(candidates)
	near, ok := nearest(text, candidates)
	return full[near], ok
}
