package pgmodel

import (
	"bytes"
	"fmt"
	"strings"
)

// RenderSQL returns the model as two scripts for psql, to restore a snapshot
// by hand into an empty database of the source's major: pre makes what rows
// need, post what follows rows and sequence values. They are the same for
// equal models. Only pre and post of a valid model are safe to run: names
// stand in them as quoted identifiers alone, never in comments.
func RenderSQL(m *Model) (pre, post string, err error) {
	const name = "\x01" // stands for the database; see sqlFile
	s, _, err := m.Render(Target{Major: m.Major, Database: name, Superuser: true})
	if err != nil {
		return "", "", err
	}
	var late []Statement
	for _, x := range s.Indexes {
		late = append(append(late, x.Create), x.Then...)
	}
	for _, k := range s.ForeignKeys {
		late = append(late, k.Add)
	}
	for _, k := range s.ForeignKeys {
		if k.Validate.SQL != "" {
			late = append(late, k.Validate)
		}
	}
	for _, phase := range [][]Statement{s.Post, s.Triggers, s.Comments, s.Access, s.Settings, s.DefaultPrivileges} {
		late = append(late, phase...)
	}
	return sqlFile(m.Major, s.Pre, name), sqlFile(m.Major, late, name), nil
}

// sqlHeader are the settings under which a model is rendered.
const sqlHeader = `SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = off;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
`

// sqlFile writes statements one after another. Those on the database itself
// take its name from psql, which knows it as :DBNAME.
func sqlFile(major int, statements []Statement, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- PostgreSQL %d. Run with: psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE\n", major)
	b.WriteString(sqlHeader)
	for _, s := range statements {
		sql := s.SQL
		if s.Object.Kind == KindDatabase || s.Object.Kind == KindSetting {
			sql = strings.Replace(sql, QuoteIdent(name), `:"DBNAME"`, 1)
		}
		b.WriteString(sql + ";\n")
	}
	return b.String()
}

// RenderJSON is RenderSQL of a model in its JSON form.
func RenderJSON(model []byte) (pre, post string, err error) {
	m, err := Decode(bytes.NewReader(model))
	if err != nil {
		return "", "", err
	}
	return RenderSQL(m)
}

// DiffJSON is Diff of two models in their JSON form, one line a difference.
func DiffJSON(a, b []byte) ([]string, error) {
	first, err := Decode(bytes.NewReader(a))
	if err != nil {
		return nil, err
	}
	second, err := Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for _, d := range Diff(first, second) {
		lines = append(lines, d.String())
	}
	return lines, nil
}
