package mymodel

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// statement is a CREATE TABLE statement in pieces: CREATE TABLE `name` ( items
// ) options.
type statement struct {
	items   []string // columns, keys and constraints, in order
	options string   // what follows the closing bracket
}

// splitTable takes apart what SHOW CREATE TABLE prints for the table name.
func splitTable(name, create string) (statement, error) {
	rest, ok := strings.CutPrefix(create, "CREATE TABLE "+QuoteIdent(name)+" (")
	if !ok {
		return statement{}, fmt.Errorf("it does not begin with CREATE TABLE %s", QuoteIdent(name))
	}
	var s statement
	depth, from := 1, 0
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; c {
		case '`', '\'', '"':
			end, err := skipQuoted(rest, i)
			if err != nil {
				return statement{}, err
			}
			i = end
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.items = append(s.items, strings.TrimSpace(rest[from:i]))
				s.options = rest[i+1:]
				return s, nil
			}
		case ',':
			if depth == 1 {
				s.items = append(s.items, strings.TrimSpace(rest[from:i]))
				from = i + 1
			}
		}
	}
	return statement{}, errors.New("a bracket is not closed")
}

// skipQuoted returns the index of the quote that ends what begins at i. In
// identifiers a quote is doubled; in strings a backslash escapes, too.
func skipQuoted(s string, i int) (int, error) {
	q := s[i]
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && q != '`':
			j++
		case s[j] == q && j+1 < len(s) && s[j+1] == q:
			j++
		case s[j] == q:
			return j, nil
		}
	}
	return 0, fmt.Errorf("a %c is not closed", q)
}

// mapUnquoted applies change to what stands outside of quotes.
func mapUnquoted(s string, change func(string) string) (string, error) {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '`' && c != '\'' && c != '"' {
			continue
		}
		b.WriteString(change(s[from:i]))
		end, err := skipQuoted(s, i)
		if err != nil {
			return "", err
		}
		b.WriteString(s[i : end+1])
		from, i = end+1, end
	}
	b.WriteString(change(s[from:]))
	return b.String(), nil
}

// unquoted returns what stands outside of quotes.
func unquoted(s string) (string, error) {
	var b strings.Builder
	_, err := mapUnquoted(s, func(part string) string {
		b.WriteString(part + " ")
		return part
	})
	return b.String(), err
}

// join is the inverse of splitTable.
func (s statement) join(name string) string {
	return "CREATE TABLE " + QuoteIdent(name) + " (\n  " + strings.Join(s.items, ",\n  ") + "\n)" + s.options
}

var (
	keyForm     = regexp.MustCompile("^(UNIQUE )?KEY `")
	foreignForm = regexp.MustCompile("^CONSTRAINT `(?:[^`]|``)*` FOREIGN KEY ")
	autoForm    = regexp.MustCompile(`(?i)\bAUTO_INCREMENT\b`)
)

// parts are the steps in which a table is made: the bare table, then its
// keys, then its foreign keys.
type parts struct {
	bare    statement
	keys    []string // secondary keys that can be added once the rows are there
	foreign []string
}

// stepwise decides which keys can follow the rows. Those that an
// AUTO_INCREMENT column needs, and unique keys where there is no primary key,
// because the table is stored by one of them, cannot; nor do keys of other
// kinds than plain and unique.
func (t *Table) stepwise() (parts, error) {
	s, err := splitTable(t.Name, t.Create)
	if err != nil {
		return parts{}, err
	}
	p := parts{bare: statement{options: s.options}}
	auto := ""
	for _, item := range s.items {
		if strings.HasPrefix(item, "`") && hasWord(item, autoForm) {
			end, err := skipQuoted(item, 0)
			if err != nil {
				return parts{}, err
			}
			auto = item[:end+1]
		}
	}
	needsKey := auto != "" && (len(t.PrimaryKey) == 0 || QuoteIdent(t.PrimaryKey[0]) != auto)
	for _, item := range s.items {
		switch {
		case foreignForm.MatchString(item):
			p.foreign = append(p.foreign, item)
		case keyForm.MatchString(item) && !needsKey && (len(t.PrimaryKey) > 0 || !strings.HasPrefix(item, "UNIQUE")):
			p.keys = append(p.keys, item)
		default:
			p.bare.items = append(p.bare.items, item)
		}
	}
	return p, nil
}

func hasWord(item string, word *regexp.Regexp) bool {
	text, err := unquoted(item)
	return err == nil && word.MatchString(text)
}

var counterForm = regexp.MustCompile(` AUTO_INCREMENT=([0-9]+)`)

// counter parts the next AUTO_INCREMENT value, as text, from the options.
func (s statement) counter() (rest, value string) {
	m := counterForm.FindStringSubmatchIndex(s.options)
	if m == nil {
		return s.options, ""
	}
	return s.options[:m[0]] + s.options[m[1]:], s.options[m[2]:m[3]]
}
