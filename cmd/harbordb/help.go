package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpText is the help on a command, on a group, or, with no path, on
// harbordb.
func helpText(app *cli.App, path []*cli.Command) string {
	return render(0, func(p *page) {
		if len(path) == 0 {
			rootHelp(p, app)
			return
		}
		commandHelp(p, path)
		p.heading("Global flags (harbordb --help tells of them):")
		var all []string
		for _, f := range app.Flags {
			all = append(all, "--"+f.Names()[0])
		}
		p.paragraphs(strings.Join(all, " "))
	})
}

func rootHelp(p *page, app *cli.App) {
	p.line("harbordb - %s", app.Usage)
	p.heading("Usage:")
	p.line("  harbordb COMMAND [arguments] [flags]")
	commandList(p, app.Commands)
	flagHelp(p, "Global flags", app.Flags)
	p.heading("Examples:")
	p.line("  harbordb status --dsn postgres://postgres@db:5432/registry --password-file pw")
	p.line("  harbordb status --harbor-config /opt/harbor/harbor.yml")
	p.heading("harbordb COMMAND --help tells more of each command.")
}

// commandList lists all commands below a group.
func commandList(p *page, list []*cli.Command) {
	p.heading("Commands:")
	var pairs [][2]string
	eachCommand(list, nil, func(words []string, c *cli.Command) {
		if len(c.Subcommands) == 0 && !c.Hidden {
			pairs = append(pairs, [2]string{"  " + strings.TrimSpace(strings.Join(words, " ")+" "+c.ArgsUsage), c.Usage})
		}
	})
	longest := 0
	for _, pair := range pairs {
		longest = max(longest, len(pair[0]))
	}
	for _, pair := range pairs {
		p.prose(fmt.Sprintf("%-*s", longest+columnGap, pair[0]), pair[1])
	}
}

func commandHelp(p *page, path []*cli.Command) {
	c := path[len(path)-1]
	name := (&call{path: path}).name()
	p.paragraphs(name + " - " + c.Usage)
	p.heading("Usage:")
	if len(c.Subcommands) > 0 {
		p.line("  %s COMMAND [arguments] [flags]", name)
	} else {
		p.line("  %s [flags]", strings.TrimSpace(name+" "+c.ArgsUsage))
	}
	if c.Description != "" {
		p.line("")
		p.paragraphs(c.Description)
	}
	if len(c.Subcommands) > 0 {
		commandList(p, c.Subcommands)
	}
	p.heading("Examples:")
	for _, example := range examples(c) {
		p.line("  %s", example)
	}
	flagHelp(p, "Flags", c.Flags)
}

// examples are those of a command; of a group, the first of each of its
// commands.
func examples(c *cli.Command) []string {
	if len(c.Subcommands) == 0 {
		return strings.Split(c.UsageText, "\n")
	}
	var out []string
	for _, sub := range c.Subcommands {
		if !sub.Hidden {
			out = append(out, examples(sub)[0])
		}
	}
	return out
}

// flagHelp lists flags with their variables and defaults.
func flagHelp(p *page, title string, flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	p.heading("%s:", title)
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		value, text := splitPlaceholder(doc.GetUsage())
		p.line("  %s", strings.TrimSpace(spellings(f)+" "+valueName(doc, value)))
		p.prose(strings.Repeat(" ", 6), text+defaultText(doc))
		p.line("      [$%s]", flagVariable(f.Names()[0]))
	}
}

// splitPlaceholder takes the back-quoted word of a usage text as the name of
// the value, as urfave/cli does.
func splitPlaceholder(usage string) (name, text string) {
	before, rest, ok := strings.Cut(usage, "`")
	if !ok {
		return "", usage
	}
	name, after, _ := strings.Cut(rest, "`")
	text = strings.ReplaceAll(before+name+after, "("+name+")", "")
	return name, strings.TrimSpace(text)
}

func valueName(f cli.DocGenerationFlag, name string) string {
	switch {
	case !f.TakesValue():
		return ""
	case name == "":
		return "VALUE"
	}
	return name
}

func spellings(f cli.Flag) string {
	var out []string
	for _, name := range f.Names() {
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		out = append(out, dashes+name)
	}
	return strings.Join(out, ", ")
}

func defaultText(f cli.DocGenerationFlag) string {
	text := f.GetDefaultText()
	if !f.TakesValue() || text == "" || text == `""` {
		return ""
	}
	return fmt.Sprintf(" (default: %s)", strings.Trim(text, `"`))
}
