// Package pgmodel is the catalog of one PostgreSQL database as a value: what
// a dump carries beside the rows, and what a restore renders statements from.
//
// A model is made of references (schema and name) and of short fragments of
// SQL (a type, an expression, a function's body) as the server printed them
// with an empty search_path. A snapshot that others could write to holds a
// model too, so this package must never trust one before Validate has seen
// it, never let a fragment end the statement it stands in, and never drop
// what it cannot render: that is an error or a Note with the object's name.
// It knows no server and opens no connection.
package pgmodel

// FormatVersion is the version of the JSON form that this code writes.
const FormatVersion = 1

// Model is the catalog of one database. Lists are sorted by name, so that
// equal catalogs have equal JSON.
type Model struct {
	Format            int                `json:"format"`
	Major             int                `json:"server_major"` // of the source: 9 for 9.6, 15 for 15.18
	Database          Database           `json:"database"`
	Schemas           []Schema           `json:"schemas"`
	Extensions        []Extension        `json:"extensions"`
	Functions         []Function         `json:"functions"`
	Sequences         []Sequence         `json:"sequences"`
	Tables            []Table            `json:"tables"`
	Views             []View             `json:"views"`
	Statistics        []Statistics       `json:"statistics"`
	DefaultPrivileges []DefaultPrivilege `json:"default_privileges"`
	// Unsupported are the objects that a model cannot hold. A dump refuses
	// them, or calls LeaveOut.
	Unsupported []Object `json:"unsupported,omitempty"`
	// Notes say what the reader saw and did not carry although nothing is
	// lost by it, such as an invalid index.
	Notes []Note `json:"notes,omitempty"`
}

// Name is a name in a schema.
type Name struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
}

// Kind is a kind of object, in PostgreSQL's words.
type Kind string

// The kinds that a model holds. Unsupported objects have others.
const (
	KindDatabase         Kind = "database"
	KindSchema           Kind = "schema"
	KindExtension        Kind = "extension"
	KindFunction         Kind = "function"
	KindProcedure        Kind = "procedure"
	KindSequence         Kind = "sequence"
	KindTable            Kind = "table"
	KindColumn           Kind = "column"
	KindDefault          Kind = "default"
	KindConstraint       Kind = "constraint"
	KindIndex            Kind = "index"
	KindTrigger          Kind = "trigger"
	KindView             Kind = "view"
	KindMaterializedView Kind = "materialized view"
	KindStatistics       Kind = "statistics object"
	KindDefaultPrivilege Kind = "default privileges"
	KindSetting          Kind = "setting"
)

// Object names an object for people and for messages.
type Object struct {
	Kind   Kind   `json:"kind"`
	Schema string `json:"schema,omitempty"`
	// Name is the object's name; for what belongs to a relation, such as a
	// trigger, the relation and the name with a point between them.
	Name string `json:"name"`
}

// Note is something that a person should know and that stops nothing.
type Note struct {
	Object Object `json:"object"`
	Text   string `json:"text"`
}

// Ref is a dependency on another object, known to the model or not. Arguments
// are a function's identity arguments, or a constraint's name.
type Ref struct {
	Kind      Kind   `json:"kind"`
	Schema    string `json:"schema,omitempty"`
	Name      string `json:"name"`
	Arguments string `json:"arguments,omitempty"`
}

// Database is what belongs to the database itself. Its name is not here: the
// manifest has it, and a restore may choose another.
type Database struct {
	Owner            string    `json:"owner"`
	Encoding         string    `json:"encoding"`
	Locale           Locale    `json:"locale"`
	ConnectionLimit  int       `json:"connection_limit"` // -1: none
	IsTemplate       bool      `json:"is_template,omitempty"`
	AllowConnections bool      `json:"allow_connections"`
	ACL              ACL       `json:"acl,omitzero"`
	Settings         []Setting `json:"settings,omitempty"`
	Comment          string    `json:"comment,omitempty"`
}

// Locale is how a database compares and classifies text. Collate and Ctype
// are names of the C library and are set for every provider; Name is the
// locale of the providers icu and builtin.
type Locale struct {
	Provider string `json:"provider"` // "libc", "icu" or "builtin"
	Collate  string `json:"collate"`
	Ctype    string `json:"ctype"`
	Name     string `json:"name,omitempty"`
	Rules    string `json:"icu_rules,omitempty"`
	// Version is the collation version that the database was made with,
	// for people: a restore builds every index anew.
	Version string `json:"version,omitempty"`
}

// Setting is one ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET
// where Role is not empty. Value is as the catalog has it.
type Setting struct {
	Role  string `json:"role,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ACL is how an object's privileges differ from what its owner and PUBLIC
// have by default. The zero value is the default.
type ACL struct {
	Revoked []Grant `json:"revoked,omitempty"` // default privileges that are gone
	Granted []Grant `json:"granted,omitempty"`
}

// Grant are privileges of one role, all granted by the same role.
type Grant struct {
	Grantor    string   `json:"grantor"`
	Grantee    string   `json:"grantee,omitempty"` // empty: PUBLIC
	Privileges []string `json:"privileges"`
	Grantable  bool     `json:"grantable,omitempty"`
}

// Schema is a schema. The baseline of its ACL is that of a schema just made,
// for the schema public too.
type Schema struct {
	Name    string `json:"name"`
	Owner   string `json:"owner"`
	ACL     ACL    `json:"acl,omitzero"`
	Comment string `json:"comment,omitempty"`
}

// Extension is an installed extension. Its members are not in the model.
type Extension struct {
	Name    string `json:"name"`
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Comment string `json:"comment,omitempty"`
	// Schemas are schemas that the extension made itself.
	Schemas []string `json:"schemas,omitempty"`
	// Config are the extension's tables whose rows belong to the user, and
	// ConfigSequences the sequences.
	Config          []ConfigTable `json:"config,omitempty"`
	ConfigSequences []Name        `json:"config_sequences,omitempty"`
	Needs           []Ref         `json:"needs,omitempty"` // other extensions
}

// ConfigTable is a member table whose rows a dump carries, where Condition
// ("WHERE …", may be empty) is true.
type ConfigTable struct {
	Table     Name     `json:"table"`
	Columns   []string `json:"columns"`
	Condition string   `json:"condition,omitempty"`
}

// Function is a function or procedure.
type Function struct {
	Name
	Kind      Kind   `json:"kind"`
	Arguments string `json:"arguments"` // what identifies it, as in DROP FUNCTION
	Language  string `json:"language"`
	// Definition is what follows the name in CREATE FUNCTION.
	Definition string `json:"definition"`
	Owner      string `json:"owner"`
	ACL        ACL    `json:"acl,omitzero"`
	Comment    string `json:"comment,omitempty"`
	Needs      []Ref  `json:"needs,omitempty"`
}

// Sequence is a sequence without its value, which belongs to the rows.
type Sequence struct {
	Name
	Type      string `json:"type"` // "smallint", "integer" or "bigint"
	Start     int64  `json:"start"`
	Increment int64  `json:"increment"`
	Min       int64  `json:"min"`
	Max       int64  `json:"max"`
	Cache     int64  `json:"cache"`
	Cycle     bool   `json:"cycle,omitempty"`
	Unlogged  bool   `json:"unlogged,omitempty"`
	// OwnedBy is the column that the sequence goes away with; nil for the
	// sequences of databases that were converted from MySQL.
	OwnedBy *ColumnRef `json:"owned_by,omitempty"`
	// Identity: it is the sequence of the identity column OwnedBy.
	Identity bool `json:"identity,omitempty"`
	// Feeds are the columns whose default takes values from it, owned or not.
	Feeds   []ColumnRef `json:"feeds,omitempty"`
	Owner   string      `json:"owner"`
	ACL     ACL         `json:"acl,omitzero"`
	Comment string      `json:"comment,omitempty"`
}

// ColumnRef names a column.
type ColumnRef struct {
	Table  Name   `json:"table"`
	Column string `json:"column"`
}

// Table is an ordinary table.
type Table struct {
	Name
	Owner       string       `json:"owner"`
	Unlogged    bool         `json:"unlogged,omitempty"`
	Options     []string     `json:"options,omitempty"` // storage parameters "name=value"; "toast.name=value"
	Columns     []Column     `json:"columns"`           // in the order of their numbers
	Checks      []Check      `json:"checks,omitempty"`
	Indexes     []Index      `json:"indexes,omitempty"` // those behind constraints too
	ForeignKeys []ForeignKey `json:"foreign_keys,omitempty"`
	Triggers    []Trigger    `json:"triggers,omitempty"`
	// ReplicaIdentity is "nothing", "full" or "index", the one marked; empty
	// for the default, the primary key.
	ReplicaIdentity string `json:"replica_identity,omitempty"`
	ACL             ACL    `json:"acl,omitzero"`
	Comment         string `json:"comment,omitempty"`
	Needs           []Ref  `json:"needs,omitempty"` // of its columns' types, collations and generated expressions
}

// Column is a column of a table.
type Column struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	NotNull *NotNull `json:"not_null,omitempty"`
	// Default is the default's expression, or the generated column's.
	Default   string    `json:"default,omitempty"`
	Generated Generated `json:"generated,omitempty"`
	Identity  Identity  `json:"identity,omitempty"`
	// Collation is nil where the type's own is used.
	Collation        *Name    `json:"collation,omitempty"`
	Storage          string   `json:"storage,omitempty"`           // only where it is not the type's
	Compression      string   `json:"compression,omitempty"`       // "pglz" or "lz4", only where it is set
	StatisticsTarget *int     `json:"statistics_target,omitempty"` // only where it is set
	Options          []string `json:"options,omitempty"`           // "n_distinct=…"
	ACL              ACL      `json:"acl,omitzero"`
	Comment          string   `json:"comment,omitempty"`
	DefaultNeeds     []Ref    `json:"default_needs,omitempty"`
}

// Generated says how a column is computed.
type Generated string

// The forms of generated columns.
const (
	Stored  Generated = "stored"
	Virtual Generated = "virtual" // PostgreSQL 18
)

// Identity says whether an identity column takes values of its own.
type Identity string

// The forms of identity columns.
const (
	IdentityAlways    Identity = "always"
	IdentityByDefault Identity = "by default"
)

// NotNull says that a column must not be null. From PostgreSQL 18 on it is a
// constraint with a name.
type NotNull struct {
	Name      string `json:"name,omitempty"`
	NotValid  bool   `json:"not_valid,omitempty"`
	NoInherit bool   `json:"no_inherit,omitempty"`
	Comment   string `json:"comment,omitempty"`
}

// Check is a check constraint.
type Check struct {
	Name        string `json:"name"`
	Expression  string `json:"expression"`
	NotValid    bool   `json:"not_valid,omitempty"`
	NoInherit   bool   `json:"no_inherit,omitempty"`
	NotEnforced bool   `json:"not_enforced,omitempty"` // PostgreSQL 18
	Comment     string `json:"comment,omitempty"`
	Needs       []Ref  `json:"needs,omitempty"`
}

// Index is a valid index of a table or a materialized view.
type Index struct {
	Name   string `json:"name"`
	Unique bool   `json:"unique,omitempty"`
	// Definition is what follows USING in CREATE INDEX, without storage
	// parameters: "btree (a, b)".
	Definition string   `json:"definition"`
	Options    []string `json:"options,omitempty"` // storage parameters "name=value"
	// Constraint is the constraint that the index backs, which has the same
	// name; nil for an index on its own.
	Constraint *Key `json:"constraint,omitempty"`
	Clustered  bool `json:"clustered,omitempty"`
	// ReplicaIdentity marks the table's.
	ReplicaIdentity bool `json:"replica_identity,omitempty"`
	// Statistics are targets of expression columns, by their number from 1.
	Statistics []IndexStatistics `json:"statistics,omitempty"`
	Comment    string            `json:"comment,omitempty"`
	Needs      []Ref             `json:"needs,omitempty"`
}

// IndexStatistics is the statistics target of one column of an index.
type IndexStatistics struct {
	Column int `json:"column"`
	Target int `json:"target"`
}

// KeyKind is the kind of a constraint that an index backs.
type KeyKind string

// The kinds of constraints with an index.
const (
	PrimaryKey KeyKind = "primary key"
	Unique     KeyKind = "unique"
	Exclusion  KeyKind = "exclusion"
)

// Key is a constraint that an index backs.
type Key struct {
	Kind       KeyKind `json:"kind"`
	Deferrable bool    `json:"deferrable,omitempty"`
	Deferred   bool    `json:"deferred,omitempty"`
	// Definition is the constraint's full text where an index cannot be
	// attached afterwards: exclusion constraints and keys WITHOUT OVERLAPS.
	Definition string `json:"definition,omitempty"`
	Comment    string `json:"comment,omitempty"`
}

// ForeignKey is a foreign key.
type ForeignKey struct {
	Name       string   `json:"name"`
	Columns    []string `json:"columns"`
	References Name     `json:"references"`
	RefColumns []string `json:"referenced_columns"`
	// OnUpdate and OnDelete are "no action", "restrict", "cascade", "set
	// null" or "set default".
	OnUpdate    string   `json:"on_update"`
	OnDelete    string   `json:"on_delete"`
	SetColumns  []string `json:"set_columns,omitempty"` // ON DELETE SET NULL (…), PostgreSQL 15
	MatchFull   bool     `json:"match_full,omitempty"`
	Period      bool     `json:"period,omitempty"` // PostgreSQL 18
	Deferrable  bool     `json:"deferrable,omitempty"`
	Deferred    bool     `json:"deferred,omitempty"`
	NotValid    bool     `json:"not_valid,omitempty"`
	NotEnforced bool     `json:"not_enforced,omitempty"` // PostgreSQL 18
	Comment     string   `json:"comment,omitempty"`
}

// Trigger is a trigger of a table or view.
type Trigger struct {
	Name       string `json:"name"`
	Constraint bool   `json:"constraint,omitempty"`
	Events     string `json:"events"`           // "BEFORE UPDATE OF a"
	Detail     string `json:"detail,omitempty"` // between the relation and EXECUTE: "FOR EACH ROW WHEN (…)"
	Function   Name   `json:"function"`
	Arguments  string `json:"arguments,omitempty"`
	// Enabled is "origin", "disabled", "replica" or "always".
	Enabled string `json:"enabled"`
	Comment string `json:"comment,omitempty"`
	Needs   []Ref  `json:"needs,omitempty"`
}

// View is a view or a materialized view.
type View struct {
	Name
	Materialized bool         `json:"materialized,omitempty"`
	Populated    bool         `json:"populated,omitempty"` // materialized views: it has rows to refresh
	Query        string       `json:"query"`
	Options      []string     `json:"options,omitempty"`
	Columns      []ViewColumn `json:"columns"`
	Indexes      []Index      `json:"indexes,omitempty"`
	Triggers     []Trigger    `json:"triggers,omitempty"`
	Owner        string       `json:"owner"`
	ACL          ACL          `json:"acl,omitzero"`
	Comment      string       `json:"comment,omitempty"`
	Needs        []Ref        `json:"needs,omitempty"`
}

// ViewColumn is a column of a view. The fields from Storage on are a
// materialized view's.
type ViewColumn struct {
	Name             string   `json:"name"`
	Type             string   `json:"type"`
	Default          string   `json:"default,omitempty"`
	Storage          string   `json:"storage,omitempty"`
	Compression      string   `json:"compression,omitempty"`
	StatisticsTarget *int     `json:"statistics_target,omitempty"`
	Options          []string `json:"options,omitempty"`
	ACL              ACL      `json:"acl,omitzero"`
	Comment          string   `json:"comment,omitempty"`
	DefaultNeeds     []Ref    `json:"default_needs,omitempty"`
}

// Statistics is an extended statistics object (PostgreSQL 10).
type Statistics struct {
	Name
	Table      Name   `json:"table"`
	Definition string `json:"definition"` // between the name and FROM: "(ndistinct) ON a, b"
	Target     *int   `json:"target,omitempty"`
	Owner      string `json:"owner"`
	Comment    string `json:"comment,omitempty"`
	Needs      []Ref  `json:"needs,omitempty"`
}

// DefaultPrivilege are the privileges that new objects of one kind get when
// Role makes them, in one schema or, where Schema is empty, in all.
type DefaultPrivilege struct {
	Role   string `json:"role"`
	Schema string `json:"schema,omitempty"`
	Type   string `json:"type"` // "tables", "sequences", "functions", "types", "schemas" or "large objects"
	ACL    ACL    `json:"acl"`
}
