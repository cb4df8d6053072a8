package mymodel

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Validate checks that the model is consistent in itself and that each of its
// statements is one statement that makes what it claims to make, and nothing
// else: no second statement, no command of a client.
func (m *Model) Validate() error {
	for _, word := range []string{m.Database.Charset, m.Database.Collation} {
		if !wordForm.MatchString(word) {
			return fmt.Errorf("database: %q is no character set or collation", word)
		}
	}
	if !modeForm.MatchString(m.SQLMode) {
		return fmt.Errorf("%q is no sql_mode", m.SQLMode)
	}
	seen := map[string]bool{}
	for i := range m.Tables {
		if err := m.Tables[i].validate(seen); err != nil {
			return fmt.Errorf("table %q: %w", m.Tables[i].Name, err)
		}
	}
	tables := len(seen)
	for i := range m.Views {
		if err := m.Views[i].validate(seen); err != nil {
			return fmt.Errorf("view %q: %w", m.Views[i].Name, err)
		}
	}
	if len(seen) != tables+len(m.Views) {
		return errors.New("a view has the name of a table")
	}
	names := map[string]bool{}
	for i := range m.Triggers {
		t := &m.Triggers[i]
		if names[t.Name] || m.Table(t.Table) == nil {
			return fmt.Errorf("trigger %q is there twice or has no table", t.Name)
		}
		names[t.Name] = true
		if err := t.validate(); err != nil {
			return fmt.Errorf("trigger %q: %w", t.Name, err)
		}
	}
	if len(m.Unsupported) > 0 {
		return fmt.Errorf("it holds %s, which cannot be carried", m.Unsupported[0])
	}
	return nil
}

var (
	wordForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	modeForm = regexp.MustCompile(`^[A-Z0-9_,]*$`)
)

// Lengths of names in characters.
const maxName = 64

func validName(name string, seen map[string]bool) error {
	switch {
	case name == "" || len([]rune(name)) > maxName || strings.Contains(name, "\x00"):
		return errors.New("it has no name that a server takes")
	case seen[name]:
		return errors.New("its name is there twice")
	}
	seen[name] = true
	return nil
}

func (t *Table) validate(seen map[string]bool) error {
	if err := validName(t.Name, seen); err != nil {
		return err
	}
	if _, err := t.stepwise(); err != nil {
		return err
	}
	if err := oneStatement(t.Create); err != nil {
		return err
	}
	columns := map[string]bool{}
	for _, c := range t.Columns {
		if err := validName(c.Name, columns); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		switch c.Form {
		case Plain, Hex, Real, Digits, Words:
		default:
			return fmt.Errorf("column %q has the unknown form %q", c.Name, c.Form)
		}
	}
	if len(t.Copied()) == 0 {
		return errors.New("it has no column with values")
	}
	for _, name := range t.PrimaryKey {
		if !columns[name] {
			return fmt.Errorf("column %q of its primary key is missing", name)
		}
	}
	for _, k := range t.ForeignKeys {
		if len(k.Columns) == 0 || len(k.Columns) != len(k.References) || k.Table == "" {
			return fmt.Errorf("foreign key %q is incomplete", k.Name)
		}
	}
	return nil
}

// oneStatement refuses what a server or its client would take for more than
// one statement, or for a comment that is not one.
func oneStatement(sql string) error {
	text, err := unquoted(sql)
	if err != nil {
		return err
	}
	if strings.ContainsAny(text, ";\\#\x00") || strings.Contains(text, "--") {
		return errors.New("its statement holds more than a definition")
	}
	return nil
}

// viewForm and triggerForm are the beginnings that servers print.
var (
	viewForm = regexp.MustCompile("^CREATE (?:ALGORITHM=[A-Z]+ )?(?:DEFINER=`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)? )?" +
		"(?:SQL SECURITY [A-Z]+ )?VIEW (`(?:[^`]|``)*`)(?: \\([^;]*\\))? AS ")
	triggerForm = regexp.MustCompile("(?is)^CREATE (?:DEFINER=`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)? )?" +
		"TRIGGER (?:IF NOT EXISTS )?(?:`(?:[^`]|``)*`\\.)?(`(?:[^`]|``)*`|[\\w$]+)\\s")
)

func (v *View) validate(seen map[string]bool) error {
	if err := validName(v.Name, seen); err != nil {
		return err
	}
	m := viewForm.FindStringSubmatch(v.Create)
	if m == nil || m[1] != QuoteIdent(v.Name) {
		return errors.New("its statement does not make it")
	}
	if len(v.Columns) == 0 {
		return errors.New("it has no columns")
	}
	if err := oneStatement(v.Create); err != nil {
		return err
	}
	return v.Session.validate(v.Create)
}

func (t *Trigger) validate() error {
	if err := validName(t.Name, map[string]bool{}); err != nil {
		return err
	}
	m := triggerForm.FindStringSubmatch(t.Create)
	if m == nil || (m[1] != QuoteIdent(t.Name) && m[1] != t.Name) {
		return errors.New("its statement does not make it")
	}
	if !modeForm.MatchString(t.SQLMode) {
		return fmt.Errorf("%q is no sql_mode", t.SQLMode)
	}
	if strings.Contains(t.Create, "\x00") {
		return errors.New("its statement holds a NUL")
	}
	return t.Session.validate(t.Create)
}

// validate refuses a session whose character set would read the statement,
// which is UTF-8 here, in another way.
func (s Session) validate(create string) error {
	if !wordForm.MatchString(s.Charset) || !wordForm.MatchString(s.Collation) {
		return fmt.Errorf("%q, %q are no character set and collation", s.Charset, s.Collation)
	}
	if s.Database != "" && !wordForm.MatchString(s.Database) {
		return fmt.Errorf("%q is no collation", s.Database)
	}
	if !s.Reads(create) {
		return fmt.Errorf("it holds letters beyond ASCII in the character set %s", s.Charset)
	}
	return nil
}

// Reads tells whether a session of that character set reads a statement in
// UTF-8 as it is meant.
func (s Session) Reads(create string) bool {
	switch s.Charset {
	case "utf8", "utf8mb3", "utf8mb4":
		return true
	}
	return !strings.ContainsFunc(create, func(r rune) bool { return r > 0x7f })
}
