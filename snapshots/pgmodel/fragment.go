package pgmodel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The checks of this file keep a fragment of SQL in its place: they accept
// what a server prints and refuse what could end the clause that the fragment
// stands in, or the statement. They do not say that it is harmless: that is
// what UnknownObjects is for.

// balanced returns the tokens of s if its brackets match and it holds no
// semicolon.
func balanced(s string) (*statement, error) {
	p, err := parse(s)
	if err != nil {
		return nil, err
	}
	for _, t := range p.tokens {
		if t.is(";") {
			return nil, fmt.Errorf("at byte %d: unexpected semicolon", t.start)
		}
	}
	return p, nil
}

// fragment is balanced, is not empty and has no comma outside of brackets.
func fragment(s string) (*statement, error) {
	p, err := balanced(s)
	if err != nil {
		return nil, err
	}
	if len(p.tokens) == 0 {
		return nil, errors.New("it is empty")
	}
	if i, ok := p.find(","); ok {
		return nil, fmt.Errorf("at byte %d: unexpected comma", p.tokens[i].start)
	}
	return p, nil
}

func checkExpression(s string) error {
	_, err := fragment(s)
	return err
}

// checkList accepts what stands between the brackets of a call; it may be
// empty.
func checkList(s string) error {
	_, err := balanced(s)
	return err
}

// typeWords are the words of type names of more than one word.
var typeWords = []string{
	"double", "precision", "character", "varying", "bit", "national", "time", "timestamp", "with", "without", "zone",
	"interval", "year", "month", "day", "hour", "minute", "second", "to",
}

// checkType accepts what format_type prints: a name, which may have a schema
// or more than one word, modifiers in brackets, array brackets.
func checkType(s string) error {
	p, err := fragment(s)
	if err != nil {
		return err
	}
	names, previous := 0, ""
	for i, t := range p.tokens {
		if err := checkTypeToken(p, i); err != nil {
			return err
		}
		if p.depth[i] == 0 && (t.kind == word || t.kind == quoted) {
			if previous != "." {
				names++
			}
			if names > 1 && !slices.Contains(typeWords, strings.ToLower(t.text)) {
				return fmt.Errorf("unexpected %q", t.text)
			}
		}
		previous = t.text
	}
	if k := p.tokens[0].kind; k != word && k != quoted {
		return errors.New("it does not begin with a name")
	}
	return nil
}

func checkTypeToken(p *statement, i int) error {
	t := p.tokens[i]
	inside := p.depth[i] > 0
	switch {
	case t.kind == word || t.kind == quoted || t.kind == number || t.kind == punct && t.text != ":":
	case inside && (t.kind == text || t.text == "-"): // modifiers of extensions' types
	default:
		return fmt.Errorf("unexpected %q", t.text)
	}
	return nil
}

// checkIndex accepts "method (…) …".
func checkIndex(s string) error {
	p, err := fragment(s)
	if err != nil {
		return err
	}
	if _, err := p.name(); err != nil {
		return err
	}
	return p.expect("(")
}

// checkKey accepts the text of a constraint that an index backs.
func checkKey(s string) error {
	p, err := fragment(s)
	if err != nil {
		return err
	}
	if !p.accept("exclude", "using") && !p.accept("primary", "key") && !p.accept("unique") {
		return errors.New("it is no constraint with an index")
	}
	return nil
}

// checkQuery accepts one query.
func checkQuery(s string) error {
	p, err := balanced(s)
	if err != nil {
		return err
	}
	for p.accept("(") {
	}
	if !p.accept("select") && !p.accept("with") && !p.accept("values") && !p.accept("table") {
		return errors.New("it is no query")
	}
	return nil
}

// checkEvents accepts when a trigger fires: "BEFORE INSERT OR UPDATE OF a, b".
func checkEvents(s string) error {
	p, err := balanced(s)
	if err != nil {
		return err
	}
	if !p.accept("before") && !p.accept("after") && !p.accept("instead", "of") {
		return errors.New("it does not say when")
	}
	for _, t := range p.tokens[p.pos:] {
		if t.kind != word && t.kind != quoted && !t.is(",") {
			return fmt.Errorf("unexpected %q", t.text)
		}
	}
	return nil
}

// checkDetail accepts what stands between a trigger's relation and EXECUTE.
func checkDetail(s string) error {
	if s == "" {
		return nil
	}
	return checkExpression(s)
}

// checkStatistics accepts "(kinds) ON a, b".
func checkStatistics(s string) error {
	p, err := balanced(s)
	if err != nil {
		return err
	}
	if _, ok := p.find("on"); !ok {
		return errors.New("expected ON")
	}
	return nil
}

// checkFunction accepts what follows a function's name. The statements of a
// body in standard SQL end in semicolons.
func checkFunction(f *Function) error {
	p, err := parse(f.Definition)
	if err != nil {
		return err
	}
	if err := p.expect("("); err != nil {
		return err
	}
	begin, atomic := p.find("begin", "atomic")
	for i, t := range p.tokens {
		if t.is(";") && (!atomic || i < begin || i == len(p.tokens)-1) {
			return fmt.Errorf("at byte %d: unexpected semicolon", t.start)
		}
	}
	return nil
}

// checkCondition accepts "" and "WHERE …".
func checkCondition(s string) error {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	p, err := fragment(s)
	if err != nil {
		return err
	}
	return p.expect("where")
}
