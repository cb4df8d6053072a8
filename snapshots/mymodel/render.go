package mymodel

import (
	"fmt"
	"regexp"
	"strings"
)

// Target is the server that a model is rendered for.
type Target struct {
	Product string
	Number  int
}

// Script are the statements that make a database, in the order of the fields.
// Rows follow Tables, or Keys where a table is small.
type Script struct {
	Tables   []TableStep
	Views    []Made // placeholders first, then the views themselves
	Triggers []Made
}

// TableStep are the statements that make one table.
type TableStep struct {
	Name    string
	Create  string // without secondary and foreign keys
	Whole   string // with the secondary keys
	Keys    string // ALTER TABLE that adds the secondary keys; empty where there are none
	Foreign string // and the foreign keys
}

// Made is a statement with the session that it needs.
type Made struct {
	Object  Object
	SQL     string
	SQLMode string
	Session Session
}

// Render returns the statements that make the database on a server. They make
// it in the database that is current.
func (m *Model) Render(target Target) (Script, error) {
	if err := m.Validate(); err != nil {
		return Script{}, err
	}
	var s Script
	for i := range m.Tables {
		step, err := m.Tables[i].render(target)
		if err != nil {
			return Script{}, fmt.Errorf("table %s: %w", m.Tables[i].Name, err)
		}
		s.Tables = append(s.Tables, step)
	}
	for _, v := range m.Views {
		s.Views = append(s.Views, v.placeholder(m.SQLMode))
	}
	for _, v := range m.Views {
		made, err := v.render(m.SQLMode, target)
		if err != nil {
			return Script{}, fmt.Errorf("view %s: %w", v.Name, err)
		}
		s.Views = append(s.Views, made)
	}
	for _, t := range m.Triggers {
		s.Triggers = append(s.Triggers, Made{Object: Object{Kind: KindTrigger, Name: t.Name}, SQL: t.Create,
			SQLMode: t.SQLMode, Session: target.session(t.Session)})
	}
	return s, nil
}

func (t *Table) render(target Target) (TableStep, error) {
	p, err := t.stepwise()
	if err != nil {
		return TableStep{}, err
	}
	step := TableStep{Name: t.Name}
	whole := p.bare
	whole.items = append(append([]string{}, p.bare.items...), p.keys...)
	if step.Create, err = target.rewrite(p.bare.join(t.Name)); err != nil {
		return TableStep{}, err
	}
	if step.Whole, err = target.rewrite(whole.join(t.Name)); err != nil {
		return TableStep{}, err
	}
	step.Keys = alter(t.Name, p.keys)
	step.Foreign = alter(t.Name, p.foreign)
	return step, nil
}

// alter adds items to a table in one statement, which reads the rows once.
func alter(table string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return "ALTER TABLE " + QuoteIdent(table) + "\n  ADD " + strings.Join(items, ",\n  ADD ")
}

// placeholder is a view with the columns of v, which others can refer to
// whatever the order in which views are made.
func (v *View) placeholder(mode string) Made {
	columns := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		columns[i] = "1 AS " + QuoteIdent(c)
	}
	return Made{Object: Object{Kind: KindView, Name: v.Name}, SQLMode: mode, Session: Session{Charset: "utf8", Collation: "utf8_general_ci"},
		SQL: "CREATE VIEW " + QuoteIdent(v.Name) + " AS SELECT " + strings.Join(columns, ", ")}
}

func (v *View) render(mode string, target Target) (Made, error) {
	sql, err := target.rewrite(v.Create)
	return Made{Object: Object{Kind: KindView, Name: v.Name}, SQLMode: mode, Session: target.session(v.Session),
		SQL: "CREATE OR REPLACE" + strings.TrimPrefix(sql, "CREATE")}, err
}

// knowsMB3 tells whether the server knows utf8 by the name utf8mb3: MariaDB
// from 10.6 on prints it so, MySQL from 8.0.
func (t Target) knowsMB3() bool {
	if t.Product == "MariaDB" {
		return t.Number >= 100600
	}
	return t.Number >= 80000
}

var mb3Form = regexp.MustCompile(`\butf8mb3(_\w+)?\b`)

// rewrite says names of character sets as the server knows them.
func (t Target) rewrite(sql string) (string, error) {
	if t.knowsMB3() {
		return sql, nil
	}
	return mapUnquoted(sql, t.words)
}

func (t Target) words(s string) string {
	if t.knowsMB3() {
		return s
	}
	return mb3Form.ReplaceAllString(s, "utf8$1")
}

func (t Target) session(s Session) Session {
	return Session{t.words(s.Charset), t.words(s.Collation), t.words(s.Database)}
}

// Database returns the character set and collation of the database in the
// words of the server.
func (t Target) Database(d Database) Database {
	return Database{t.words(d.Charset), t.words(d.Collation)}
}

// SetSession are the statements that make a session what a view or trigger
// needs.
func (m Made) SetSession() string {
	return fmt.Sprintf("SET character_set_client = %s, collation_connection = %s, sql_mode = %s",
		m.Session.Charset, m.Session.Collation, QuoteText(m.SQLMode))
}

// RenderSQL returns the model as two scripts for the mariadb or mysql client,
// to restore a snapshot by hand into an empty database of a server like the
// source. They are the same for equal models.
func RenderSQL(m *Model) (pre, post string, err error) {
	same := Target{Product: m.Server.Product, Number: m.Server.Number}
	s, err := m.Render(same)
	if err != nil {
		return "", "", err
	}
	var a, b strings.Builder
	for _, w := range []*strings.Builder{&a, &b} {
		fmt.Fprintf(w, "-- %s. Run with: mariadb --binary-mode DATABASE < FILE\n", m.Server.Product)
		fmt.Fprintf(w, "SET NAMES utf8mb4;\nSET time_zone = '+00:00', foreign_key_checks = 0, sql_mode = %s;\n", QuoteText(m.SQLMode))
	}
	fmt.Fprintf(&a, "ALTER DATABASE CHARACTER SET %s COLLATE %s;\n", m.Database.Charset, m.Database.Collation)
	for _, t := range s.Tables {
		fmt.Fprintf(&a, "%s;\n", t.Create)
	}
	for _, t := range s.Tables {
		if t.Keys != "" {
			fmt.Fprintf(&b, "%s;\n", t.Keys)
		}
	}
	for _, t := range s.Tables {
		if t.Foreign != "" {
			fmt.Fprintf(&b, "%s;\n", t.Foreign)
		}
	}
	for _, made := range append(s.Views, s.Triggers...) {
		end := delimiter(made.SQL)
		if made.Session.Database != "" {
			fmt.Fprintf(&b, "ALTER DATABASE COLLATE %s;\n", made.Session.Database)
		}
		fmt.Fprintf(&b, "%s;\nDELIMITER %s\n%s\n%s\nDELIMITER ;\n", made.SetSession(), end, made.SQL, end)
	}
	if len(s.Triggers) > 0 {
		fmt.Fprintf(&b, "ALTER DATABASE CHARACTER SET %s COLLATE %s;\n", m.Database.Charset, m.Database.Collation)
	}
	return a.String(), b.String(), nil
}

// delimiter returns an end of statement that sql does not hold.
func delimiter(sql string) string {
	end := "$$"
	for strings.Contains(sql, end) {
		end += "$"
	}
	return end
}
