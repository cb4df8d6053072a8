package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
)

// besideWhich says whose databases beside them are meant: the Harbor database,
// unless --databases names others alone.
func besideWhich(c *cli.Context, live string) (name string, only []string, err error) {
	only, err = databaseNames(c)
	if err != nil || len(only) == 0 || slices.Contains(only, live) {
		return live, only, err
	}
	return only[0], only, nil
}

func runRollback(c *cli.Context, s *session) error {
	settings, err := s.settings(c.Context)
	if err != nil {
		return err
	}
	name, only, err := besideWhich(c, settings.Database)
	if err != nil {
		return err
	}
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	r, err := server.PlanRollback(c.Context, name, disconnect(c), only...)
	if err != nil {
		return err
	}
	ok, err := s.confirm(c, plan{value: r, question: rollbackQuestion(r), text: func(p *page) { rollbackText(p, r) }})
	if err != nil || !ok {
		return err
	}
	if err := server.Rollback(c.Context, r, disconnect(c)); err != nil {
		return err
	}
	return s.console.print(r, func(p *page) {
		for _, d := range r.All() {
			if d.Back.Kind == target.Interrupted {
				p.line("database %s is what it was before the swap", d.Target.Name)
				continue
			}
			p.line("database %s is what was set aside at %s", d.Target.Name, humanTime(d.Back.Time))
			if d.Aside != "" {
				p.line("what it was before is database %s", d.Aside)
			}
		}
	})
}

// discarded is the document of restore --discard.
type discarded struct {
	target.Beside
	Companions []target.Beside `json:"companions,omitempty"`
}

func runDiscard(c *cli.Context, s *session, chosen string) error {
	settings, err := s.settings(c.Context)
	if err != nil {
		return err
	}
	name, only, err := besideWhich(c, settings.Database)
	if err != nil {
		return err
	}
	server, err := backup.OpenServer(c.Context, settings)
	if err != nil {
		return err
	}
	defer server.Close()
	list, err := server.Beside(c.Context, name)
	if err != nil {
		return err
	}
	set, err := target.Choose(list, name, chosen, only...)
	if err != nil {
		return err
	}
	var names []string
	for _, b := range set {
		names = append(names, b.Name)
	}
	d := discarded{Beside: set[0], Companions: set[1:]}
	ok, err := s.confirm(c, plan{value: d, question: "Drop " + listed(names) + "?", text: func(p *page) {
		for _, b := range set {
			p.line("drop database %s (%s, %s since %s)", b.Name, humanBytes(b.Bytes), strings.ReplaceAll(string(b.Kind), "-", " "), humanTime(b.Time))
		}
	}})
	if err != nil || !ok {
		return err
	}
	for _, b := range set {
		if err := server.Discard(c.Context, b); err != nil {
			return err
		}
	}
	return s.console.print(d, func(p *page) { p.line("dropped %s", listed(names)) })
}
