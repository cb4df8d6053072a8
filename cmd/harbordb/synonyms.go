package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// synonym is another word for a command: what an operator would try who comes
// from restic, pg_dump or golang-migrate.
type synonym struct {
	from []string
	to   []string
	// flag: what the words stand for besides, a switch, or, where the
	// next word is to be its value, a flag with a value.
	flag        string
	takesWord   bool
	onlyIfAlone bool // not where the next word is a member of the group "snapshots"
}

// synonyms are tried in this order, the longest first; one that fits is
// replaced, and then the next is tried.
var synonyms = []synonym{
	{from: []string{"snapshots", "create"}, to: []string{"backup"}},
	{from: []string{"snapshot", "create"}, to: []string{"backup"}},
	{from: []string{"snapshot"}, to: []string{"backup"}, onlyIfAlone: true},
	{from: []string{"snapshot"}, to: []string{"snapshots"}},
	{from: []string{"snapshots", "list"}, to: []string{"snapshots", "ls"}},
	{from: []string{"snapshots", "delete"}, to: []string{"snapshots", "rm"}},
	{from: []string{"dump"}, to: []string{"backup"}},
	{from: []string{"rollback"}, to: []string{"restore"}, flag: "rollback"},
	{from: []string{"repair", "dirty"}, to: []string{"repair", "schema"}},
	{from: []string{"repair", "migrations"}, to: []string{"repair", "schema"}},
	{from: []string{"schema", "force"}, to: []string{"repair", "schema"}, flag: "version", takesWord: true},
	{from: []string{"schema", "repair"}, to: []string{"repair", "schema"}},
	{from: []string{"schema", "version"}, to: []string{"schema", "status"}},
	{from: []string{"orphans", "find"}, to: []string{"orphans", "scan"}},
	{from: []string{"orphans", "ls"}, to: []string{"orphans", "scan"}},
}

// downgrades are the words by which an operator would ask for what Harbor does
// not have.
var downgrades = [][]string{{"downgrade"}, {"schema", "down"}, {"schema", "goto"}}

// translate replaces other words for a command with its name. Help is asked
// for with the word "help" in front; the words behind it are translated too.
func translate(app *cli.App, l line) ([]word, []flagUse, error) {
	words, flags := slices.Clone(l.words), slices.Clone(l.flags)
	skip := 0
	if begins(words, []string{"help"}) {
		skip = 1
	}
	for _, d := range downgrades {
		if begins(words[skip:], d) {
			return nil, nil, noDowngrade(strings.Join(d, " "))
		}
	}
	for _, s := range synonyms {
		if !s.fits(app, words[skip:]) {
			continue
		}
		rest := words[skip+len(s.from):]
		if s.flag != "" {
			use := flagUse{spelled: "--" + s.flag, name: s.flag}
			if s.takesWord && len(rest) > 0 {
				use.value, use.hasValue = rest[0].text, true
				rest = rest[1:]
			}
			if use.hasValue || !s.takesWord {
				flags = append(flags, use)
			}
		}
		words = slices.Concat(words[:skip], asWords(s.to), rest)
	}
	return words, flags, nil
}

func (s synonym) fits(app *cli.App, words []word) bool {
	if !begins(words, s.from) {
		return false
	}
	return !s.onlyIfAlone || len(words) == len(s.from) || !isSnapshotsVerb(app, words[len(s.from)])
}

// isSnapshotsVerb tells "snapshot ls" from a backup.
func isSnapshotsVerb(app *cli.App, w word) bool {
	if w.text == "list" || w.text == "delete" {
		return !w.literal
	}
	group := app.Command("snapshots")
	return group != nil && lookUp(group.Subcommands, w) != nil
}

func begins(words []word, with []string) bool {
	if len(words) < len(with) {
		return false
	}
	for i, text := range with {
		if words[i].text != text || words[i].literal {
			return false
		}
	}
	return true
}

func asWords(texts []string) []word {
	words := make([]word, len(texts))
	for i, text := range texts {
		words[i].text = text
	}
	return words
}

func noDowngrade(what string) error {
	return fault.Refusedf("%s: Harbor has no down migrations; the way back to an older release is the snapshot taken before the upgrade", what).
		WithHint("harbordb snapshots ls, then harbordb restore ID")
}
