// Package repair puts rows of Harbor's database right that Harbor itself will
// not: stuck replication and job rows, and the recorded schema version.
//
// Every repair is one mechanism. A Plan… function reads the database and
// returns a Plan, which says everything that would change and can be printed.
// Apply writes the before-images of all rows to a journal in a store, durably,
// then changes exactly the planned rows in one transaction, in which it first
// compares each of them with the plan, and then marks the journal. PlanUndo and
// Undo put the rows back that still are what the repair made of them.
//
// The package must never change a row that is not in its plan, never commit
// before the journal is durable, never trust a mark in the journal where the
// rows themselves can be asked, and never wait for a lock without a bound. It
// never deletes work of Harbor's; and rows of the vendor type SCHEDULER, which
// are Harbor's cron table, are no business of it.
package repair

import (
	"fmt"
	"time"
)

// Kind says which command made a repair.
type Kind string

// The kinds of repairs.
const (
	Replication Kind = "replication"
	Executions  Kind = "executions"
	Schema      Kind = "schema"
)

// Plan is what a repair would change, read at one moment. It is printable;
// Apply changes exactly this.
type Plan struct {
	Kind Kind `json:"kind"`
	// Scope says in words what was asked for, such as "policy 8 (nightly)".
	Scope  string    `json:"scope"`
	Target Target    `json:"target"`
	Made   time.Time `json:"made"` // when the rows were read, by the server's clock, UTC
	// Release says which tables hold the work, such as "Harbor 1.8 to 2.1".
	Release string `json:"release"`
	// Word is the status that open work gets, and what that claims. It is
	// nil where a plan sets no such status.
	Word *Word `json:"word,omitempty"`
	// Rows are the rows that change, in the order in which they are written.
	Rows []Item `json:"rows"`
	// Policies counts Rows and LeftAlone per policy or vendor.
	Policies []Count `json:"policies"`
	// LeftAlone are stuck rows that are younger than asked for.
	LeftAlone []Item `json:"left_alone"`
	OlderThan int64  `json:"older_than_seconds"`
	// Before and After are what a person has to do around the repair.
	Before []Step `json:"before"`
	After  []Step `json:"after"`
	// Notes are further things that the person should know.
	Notes []string `json:"notes"`

	// Version is the change of a repair of the schema version, which has no
	// other.
	Version *VersionChange `json:"version,omitempty"`

	tables []tableChanges
	guards []guard
}

// Item is one row of a plan.
type Item struct {
	Table string `json:"table"`
	ID    int64  `json:"id"`
	// Execution is the execution of a task.
	Execution  int64  `json:"execution,omitempty"`
	Vendor     string `json:"vendor_type,omitempty"`
	PolicyID   int64  `json:"policy_id,omitempty"`
	Policy     string `json:"policy,omitempty"` // its name; empty where it is gone
	Repository string `json:"repository,omitempty"`
	Operation  string `json:"operation,omitempty"`
	Tags       string `json:"tags,omitempty"` // as stored: may be thousands of characters long
	From       Value  `json:"from"`           // status
	To         Value  `json:"to"`
	// Age is the time since the row was last touched, in seconds by the
	// server's clock; nil where no column says. It is a hint, no proof.
	Age   *int64 `json:"age_seconds,omitempty"`
	Young bool   `json:"young,omitempty"` // touched within the last day
	// Changes are the columns that change, in the table's order.
	Changes []ColumnChange `json:"changes,omitempty"`
}

// ColumnChange is one column of one row.
type ColumnChange struct {
	Column string `json:"column"`
	From   Value  `json:"from"`
	To     Value  `json:"to"`
}

// String is the change for people.
func (c ColumnChange) String() string { return fmt.Sprintf("%s %s → %s", c.Column, c.From, c.To) }

// Count is how many rows of one policy, or of one vendor type, a plan has.
type Count struct {
	Vendor    string `json:"vendor_type,omitempty"`
	PolicyID  int64  `json:"policy_id,omitempty"`
	Policy    string `json:"policy,omitempty"`
	State     string `json:"state,omitempty"` // of the policy: enabled, disabled, deleted, gone
	Rows      int    `json:"rows"`
	Young     int    `json:"young"`
	LeftAlone int    `json:"left_alone"`
}

// Step is something that a person does around a repair.
type Step struct {
	What    string `json:"what"`
	Command string `json:"command,omitempty"` // or several, a line each, of which one fits
}

// Empty reports whether there is nothing to change.
func (p *Plan) Empty() bool { return len(p.tables) == 0 && p.Version == nil }

// changes are all that one repair changes: rows of tables, or the version.
type changes struct {
	tables  []tableChanges
	version *VersionChange
}

func (p *Plan) changes() changes { return changes{p.tables, p.Version} }

// change is one row before and after: all columns, in the order of the table.
type change struct {
	before, after Row
}

// tableChanges are the changes of one table.
type tableChanges struct {
	table   Table
	changes []change
}

// reversed are the changes that take back t.
func (t tableChanges) reversed() tableChanges {
	r := tableChanges{table: t.table, changes: make([]change, len(t.changes))}
	for i, c := range t.changes {
		r.changes[i] = change{before: c.after, after: c.before}
	}
	return r
}

// changed lists the columns in which a change differs.
func (t Table) changed(c change) []ColumnChange {
	var list []ColumnChange
	for i, column := range t.Columns {
		if c.before[i] != c.after[i] {
			list = append(list, ColumnChange{Column: column.Name, From: c.before[i], To: c.after[i]})
		}
	}
	return list
}
