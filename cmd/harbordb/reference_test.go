package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

var update = flag.Bool("update", false, "write docs/reference anew")

const referenceFolder = "../../docs/reference"

// The reference is written from the tree of commands; `make docs` writes it
// anew. Manual pages are made of it (scripts/man).
func TestReferenceIsUpToDate(t *testing.T) {
	pages := reference(ownApp())
	if *update {
		if err := writeReference(pages); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(referenceFolder, name))
		if err != nil || string(got) != want {
			t.Errorf("docs/reference/%s is not what the commands say: make docs (%v)", name, err)
		}
	}
	files, err := os.ReadDir(referenceFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := pages[file.Name()]; !ok {
			t.Errorf("docs/reference/%s is of no command", file.Name())
		}
	}
}

func writeReference(pages map[string]string) error {
	if err := os.RemoveAll(referenceFolder); err != nil {
		return err
	}
	if err := os.MkdirAll(referenceFolder, 0o755); err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(referenceFolder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// reference is a page for harbordb and one for each command that can be run,
// by the names of their files. The sections are those of manual pages.
func reference(app *cli.App) map[string]string {
	pages := map[string]string{"harbordb.md": rootPage(app)}
	for name, c := range leaves(app) {
		pages[pageName(name)+".md"] = commandPage(name, c)
	}
	return pages
}

// pageName is "harbordb-snapshots-ls" for "snapshots ls".
func pageName(command string) string {
	return "harbordb-" + strings.ReplaceAll(command, " ", "-")
}

func rootPage(app *cli.App) string {
	var b strings.Builder
	section := sections(&b)
	b.WriteString("# harbordb\n")
	section("Name", "harbordb - "+app.Usage)
	section("Synopsis", "`harbordb COMMAND [arguments] [flags]`")
	section("Commands", "")
	eachCommand(app.Commands, nil, func(path []string, c *cli.Command) {
		if len(c.Subcommands) == 0 {
			name := strings.Join(path, " ")
			fmt.Fprintf(&b, "- [%s](%s.md) - %s\n", name, pageName(name), escape(c.Usage))
		}
	})
	section("Flags of every command", flagList(app.Flags))
	section("Exit status", strings.Join([]string{
		"- `0` done, and nothing wrong was found",
		"- `1` failed; nothing half-done is left, and the message says what to do next",
		"- `2` the call is wrong; nothing was done",
		"- `3` done, and it found what it looks for",
		"- `4` refused; nothing was changed",
		"- `130` interrupted",
	}, "\n"))
	return b.String()
}

func commandPage(name string, c *cli.Command) string {
	var b strings.Builder
	section := sections(&b)
	fmt.Fprintf(&b, "# harbordb %s\n", name)
	section("Name", pageName(name)+" - "+escape(c.Usage))
	section("Synopsis", "`"+strings.TrimSpace("harbordb "+name+" "+c.ArgsUsage)+" [flags]`")
	section("Description", escape(c.Description))
	section("Examples", "```sh\n"+c.UsageText+"\n```")
	if len(c.Flags) > 0 {
		section("Flags", flagList(c.Flags))
	}
	section("See also", "[harbordb](harbordb.md), with the flags of every command")
	return b.String()
}

func sections(b *strings.Builder) func(title, text string) {
	return func(title, text string) {
		fmt.Fprintf(b, "\n## %s\n\n", title)
		if text != "" {
			b.WriteString(text + "\n")
		}
	}
}

func flagList(flags []cli.Flag) string {
	var lines []string
	for _, f := range flags {
		doc := f.(cli.DocGenerationFlag)
		value, text := splitPlaceholder(doc.GetUsage())
		spelled := strings.TrimSpace(spellings(f) + " " + valueName(doc, value))
		lines = append(lines, fmt.Sprintf("- `%s` (`%s`): %s", spelled, flagVariable(f.Names()[0]), escape(text+defaultText(doc))))
	}
	return strings.Join(lines, "\n")
}

// escape keeps text from being taken for Markdown.
func escape(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`).Replace(text)
}
