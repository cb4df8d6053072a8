package main

import "github.com/harbordb/harbordb/backup/target"

// renaming are the words of a swap on an engine.
type renaming struct {
	away     string // the live database, its state and size, the name it gets
	in       string // the loaded one, and the live one's name
	alone    string // the live one's name, and its state
	together string // behind several of these
}

// swapWords are the words of an engine: MySQL has no other name for a
// database, only for tables.
var swapWords = map[target.Swap]renaming{
	target.RenameDatabases: {
		away:     "rename database %s (%s, %s) to %s",
		in:       "rename database %s to %s",
		alone:    "rename it to %s, which is %s",
		together: ", in the same transaction",
	},
	target.MoveTables: {
		away:     "move the tables of database %s (%s, %s) to database %s",
		in:       "move the tables of database %s to %s",
		alone:    "move its tables to database %s, which is %s",
		together: ", in the same statement",
	},
}

// swapText says what becomes of what was loaded.
func (r restorePlan) swapText(p *page) {
	all := r.All()
	if r.Mode == target.Drill {
		p.line("  drop it again")
	}
	if r.Mode != target.SwapIn {
		return
	}
	words := swapWords[r.Swap]
	for _, d := range all {
		if d.Aside != "" {
			p.line("  "+words.away, d.Target.Name, d.Target.State, humanBytes(d.Target.Bytes), d.Aside)
		}
	}
	for _, d := range all {
		if len(all) > 1 || d.Aside != "" {
			p.line("  "+words.in+words.together, d.Into, d.Target.Name)
			continue
		}
		p.line("  "+words.alone, d.Target.Name, d.Target.State)
	}
}

func rollbackQuestion(r target.Rollback) string {
	if r.Back.Kind == target.Interrupted {
		return "Undo the swap of database " + r.Target.Name + "?"
	}
	var back []string
	for _, d := range r.All() {
		back = append(back, d.Back.Name)
	}
	return "Put " + listed(back) + " back?"
}

// rollbackText says what a rollback will do.
func rollbackText(p *page, r target.Rollback) {
	words := swapWords[r.Swap]
	for _, d := range r.All() {
		if d.Back.Kind == target.Interrupted {
			p.line("undo the swap of database %s with %s, which was cut off in the middle", d.Target.Name, d.Back.Name)
			continue
		}
		if d.Aside != "" {
			p.line(words.away, d.Target.Name, d.Target.State, humanBytes(d.Target.Bytes), d.Aside)
		}
		back := d.Back.Name + " (" + humanBytes(d.Back.Bytes) + ", set aside " + humanTime(d.Back.Time) + ")"
		p.line(words.in, back, d.Target.Name)
		for _, session := range d.Target.Sessions {
			p.line("end %s", session)
		}
	}
}
