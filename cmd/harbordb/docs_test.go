package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// updateDocs writes what commands print into the pages that show it. Read the
// difference before you commit it.
var updateDocs = flag.Bool("update-docs", false, "write the output of commands into the documentation")

// pages are the pages whose commands are run.
var pages = []string{"README.md", "docs/OPERATIONS.md", "docs/METRICS.md", "docs/SECURITY.md"}

// The commands of a page run as they stand there, in turns, each part on a
// scratch machine that a comment before it prepares. A block of sh must end
// with 0; of a console block the output must be what stands there, but for
// what differs between two runs.
func TestPagesAreTrue(t *testing.T) {
	for _, name := range pages {
		t.Run(filepath.Base(name), func(page *testing.T) {
			m := readMarkdown(page, filepath.Join("../..", name))
			servers := map[database.Engine]*dbtest.Server{}
			for _, chapter := range chapters(page, m) {
				page.Run(chapter[0].heading, func(t *testing.T) {
					s := newScratch(t, page, servers)
					for _, p := range chapter {
						s.carryOut(m, p)
					}
				})
			}
			if *updateDocs {
				m.write(page)
			}
		})
	}
}

// chapters are the parts of a page by the scratch that they share: a comment
// with "harbor" or "new" begins one, and "none" says of the next block why it
// is not run. A block of commands that nobody runs is an error.
func chapters(t *testing.T, m *markdown) (list [][]*part) {
	t.Helper()
	excused := false
	for _, p := range m.parts {
		begins := p.kind == "comment" && slices.Contains([]string{"harbor", "new", "tls"}, p.words[0])
		runs := slices.Contains([]string{"block sh", "block console", "block sql", "block crontab"}, p.kind)
		switch {
		case p.kind == "comment" && p.words[0] == "none":
			excused = true
		case begins:
			list = append(list, []*part{p})
		case strings.HasPrefix(p.kind, "block") && excused:
			excused = false
		case runs && len(list) == 0, strings.HasPrefix(p.kind, "block") && !runs && strings.Contains(strings.Join(p.lines, "\n"), "harbordb "):
			t.Errorf("%s:%d: commands that no test runs", m.file, p.line)
		case runs, p.kind == "comment":
			list[len(list)-1] = append(list[len(list)-1], p)
		}
	}
	return list
}

func (s *scratch) carryOut(m *markdown, p *part) {
	s.t.Helper()
	switch {
	case p.kind == "comment" && p.words[0] == "new":
	case p.kind == "comment":
		s.prepare(p)
	case p.kind == "block crontab":
		s.crontab(m, p)
	case p.kind == "block sql":
		dbtest.Exec(s.t, s.settings, strings.Join(p.lines, "\n"))
	case p.kind == "block sh":
		if out, code := s.run("set -e\n" + strings.Join(p.lines, "\n")); code != 0 {
			s.t.Errorf("%s:%d: exit code %d\n%s", m.file, p.line, code, out)
		}
	default:
		s.console(m, p)
	}
}

// crontab runs the command of each line.
func (s *scratch) crontab(m *markdown, p *part) {
	s.t.Helper()
	for _, line := range p.lines {
		command := regexp.MustCompile(`^(\S+\s+){5}`).ReplaceAllString(line, "")
		if out, code := s.run(command); code != 0 || out != "" {
			s.t.Errorf("%s:%d: exit code %d, and a mail of\n%s", m.file, p.line, code, out)
		}
	}
}

// console runs the commands of a console block in one shell and compares what
// they print.
func (s *scratch) console(m *markdown, p *part) {
	s.t.Helper()
	const mark = "-----next-command-----"
	list := p.commands()
	script := "_code=0\n"
	for _, c := range list {
		script += fmt.Sprintf("echo %s$_code; (exit $_code)\n%s\n_code=$?\n", mark, c.text)
	}
	out, _ := s.run(script + "echo " + mark + "$_code\n")
	answers := strings.Split(out, mark)[1:]
	if len(answers) != len(list)+1 {
		s.t.Errorf("%s:%d: the commands did not all run\n%s", m.file, p.line, out)
		return
	}
	for i := range list {
		_, got, _ := strings.Cut(answers[i], "\n")
		code, _, _ := strings.Cut(answers[i+1], "\n")
		told := i+1 < len(list) && list[i+1].text == "echo $?"
		if code != "0" && !told {
			s.t.Errorf("%s:%d: %s: exit code %s, which the page does not say\n%s", m.file, p.line, list[i].text, code, got)
		}
		lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
		if got == "" {
			lines = nil
		}
		if *updateDocs {
			list[i].output = lines
		} else if want := list[i].output; comparable(want) != comparable(lines) {
			s.t.Errorf("%s:%d: %s prints\n%s\nand not\n%s\n(go test ./cmd/harbordb -run TestPagesAreTrue -update-docs writes it)",
				m.file, p.line, list[i].text, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	p.setCommands(list)
}

// varies is what two runs of a command print differently.
var varies = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\b\d{8}T\d{6}(\.\d+)?Z-[0-9a-f]{6}\b`), "ID"},
	{regexp.MustCompile(`\b\d{8}T\d{6}Z\b|_(before|restoring)_\d+\w*`), "TIME"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?UTC|Z)?`), "TIME"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`), "DAY"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ([KMGT]i?B|B)\b`), "SIZE"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|min|h|days)\b`), "SPAN"},
	{regexp.MustCompile(`\bjust now\b`), "SPAN ago"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b|[0-9a-f]{12}…`), "DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "UUID"},
	{regexp.MustCompile(`\b\d{19}\b|\bhost-[0-9a-f]{16}\b|test authority [0-9a-f]+|swift://test-\d+`), "NAME"},
	{regexp.MustCompile(`\bpid \d+|process \d+`), "PID"},
	{regexp.MustCompile(`(PostgreSQL|MariaDB) [0-9.]+\S*( \(.*?\))?`), "SERVER"},
	{regexp.MustCompile(`harbordb (unknown|dev)\S*`), "harbordb"},
	{regexp.MustCompile(`-{3,}`), "---"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func comparable(lines []string) string {
	text := strings.Join(lines, "\n")
	for _, v := range varies {
		text = v.pattern.ReplaceAllString(text, v.as)
	}
	return text
}

// Commands that stand within the text of any page are lines that harbordb
// understands.
func TestCommandsInTheTextAreRight(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/json/*.md")
	if err != nil {
		t.Fatal(err)
	}
	app := ownApp()
	inline := regexp.MustCompile("`harbordb ([^`]*)`")
	for _, file := range append(append(files, more...), "../../README.md", "../../CHANGELOG.md") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range inline.FindAllStringSubmatch(strings.ReplaceAll(string(content), "\n", " "), -1) {
			text := match[1]
			if strings.ContainsAny(text, "…|") || !strings.ContainsAny(text, " ") && lookUp(app.Commands, word{text: text}) != nil {
				continue // a name, or several
			}
			l, err := readLine(app, shellWords(text))
			if err == nil {
				_, err = resolve(app, l, nil)
			}
			if err != nil && !strings.Contains(err.Error(), "needs") {
				t.Errorf("%s: harbordb %s: %v", file, text, err)
			}
		}
	}
}
