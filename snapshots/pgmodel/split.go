package pgmodel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The functions of this file take apart what pg_get_functiondef and its
// relatives print, so that names become references and only what has no other
// form stays text.

// statement is a definition that the server printed, read from the left.
type statement struct {
	sql    string
	tokens []token
	depth  []int
	pos    int
}

func parse(sql string) (*statement, error) {
	sql = strings.TrimRight(sql, " \t\r\n")
	tokens, err := lex(sql)
	if err != nil {
		return nil, err
	}
	depth, err := depths(tokens)
	if err != nil {
		return nil, err
	}
	return &statement{sql: sql, tokens: tokens, depth: depth}, nil
}

// accept takes the words if they come next.
func (s *statement) accept(words ...string) bool {
	for i, w := range words {
		if s.pos+i >= len(s.tokens) || !s.tokens[s.pos+i].is(w) {
			return false
		}
	}
	s.pos += len(words)
	return true
}

func (s *statement) expect(words ...string) error {
	if !s.accept(words...) {
		return fmt.Errorf("expected %s", strings.Join(words, " "))
	}
	return nil
}

// name takes an identifier.
func (s *statement) name() (string, error) {
	if s.pos < len(s.tokens) {
		if n, ok := s.tokens[s.pos].name(); ok {
			s.pos++
			return n, nil
		}
	}
	return "", errors.New("expected a name")
}

// qualified takes schema.name.
func (s *statement) qualified() (Name, error) {
	schema, err := s.name()
	if err != nil {
		return Name{}, err
	}
	if err := s.expect("."); err != nil {
		return Name{}, fmt.Errorf("%s has no schema: %w", schema, err)
	}
	name, err := s.name()
	return Name{schema, name}, err
}

// until returns the text up to the token at index end, and goes there.
func (s *statement) until(end int) string {
	if s.pos >= end {
		return ""
	}
	out := s.sql[s.tokens[s.pos].start:s.tokens[end-1].end]
	s.pos = end
	return out
}

// rest returns what has not been taken.
func (s *statement) rest() string { return s.until(len(s.tokens)) }

// find returns the index of the next run of words outside of brackets.
func (s *statement) find(words ...string) (int, bool) {
	for i := s.pos; i+len(words) <= len(s.tokens); i++ {
		if s.depth[i] == 0 && s.at(i, words) {
			return i, true
		}
	}
	return 0, false
}

// findLast returns the index of the last such run.
func (s *statement) findLast(words ...string) (int, bool) {
	for i := len(s.tokens) - len(words); i >= s.pos; i-- {
		if s.depth[i] == 0 && s.at(i, words) {
			return i, true
		}
	}
	return 0, false
}

func (s *statement) at(i int, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool {
		i++
		return !s.tokens[i-1].is(w)
	})
}

// SplitFunction returns what follows the name in the output of
// pg_get_functiondef.
func SplitFunction(def string, kind Kind, name Name) (string, error) {
	s, err := parse(def)
	if err != nil {
		return "", err
	}
	if err := s.expect("create", "or", "replace", string(kind)); err != nil {
		return "", err
	}
	got, err := s.qualified()
	if err != nil {
		return "", err
	}
	if got != name {
		return "", fmt.Errorf("it is named %s", got)
	}
	return s.rest(), nil
}

// SplitIndex returns what follows USING in the output of pg_get_indexdef,
// without storage parameters: the catalog has these in a column of their own.
func SplitIndex(def string, table Name) (string, error) {
	s, err := parse(def)
	if err != nil {
		return "", err
	}
	on, ok := s.find("on")
	if !ok {
		return "", errors.New("expected ON")
	}
	s.pos = on + 1
	s.accept("only")
	got, err := s.qualified()
	if err != nil {
		return "", err
	}
	if got != table {
		return "", fmt.Errorf("it is an index of %s", got)
	}
	if err := s.expect("using"); err != nil {
		return "", err
	}
	return s.withoutOptions(), nil
}

// withoutOptions returns the rest without WITH (…), which stands before
// WHERE.
func (s *statement) withoutOptions() string {
	with, ok := s.find("with", "(")
	where, partial := s.find("where")
	if !ok || partial && where < with {
		return s.rest()
	}
	head := s.until(with)
	for s.pos = with + 2; s.depth[s.pos] > 0; s.pos++ {
	}
	s.pos++
	return strings.TrimSpace(head + " " + s.rest())
}

// SplitTrigger fills the parts of t that the output of pg_get_triggerdef
// shows: all but its name, its state and its comment.
func SplitTrigger(def string, t *Trigger) error {
	s, err := parse(def)
	if err != nil {
		return err
	}
	if err := s.expect("create"); err != nil {
		return err
	}
	t.Constraint = s.accept("constraint")
	if err := s.expect("trigger"); err != nil {
		return err
	}
	if _, err := s.name(); err != nil {
		return err
	}
	on, ok := s.find("on")
	if !ok {
		return errors.New("expected ON")
	}
	t.Events = s.until(on)
	s.pos++
	if _, err := s.qualified(); err != nil {
		return err
	}
	return s.splitAction(t)
}

// splitAction takes what follows the relation. A transition table may be
// named "execute": the last EXECUTE counts.
func (s *statement) splitAction(t *Trigger) error {
	execute, ok := s.findLast("execute", "function")
	if !ok {
		if execute, ok = s.findLast("execute", "procedure"); !ok {
			return errors.New("expected EXECUTE")
		}
	}
	t.Detail = s.until(execute)
	s.pos += 2
	var err error
	if t.Function, err = s.qualified(); err != nil {
		return err
	}
	arguments := s.rest()
	if !strings.HasPrefix(arguments, "(") || !strings.HasSuffix(arguments, ")") {
		return errors.New("expected arguments")
	}
	t.Arguments = arguments[1 : len(arguments)-1]
	return nil
}

// SplitStatistics returns what stands between the name and the table in the
// output of pg_get_statisticsobjdef.
func SplitStatistics(def string) (string, error) {
	s, err := parse(def)
	if err != nil {
		return "", err
	}
	if err := s.expect("create", "statistics"); err != nil {
		return "", err
	}
	if _, err := s.qualified(); err != nil {
		return "", err
	}
	from, ok := s.findLast("from")
	if !ok {
		return "", errors.New("expected FROM")
	}
	return s.until(from), nil
}

// SplitView returns the query in the output of pg_get_viewdef, which ends
// with a semicolon.
func SplitView(def string) (string, error) {
	s, err := parse(strings.TrimSuffix(strings.TrimRight(def, " \t\r\n"), ";"))
	if err != nil {
		return "", err
	}
	return s.rest(), nil
}
