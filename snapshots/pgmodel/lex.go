package pgmodel

import (
	"errors"
	"fmt"
	"strings"
)

// tokenKind is the kind of a token of SQL.
type tokenKind int

const (
	word   tokenKind = iota // a bare identifier or keyword
	quoted                  // "an identifier"
	text                    // a string constant of any form
	number
	operator // one run of operator characters, or ::
	punct    // one of ( ) [ ] , ; . :
)

// token is one token; s[start:end] is its text.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// lexer cuts SQL as PostgreSQL prints it into tokens, by the rules of the
// manual's "Lexical Structure" with standard_conforming_strings on. What a
// server never prints (comments, parameters, a backslash outside of a string)
// is an error: it could hide the end of a statement.
type lexer struct {
	s   string
	pos int
}

func lex(s string) ([]token, error) {
	l := lexer{s: s}
	var tokens []token
	for {
		l.skipSpace()
		if l.pos == len(s) {
			return tokens, nil
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
}

func (l *lexer) skipSpace() {
	for l.pos < len(l.s) && strings.IndexByte(" \t\n\r\f\v", l.s[l.pos]) >= 0 {
		l.pos++
	}
}

const operatorChars = "+-*/<>=~!@#%^&|`?"

func (l *lexer) next() (token, error) {
	start := l.pos
	kind, err := l.scan()
	if err != nil {
		return token{}, fmt.Errorf("at byte %d: %w", start, err)
	}
	return token{kind: kind, text: l.s[start:l.pos], start: start, end: l.pos}, nil
}

func (l *lexer) scan() (tokenKind, error) {
	c := l.s[l.pos]
	switch {
	case isWordStart(c):
		return l.scanWord()
	case c == '"':
		return quoted, l.scanQuoted('"')
	case c == '\'':
		return text, l.scanQuoted('\'')
	case c == '$':
		return text, l.scanDollar()
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		l.scanNumber()
		return number, nil
	case c == ':' && l.peek(1) == ':':
		l.pos += 2
		return operator, nil
	case strings.IndexByte("()[],;.:", c) >= 0:
		l.pos++
		return punct, nil
	case strings.IndexByte(operatorChars, c) >= 0:
		return operator, l.scanOperator()
	}
	return 0, fmt.Errorf("unexpected character %q", c)
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isWordStart(c byte) bool { return c == '_' || c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isWordPart(c byte) bool  { return isWordStart(c) || isDigit(c) || c == '$' }

// peek returns the byte n ahead, or 0.
func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.s) {
		return l.s[l.pos+n]
	}
	return 0
}

// scanWord reads a word, and the string that begins with it: E'…', B'…',
// U&'…', U&"…".
func (l *lexer) scanWord() (tokenKind, error) {
	start := l.pos
	for l.pos < len(l.s) && isWordPart(l.s[l.pos]) {
		l.pos++
	}
	prefix := strings.ToLower(l.s[start:l.pos])
	switch {
	case prefix == "e" && l.peek(0) == '\'':
		return text, l.scanEscaped()
	case (prefix == "b" || prefix == "x" || prefix == "n") && l.peek(0) == '\'':
		return text, l.scanQuoted('\'')
	case prefix == "u" && l.peek(0) == '&' && (l.peek(1) == '\'' || l.peek(1) == '"'):
		return 0, errors.New("unicode escape string")
	}
	return word, nil
}

// scanQuoted reads to the closing quote; a doubled quote stands for itself.
func (l *lexer) scanQuoted(quote byte) error {
	for l.pos++; l.pos < len(l.s); l.pos++ {
		if l.s[l.pos] != quote {
			continue
		}
		if l.peek(1) != quote {
			l.pos++
			return nil
		}
		l.pos++
	}
	return errors.New("unterminated quote")
}

// scanEscaped reads the rest of E'…'.
func (l *lexer) scanEscaped() error {
	for l.pos++; l.pos < len(l.s); l.pos++ {
		switch {
		case l.s[l.pos] == '\\':
			l.pos++
		case l.s[l.pos] != '\'':
		case l.peek(1) == '\'':
			l.pos++
		default:
			l.pos++
			return nil
		}
	}
	return errors.New("unterminated string")
}

// scanDollar reads $tag$…$tag$.
func (l *lexer) scanDollar() error {
	end := l.pos + 1
	for end < len(l.s) && isWordPart(l.s[end]) && l.s[end] != '$' {
		end++
	}
	if end == len(l.s) || l.s[end] != '$' || isDigit(l.peek(1)) {
		return errors.New("parameter or unterminated dollar quote")
	}
	tag := l.s[l.pos : end+1]
	n := strings.Index(l.s[end+1:], tag)
	if n < 0 {
		return errors.New("unterminated dollar quote")
	}
	l.pos = end + 1 + n + len(tag)
	return nil
}

// scanNumber reads digits, a point, an exponent. It takes letters that follow
// too ("1e5", "0x1F"), so that no two tokens of one number are a word.
func (l *lexer) scanNumber() {
	for l.pos < len(l.s) && (isWordPart(l.s[l.pos]) || l.s[l.pos] == '.') {
		exponent := l.s[l.pos]|0x20 == 'e' && (l.peek(1) == '+' || l.peek(1) == '-') && isDigit(l.peek(2))
		if exponent {
			l.pos++
		}
		l.pos++
	}
}

func (l *lexer) scanOperator() error {
	start := l.pos
	for l.pos < len(l.s) && strings.IndexByte(operatorChars, l.s[l.pos]) >= 0 {
		l.pos++
	}
	if op := l.s[start:l.pos]; strings.Contains(op, "--") || strings.Contains(op, "/*") {
		return errors.New("comment")
	}
	return nil
}

// is reports whether t is the bare word or the punctuation s, in any case.
func (t token) is(s string) bool {
	return (t.kind == word || t.kind == punct) && strings.EqualFold(t.text, s)
}

// name returns the name that t stands for as an identifier. A bare word is
// folded to lower case as the server does for ASCII.
func (t token) name() (string, bool) {
	switch t.kind {
	case word:
		return strings.Map(lowerASCII, t.text), true
	case quoted:
		return strings.ReplaceAll(t.text[1:len(t.text)-1], `""`, `"`), true
	}
	return "", false
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// depths returns the nesting depth of each token, brackets counting as the
// level outside of them, or an error if brackets do not match.
func depths(tokens []token) ([]int, error) {
	var open []string
	out := make([]int, len(tokens))
	for i, t := range tokens {
		out[i] = len(open)
		if t.kind != punct {
			continue
		}
		switch t.text {
		case "(":
			open = append(open, ")")
		case "[":
			open = append(open, "]")
		case ")", "]":
			if len(open) == 0 || open[len(open)-1] != t.text {
				return nil, fmt.Errorf("at byte %d: unbalanced %s", t.start, t.text)
			}
			open = open[:len(open)-1]
			out[i] = len(open)
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("missing %s", open[len(open)-1])
	}
	return out, nil
}
