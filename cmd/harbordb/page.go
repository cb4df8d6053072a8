package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// page is a result as text for a person. Cells come from databases and
// buckets: what could steer a terminal is made visible, and on a terminal a
// row is cut to its width.
type page struct {
	text  strings.Builder
	width int // columns; 0: do not cut
}

// render returns the text that write puts on a page.
func render(width int, write func(*page)) string {
	p := &page{width: width}
	write(p)
	return p.text.String()
}

// line writes one line.
func (p *page) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, l := range strings.Split(text, "\n") {
		p.text.WriteString(strings.TrimRight(printable(l), " "))
		p.text.WriteByte('\n')
	}
}

// heading writes a line with an empty one above, except at the top.
func (p *page) heading(format string, args ...any) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	p.line(format, args...)
}

// paragraphs writes text in whole sentences, broken into lines of at most
// proseWidth characters; an empty line separates paragraphs.
func (p *page) paragraphs(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.line("")
		}
		p.prose("", paragraph)
	}
}

const proseWidth = 78

// prose writes text in whole sentences behind a mark; lines after the first
// stand below its text.
func (p *page) prose(mark, text string) { p.hang(mark, text, proseWidth) }

// item writes one entry of a list behind its mark, as wide as the terminal.
func (p *page) item(mark, text string) { p.hang(mark, text, p.width) }

// hang breaks text behind a mark into lines of at most width characters; 0 is
// no limit.
func (p *page) hang(mark, text string, width int) {
	indent := utf8.RuneCountInString(mark)
	room := len(text)
	if width > 0 {
		room = max(width-indent, leastWidth)
	}
	for i, line := range wrap(text, room) {
		if i > 0 {
			mark = strings.Repeat(" ", indent)
		}
		p.line("%s%s", mark, line)
	}
}

// wrap breaks text between words into lines of at most width characters, as
// far as words are not longer.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		if *last != "" && utf8.RuneCountInString(*last+" "+word) > width {
			lines = append(lines, word)
			continue
		}
		*last = strings.TrimLeft(*last+" "+word, " ")
	}
	return lines
}

// fields writes pairs of a name and a value, the values in one column. Pairs
// with an empty value are left out.
func (p *page) fields(pairs ...[2]string) {
	longest := 0
	for _, pair := range pairs {
		if pair[1] != "" {
			longest = max(longest, utf8.RuneCountInString(pair[0]))
		}
	}
	for _, pair := range pairs {
		if pair[1] != "" {
			p.line("%-*s  %s", longest, pair[0], pair[1])
		}
	}
}

// column describes a column of a table.
type column struct {
	title string
	right bool // numbers stand right
	cut   bool // may be cut where the table is wider than the terminal
}

// cells is a row of a table.
type cells []string

// table writes rows below their titles. Where it is wider than the terminal,
// the columns marked cut give way, the widest first.
func (p *page) table(columns []column, rows []cells) {
	widths := p.columnWidths(columns, rows)
	titles := make(cells, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	p.row(columns, widths, titles)
	for _, row := range rows {
		p.row(columns, widths, row)
	}
}

const columnGap = 2

// leastWidth is how narrow a column may be cut.
const leastWidth = 8

func (p *page) columnWidths(columns []column, rows []cells) []int {
	widths := make([]int, len(columns))
	total := columnGap * (len(columns) - 1)
	for i, c := range columns {
		widths[i] = utf8.RuneCountInString(c.title)
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(row[i])))
		}
		total += widths[i]
	}
	for p.width > 0 && total > p.width {
		widest := -1
		for i, c := range columns {
			if c.cut && widths[i] > leastWidth && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

func (p *page) row(columns []column, widths []int, row cells) {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", columnGap))
		}
		cell := shorten(printable(row[i]), widths[i])
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if c.right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	p.text.WriteString(strings.TrimRight(b.String(), " "))
	p.text.WriteByte('\n')
}

// shorten cuts text to a number of characters, the last of which then is "…".
func shorten(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}

// printable replaces what a terminal would obey by what a person can see.
func printable(text string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) || r == '\t' }
	if strings.IndexFunc(text, func(r rune) bool { return !clean(r) || r == utf8.RuneError }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case clean(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
