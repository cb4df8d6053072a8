package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// markdown is a page of the documentation as the tests read it: in turns,
// lines that nothing is done with and parts that are carried out.
type markdown struct {
	file  string
	parts []*part
}

// part is a block of commands, or a comment that prepares for them:
//
//	<!-- scratch: WORDS
//	text
//	-->
type part struct {
	kind    string   // "text", "comment", or the language of a fenced block
	words   []string // of a comment
	lines   []string // without fences
	line    int      // of the first line in the file
	heading string   // above it
}

const commentStart = "<!-- scratch: "

func readMarkdown(t *testing.T, file string) *markdown {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := &markdown{file: file}
	heading := ""
	open := (*part)(nil) // a block or a comment that has not ended
	for i, line := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		here := part{line: i + 1, heading: heading}
		switch {
		case open != nil && (open.kind == "comment" && line == "-->" || open.kind != "comment" && line == "```"):
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		case strings.HasPrefix(line, commentStart):
			here.kind = "comment"
			words, closed := strings.CutSuffix(strings.TrimPrefix(line, commentStart), " -->")
			here.words = strings.Fields(words)
			m.parts = append(m.parts, &here)
			if !closed {
				open = &here
			}
		case strings.HasPrefix(line, "```"):
			here.kind = "block " + strings.TrimPrefix(line, "```")
			m.parts = append(m.parts, &here)
			open = &here
		default:
			if strings.HasPrefix(line, "#") {
				heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
			}
			here.kind, here.lines = "text", []string{line}
			m.parts = append(m.parts, &here)
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: not closed", file, open.line)
	}
	return m
}

// write puts the page back, with what the parts hold now.
func (m *markdown) write(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, p := range m.parts {
		switch {
		case p.kind == "text":
			b.WriteString(p.lines[0] + "\n")
		case p.kind == "comment" && p.lines == nil:
			b.WriteString(commentStart + strings.Join(p.words, " ") + " -->\n")
		case p.kind == "comment":
			fmt.Fprintf(&b, "%s%s\n%s\n-->\n", commentStart, strings.Join(p.words, " "), strings.Join(p.lines, "\n"))
		default:
			fmt.Fprintf(&b, "```%s\n%s\n```\n", strings.TrimPrefix(p.kind, "block "), strings.Join(p.lines, "\n"))
		}
	}
	if err := os.WriteFile(m.file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// command is a command of a console block and what stands below it.
type command struct {
	text   string // may have several lines
	output []string
}

// commands takes a console block apart: a command after "$ ", with further
// lines after "> ", and then its output.
func (p *part) commands() []command {
	var list []command
	for _, line := range p.lines {
		text, begins := strings.CutPrefix(line, "$ ")
		more, goesOn := strings.CutPrefix(line, "> ")
		switch last := len(list) - 1; {
		case begins:
			list = append(list, command{text: text})
		case goesOn && last >= 0 && list[last].output == nil:
			list[last].text += "\n" + more
		case last >= 0:
			list[last].output = append(list[last].output, line)
		}
	}
	return list
}

// setCommands is the way back.
func (p *part) setCommands(list []command) {
	p.lines = nil
	for _, c := range list {
		p.lines = append(p.lines, "$ "+strings.ReplaceAll(c.text, "\n", "\n> "))
		p.lines = append(p.lines, c.output...)
	}
}
