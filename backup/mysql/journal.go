package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// journal is everything that a swap moves, written down before it moves
// anything: a server that crashes in the middle leaves a part of the tables
// moved before MySQL 8 and MariaDB 10.6, and a process that is killed leaves
// views and triggers dropped. What is where tells how far it came. Each of the
// databases that are swapped in holds the whole journal.
type journal struct {
	Moves []move `json:"moves"`
}

// move puts the tables of one database in the place of another's.
type move struct {
	Live  string `json:"live"`
	With  string `json:"with"`            // what takes its place; holds the journal
	Aside string `json:"aside,omitempty"` // where the live tables go; empty where there are none

	Out half `json:"out"` // live → aside
	In  half `json:"in"`  // with → live
}

// into returns the databases that are swapped in.
func (j *journal) into() []string {
	names := make([]string, len(j.Moves))
	for i, m := range j.Moves {
		names[i] = m.With
	}
	return names
}

// half is one of the two databases that change places.
type half struct {
	Database mymodel.Database `json:"database"`
	Tables   []string         `json:"tables"`
	Views    []string         `json:"views"`
	Triggers []string         `json:"triggers"`
	// Programs make the views and triggers again: neither can move between
	// databases.
	Programs []mymodel.Made `json:"programs"`
}

// readHalf reads what has to move out of a database, and refuses what cannot.
func (s *Server) readHalf(ctx context.Context, on *session, name string) (half, error) {
	m, err := s.catalogOf(ctx, on, name)
	if err != nil {
		return half{}, fmt.Errorf("database %s: %w", name, err)
	}
	h := half{Database: m.Database, Tables: []string{}, Views: []string{}, Triggers: []string{}}
	lines, err := on.texts(ctx, "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1")
	if err != nil {
		return half{}, fmt.Errorf("list tables of database %s: %w", name, err)
	}
	views := 0
	for _, line := range lines {
		switch {
		case line[1] == "VIEW":
			views++
		case line[0] != markTable:
			h.Tables = append(h.Tables, line[0])
		}
	}
	for _, v := range m.Views {
		h.Views = append(h.Views, v.Name)
	}
	for _, t := range m.Triggers {
		h.Triggers = append(h.Triggers, t.Name)
	}
	if err := movable(ctx, on, name, m, views); err != nil {
		return half{}, err
	}
	bare := *m // tables move as they are
	bare.Unsupported, bare.Tables = nil, withTriggers(m)
	script, err := bare.Render(s.here())
	if err != nil {
		return half{}, fmt.Errorf("database %s: %w", name, err)
	}
	h.Programs = append(script.Views, script.Triggers...)
	return h, nil
}

// withTriggers returns the tables that triggers belong to.
func withTriggers(m *mymodel.Model) []mymodel.Table {
	var list []mymodel.Table
	for _, t := range m.Tables {
		if slices.ContainsFunc(m.Triggers, func(g mymodel.Trigger) bool { return g.Table == t.Name }) {
			list = append(list, t)
		}
	}
	return list
}

// movable refuses views and triggers that the model does not hold: to move
// the tables they have to be dropped and made again.
func movable(ctx context.Context, on *session, name string, m *mymodel.Model, views int) error {
	for _, o := range m.Unsupported {
		if o.Kind == mymodel.KindView || o.Kind == mymodel.KindTrigger {
			return fault.Refusedf("database %s: %s cannot be moved", name, o).WithHint("drop it, and make it again afterwards")
		}
	}
	lines, err := on.texts(ctx, "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1")
	if err != nil {
		return fmt.Errorf("list triggers of database %s: %w", name, err)
	}
	if len(lines) != len(m.Triggers) || views != len(m.Views) {
		return fault.Refusedf("database %s has views or triggers that cannot be moved", name).
			WithHint("drop those on tables that are not InnoDB, and make them again afterwards")
	}
	return nil
}

// renames is one RENAME TABLE for everything, or empty.
func renames(pairs [][2]string) string {
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p[0] + " TO " + p[1]
	}
	if len(list) == 0 {
		return ""
	}
	return "RENAME TABLE " + strings.Join(list, ", ")
}

// forward are the moves of the whole swap, in the order that leaves every
// name free when it is needed.
func (j *journal) forward() [][2]string {
	var pairs [][2]string
	for _, m := range j.Moves {
		for _, t := range m.Out.Tables {
			pairs = append(pairs, [2]string{mymodel.QuoteIdent(m.Live, t), mymodel.QuoteIdent(m.Aside, t)})
		}
		for _, t := range m.In.Tables {
			pairs = append(pairs, [2]string{mymodel.QuoteIdent(m.With, t), mymodel.QuoteIdent(m.Live, t)})
		}
	}
	return pairs
}

// backward are the moves that undo what of the swap has been done.
func (j *journal) backward(there map[[2]string]bool) [][2]string {
	var pairs [][2]string
	for _, m := range j.Moves {
		for _, t := range m.In.Tables {
			if !there[[2]string{m.With, t}] {
				pairs = append(pairs, [2]string{mymodel.QuoteIdent(m.Live, t), mymodel.QuoteIdent(m.With, t)})
			}
		}
		for _, t := range m.Out.Tables {
			if there[[2]string{m.Aside, t}] {
				pairs = append(pairs, [2]string{mymodel.QuoteIdent(m.Aside, t), mymodel.QuoteIdent(m.Live, t)})
			}
		}
	}
	return pairs
}

// places reads which tables, views and triggers are in the databases of the
// swap.
func (s *Server) places(ctx context.Context, j *journal) (tables, programs map[[2]string]bool, err error) {
	var in []any
	for _, m := range j.Moves {
		in = append(in, m.Live, m.With, m.Aside)
	}
	list := "(?" + strings.Repeat(", ?", len(in)-1) + ")"
	tables, programs = map[[2]string]bool{}, map[[2]string]bool{}
	for _, q := range []struct {
		into  map[[2]string]bool
		query string
	}{
		{tables, "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type <> 'VIEW' AND table_schema IN " + list},
		{programs, "SELECT table_schema, table_name FROM information_schema.views WHERE table_schema IN " + list},
		{programs, "SELECT trigger_schema, CONCAT('trigger ', trigger_name) FROM information_schema.triggers WHERE trigger_schema IN " + list},
	} {
		lines, err := texts(ctx, s.db, q.query, in...)
		if err != nil {
			return nil, nil, fmt.Errorf("look at what was moved: %w", err)
		}
		for _, line := range lines {
			q.into[[2]string{line[0], line[1]}] = true
		}
	}
	return tables, programs, nil
}

// swapDone tells whether a swap that has a journal left came to its end all
// the same. The live tables leave before others take their names, so where
// those are in, all is moved; what was set aside may be gone again by now.
func (s *Server) swapDone(ctx context.Context, j *journal) (bool, error) {
	tables, programs, err := s.places(ctx, j)
	if err != nil || !j.moved(tables) {
		return false, err
	}
	for _, m := range j.Moves {
		there := 0
		for _, t := range m.Out.Tables {
			if tables[[2]string{m.Aside, t}] {
				there++
			}
		}
		switch {
		case len(m.In.Tables) == 0 && there < len(m.Out.Tables),
			there > 0 && !m.Out.madeIn(m.Aside, programs),
			!m.In.madeIn(m.Live, programs):
			return false, nil
		}
	}
	return true, nil
}

// moved tells whether the one RENAME TABLE was done.
func (j *journal) moved(tables map[[2]string]bool) bool {
	for _, m := range j.Moves {
		for _, t := range m.In.Tables {
			if tables[[2]string{m.With, t}] || !tables[[2]string{m.Live, t}] {
				return false
			}
		}
	}
	return true
}

// madeIn tells whether all views and triggers are in a database. A view may
// be a placeholder still, where the process was killed while it made them.
func (h *half) madeIn(name string, programs map[[2]string]bool) bool {
	for _, v := range h.Views {
		if !programs[[2]string{name, v}] {
			return false
		}
	}
	for _, t := range h.Triggers {
		if !programs[[2]string{name, "trigger " + t}] {
			return false
		}
	}
	return len(h.Views) == 0
}

// dropPrograms drops views and triggers of a half where they stand in the
// way of its tables.
func (h *half) dropPrograms(ctx context.Context, on *session, name string) error {
	for _, t := range h.Triggers {
		if err := on.exec(ctx, "DROP TRIGGER IF EXISTS "+mymodel.QuoteIdent(name, t)); err != nil {
			return fmt.Errorf("drop trigger %s.%s: %w", name, t, err)
		}
	}
	for _, v := range h.Views {
		if err := on.exec(ctx, "DROP VIEW IF EXISTS "+mymodel.QuoteIdent(name, v)); err != nil {
			return fmt.Errorf("drop view %s.%s: %w", name, v, err)
		}
	}
	return nil
}

// makePrograms makes them again in the database where the tables are now.
func (h *half) makePrograms(ctx context.Context, on *session, name string) error {
	if len(h.Programs) == 0 {
		return nil
	}
	if err := on.exec(ctx, "USE "+mymodel.QuoteIdent(name)); err != nil {
		return err
	}
	_, err := on.make(ctx, h.Programs)
	if err != nil {
		return fmt.Errorf("database %s: %w", name, err)
	}
	return nil
}
