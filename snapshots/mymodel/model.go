// Package mymodel is the catalog of a MySQL or MariaDB database as a value:
// what a snapshot stores as schema.json and what a restore renders from.
//
// The server's own CREATE statements are the model's core, word for word: no
// second description of a table is as exact. Beside them stand the facts that
// a dump and a restore decide by, such as the form of each column in a line.
// This package is pure: it must never talk to a server, and it must never
// hand out a statement of a model that Validate has not seen, because a
// snapshot may come from anywhere.
package mymodel

import "strings"

// FormatVersion is the version of the JSON form that this code writes.
const FormatVersion = 1

// Model is the catalog of one database. Lists are in ascending order of name,
// byte by byte, so that equal catalogs are equal models; triggers are in the
// order in which they fire.
type Model struct {
	Format int    `json:"format"`
	Server Server `json:"server"`
	// SQLMode is the mode in which the statements were printed, and under
	// which statements and rows have to be read.
	SQLMode  string    `json:"sql_mode"`
	Database Database  `json:"database"`
	Tables   []Table   `json:"tables"`
	Views    []View    `json:"views"`
	Triggers []Trigger `json:"triggers"`
	// Unsupported are objects that a snapshot cannot carry. It is empty in
	// a model that is stored.
	Unsupported []Object `json:"unsupported,omitempty"`
}

// Server is the server whose words the model uses.
type Server struct {
	Product string `json:"product"` // "MySQL" or "MariaDB"
	Version string `json:"version"`
	Number  int    `json:"version_num"` // 101119 for 10.11.19
}

// Database is the database itself: what a new table inherits.
type Database struct {
	Charset   string `json:"charset"`
	Collation string `json:"collation"`
}

// Table is a base table.
type Table struct {
	Name string `json:"name"`
	// Create is what SHOW CREATE TABLE prints, with the table's next
	// AUTO_INCREMENT value where it has one.
	Create      string       `json:"create"`
	Columns     []Column     `json:"columns"` // in the table's order
	PrimaryKey  []string     `json:"primary_key"`
	ForeignKeys []ForeignKey `json:"foreign_keys"`
}

// Column is a column of a table.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // as the server prints it, such as "int(11) unsigned"
	Nullable  bool   `json:"nullable"`
	Charset   string `json:"charset,omitempty"`
	Collation string `json:"collation,omitempty"`
	// Form is how the column's values stand in a line.
	Form Form `json:"form,omitempty"`
	// Generated columns are in no line.
	Generated bool `json:"generated,omitempty"`
}

// Form is how values of a column stand in a line of a data file.
type Form string

// The forms. docs/FORMAT.md describes them.
const (
	Plain  Form = ""       // the bytes of the value; text in the column's own character set
	Hex    Form = "hex"    // the bytes in hexadecimal digits
	Real   Form = "real"   // a float with all digits that its value needs
	Digits Form = "digits" // the text of a value that is written with all its digits, such as a year
	Words  Form = "words"  // text in UTF-8 that the server takes only as text, such as JSON
)

// ForeignKey is a foreign key as far as it has to be checked.
type ForeignKey struct {
	Name       string   `json:"name"`
	Columns    []string `json:"columns"`
	Schema     string   `json:"schema,omitempty"` // of the table referred to; empty: the same
	Table      string   `json:"table"`
	References []string `json:"references"`
}

// View is a view.
type View struct {
	Name    string   `json:"name"`
	Create  string   `json:"create"`
	Columns []string `json:"columns"`
	Session Session  `json:"session"`
}

// Trigger is a trigger.
type Trigger struct {
	Name    string  `json:"name"`
	Table   string  `json:"table"`
	Create  string  `json:"create"`
	SQLMode string  `json:"sql_mode"`
	Session Session `json:"session"`
}

// Session is what the server remembers of the session that made a view or a
// trigger, and gives its statements when they run.
type Session struct {
	Charset   string `json:"charset"`
	Collation string `json:"collation"`
	// Database is the collation that the database had when a trigger was
	// made: its variables have it.
	Database string `json:"database_collation,omitempty"`
}

// Kind is a kind of object.
type Kind string

// Kinds of objects.
const (
	KindDatabase Kind = "database"
	KindTable    Kind = "table"
	KindColumn   Kind = "column"
	KindView     Kind = "view"
	KindTrigger  Kind = "trigger"
	KindRoutine  Kind = "routine"
	KindEvent    Kind = "event"
	KindSequence Kind = "sequence"
)

// Object names an object. For a column it is the table's name and the
// column's with a point between them.
type Object struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"` // why it is not carried
}

// String names the object for people.
func (o Object) String() string {
	if o.Reason == "" {
		return string(o.Kind) + " " + o.Name
	}
	return string(o.Kind) + " " + o.Name + " (" + o.Reason + ")"
}

// QuoteIdent writes names as one identifier, qualified where there are
// several. NUL, which no name can hold, is left out.
func QuoteIdent(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = "`" + strings.ReplaceAll(strings.ReplaceAll(p, "\x00", ""), "`", "``") + "`"
	}
	return strings.Join(quoted, ".")
}

// QuoteText writes a value as a string of a session whose sql_mode does not
// hold NO_BACKSLASH_ESCAPES.
func QuoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\x00", `\0`).Replace(s) + "'"
}

// Idents writes names as identifiers with commas between them.
func Idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteIdent(n)
	}
	return strings.Join(quoted, ", ")
}

// Copied returns the columns whose values are in the lines.
func (t *Table) Copied() []Column {
	var list []Column
	for _, c := range t.Columns {
		if !c.Generated {
			list = append(list, c)
		}
	}
	return list
}

// Table returns the table of that name, or nil.
func (m *Model) Table(name string) *Table {
	for i := range m.Tables {
		if m.Tables[i].Name == name {
			return &m.Tables[i]
		}
	}
	return nil
}

// UnknownObjects returns the objects that no Harbor has and that can run
// code: Harbor of the MySQL era has tables alone.
func UnknownObjects(m *Model) []Object {
	var list []Object
	for _, v := range m.Views {
		list = append(list, Object{Kind: KindView, Name: v.Name})
	}
	for _, t := range m.Triggers {
		list = append(list, Object{Kind: KindTrigger, Name: t.Name})
	}
	return list
}
