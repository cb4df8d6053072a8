package pgmodel

// Statement is one SQL statement. It is never more than one: whoever runs it
// should use the extended protocol, in which a server refuses a second.
type Statement struct {
	Object Object
	SQL    string
	// Optional: the target may refuse it, for a missing right or a setting
	// that this major does not know. Run it behind a savepoint and report a
	// refusal; nothing that Harbor needs depends on it.
	Optional bool
}

// Script is what makes a database out of a model. The phases run in the order
// of the fields. Everything in a phase runs in order unless its comment says
// otherwise. All sessions have an empty search_path, check_function_bodies
// off and the client encoding UTF8.
type Script struct {
	// Create makes the database, from template0. It runs in another database
	// and outside of a transaction.
	Create Statement
	// Pre is everything that rows need: schemas, extensions, functions,
	// sequences, tables with defaults and checks.
	Pre []Statement
	// (here: rows and sequence values)

	// Indexes of a table may be built as soon as its rows are there, in
	// parallel with any other.
	Indexes []IndexStep
	// ForeignKeys may be added once both tables have all their indexes:
	// first every Add, then every Validate, in parallel.
	ForeignKeys []ForeignKeyStep
	// Post is what needs rows and constraints: checks that the source has
	// not validated, functions over views, views, materialized views with
	// their indexes and rows, statistics objects.
	Post     []Statement
	Triggers []Statement
	Comments []Statement
	// Access are owners, that of the database first, then privileges. One
	// session runs it, because it may change and reset its role in between.
	Access []Statement
	// Settings are those of the database itself, with its privileges.
	Settings          []Statement
	DefaultPrivileges []Statement
}

// IndexStep makes one index or the constraint that it backs.
type IndexStep struct {
	Table  Name
	Name   string
	Create Statement
	// Then follow Create: ALTER TABLE … ADD CONSTRAINT … USING INDEX,
	// CLUSTER ON, REPLICA IDENTITY. They take an exclusive lock for a moment
	// and no time.
	Then []Statement
}

// ForeignKeyStep makes one foreign key.
type ForeignKeyStep struct {
	Table      Name
	Referenced Name
	Name       string
	Add        Statement // with NOT VALID
	// Validate is empty (no SQL) where the source had not validated it.
	Validate Statement
}
