package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

func completionCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "completion",
		Usage:       "print a shell's completion script",
		ArgsUsage:   "bash|zsh|fish",
		Description: "Prints a script that completes commands and flags. It connects to nothing.",
		UsageText:   "source <(harbordb completion bash)\nharbordb completion fish > ~/.config/fish/completions/harbordb.fish",
		Action:      func(c *cli.Context) error { return runCompletion(c, s) },
	}
}

func runCompletion(c *cli.Context, s *session) error {
	scripts := map[string]func(completions) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	script, ok := scripts[c.Args().First()]
	if !ok {
		return fault.Usagef("no completion for %q: it is bash, zsh or fish", c.Args().First())
	}
	return s.console.write(script(readCompletions(c.App)))
}

// completions are what may follow each command.
type completions struct {
	global   []cli.Flag
	commands []completion // the root first, with an empty path
}

type completion struct {
	path  string // words with one blank between
	words []candidate
	flags []cli.Flag
}

type candidate struct{ word, about string }

func readCompletions(app *cli.App) completions {
	all := completions{global: app.Flags, commands: []completion{{words: candidates(app.Commands)}}}
	eachCommand(app.Commands, nil, func(path []string, c *cli.Command) {
		words := candidates(c.Subcommands)
		for _, word := range choices(c.ArgsUsage) {
			words = append(words, candidate{word: word})
		}
		all.commands = append(all.commands, completion{path: strings.Join(path, " "), words: words, flags: c.Flags})
	})
	return all
}

// choices are the words that an only argument may be: "bash|zsh|fish".
func choices(argsUsage string) []string {
	if strings.Contains(argsUsage, " ") || !strings.Contains(argsUsage, "|") {
		return nil
	}
	return strings.Split(argsUsage, "|")
}

func candidates(list []*cli.Command) []candidate {
	var out []candidate
	for _, c := range list {
		if !c.Hidden {
			out = append(out, candidate{c.Name, c.Usage})
		}
	}
	return out
}

// line is all that may follow a command, with blanks between.
func (all completions) line(c completion) string {
	var words []string
	for _, w := range c.words {
		words = append(words, w.word)
	}
	for _, f := range slices.Concat(c.flags, all.global) {
		words = append(words, "--"+f.Names()[0])
	}
	return strings.Join(append(words, "--help"), " ")
}

// valueFlags are the spellings of all flags that take a value.
func (all completions) valueFlags() []string {
	seen := map[string]bool{}
	add := func(flags []cli.Flag) {
		for _, f := range flags {
			if needsValue(f) {
				for _, spelled := range strings.Split(spellings(f), ", ") {
					seen[spelled] = true
				}
			}
		}
	}
	add(all.global)
	for _, c := range all.commands {
		add(c.flags)
	}
	var out []string
	for spelled := range seen {
		out = append(out, spelled)
	}
	slices.Sort(out)
	return out
}

// bashScript finds the command among the words so far, leaving out flags and
// their values, and offers what may follow it; after a flag with a value, files.
func bashScript(all completions) string {
	var cases strings.Builder
	for _, c := range all.commands {
		fmt.Fprintf(&cases, "    %q) words=%q ;;\n", c.path, all.line(c))
	}
	return fmt.Sprintf(`# bash completion for harbordb
_harbordb() {
  local word previous="" path="" candidate words="" i
  local cur="${COMP_WORDS[COMP_CWORD]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$previous" in %[1]s) previous=""; continue ;; esac
    previous="$word"
    case "$word" in -*) continue ;; esac
    candidate="${path:+$path }$word"
    case "$candidate" in %[2]s) path="$candidate" ;; esac
  done
  case "$previous" in %[1]s) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  case "$path" in
%[3]s  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _harbordb harbordb
`, strings.Join(all.valueFlags(), "|"), quotedPaths(all), cases.String())
}

func quotedPaths(all completions) string {
	var paths []string
	for _, c := range all.commands[1:] {
		paths = append(paths, fmt.Sprintf("%q", c.path))
	}
	return strings.Join(paths, "|")
}

// zshScript lets zsh run the script for bash. As a file of zsh's own folder for
// completions it is run as a function when it is first needed, and has to
// answer then, too.
func zshScript(all completions) string {
	return "#compdef harbordb\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(all) +
		"[[ $funcstack[1] != _harbordb ]] || _bash_complete -o default -F _harbordb\n"
}

// fishScript has a rule for each word and each flag. It finds the command as
// bashScript does.
func fishScript(all completions) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# fish completion for harbordb
function __harbordb_at
  set -l here ''
  set -l value no
  for word in (commandline -opc)[2..]
    if test $value = yes
      set value no
    else if contains -- $word %s
      set value yes
    else if contains -- (string trim -- "$here $word") %s
      set here (string trim -- "$here $word")
    end
  end
  test "$here" = "$argv"
end
complete -c harbordb -f
`, strings.Join(all.valueFlags(), " "), strings.ReplaceAll(quotedPaths(all), "|", " "))
	for _, f := range all.global {
		fishFlag(&b, "", f)
	}
	for _, c := range all.commands {
		condition := strings.TrimSpace("__harbordb_at " + c.path)
		for _, w := range c.words {
			fmt.Fprintf(&b, "complete -c harbordb -n %s -a %s -d %s\n", fishQuote(condition), w.word, fishQuote(w.about))
		}
		for _, f := range c.flags {
			fishFlag(&b, condition, f)
		}
	}
	return b.String()
}

func fishFlag(b *strings.Builder, condition string, f cli.Flag) {
	b.WriteString("complete -c harbordb")
	if condition != "" {
		b.WriteString(" -n " + fishQuote(condition))
	}
	for _, name := range f.Names() {
		if len(name) == 1 {
			b.WriteString(" -s " + name)
		} else {
			b.WriteString(" -l " + name)
		}
	}
	if needsValue(f) {
		b.WriteString(" -r -F")
	}
	_, about := splitPlaceholder(f.(cli.DocGenerationFlag).GetUsage())
	fmt.Fprintf(b, " -d %s\n", fishQuote(about))
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
