// Package snapshots is the snapshot as a thing on its own: its format, the
// catalog of a store, and the checks that need no server.
//
// A snapshot is a folder of objects below snapshots/<id>/ of a store. It
// exists exactly when its manifest does: the manifest is written last and
// deleted first. This package must never trust a name, a size or a count
// that it reads from a manifest before Validate has seen it, must never need
// a database, and must read every format version that was ever released.
// docs/FORMAT.md is the specification.
package snapshots

import (
	"fmt"
	"time"
)

// FormatVersion is the version that this code writes. Readers refuse a newer
// one and read every older one.
const FormatVersion = 1

// Rendering is the revision of the renderings that this code makes of models.
// It is raised whenever one of a model that can be in a snapshot comes out in
// other words, so that the scripts of older snapshots are not taken for damage.
const Rendering = 1

// Names of the objects of a snapshot, below its folder.
const (
	ManifestName = "manifest.json"
	SumsName     = "SHA256SUMS"
	ContentsName = "contents.json" // only in encrypted snapshots, where the manifest does not hold them
)

// Manifest is manifest.json: what can be known of a snapshot without a key.
type Manifest struct {
	Format int       `json:"format"`
	ID     ID        `json:"id"`
	Time   time.Time `json:"time"` // the moment that the data shows, by the server's clock, UTC
	Label  string    `json:"label,omitempty"`
	Tool   string    `json:"tool"` // the harbordb that wrote it
	// Rendering is the revision of the scripts beside the models.
	Rendering int    `json:"rendering"`
	Source    Source `json:"source"`
	Harbor    Harbor `json:"harbor"`
	// Objects are all files of the snapshot but the manifest and
	// SHA256SUMS, in ascending order of name.
	Objects []Object `json:"objects"`
	// Contents is not in the manifest.json of an encrypted snapshot; the
	// object ContentsName holds it, and Open puts it here.
	Contents *Contents `json:"contents,omitempty"`
	// Encryption is nil where the objects are in clear.
	Encryption *Encryption `json:"encryption,omitempty"`
}

// Source says which database a snapshot was taken from. System and Database
// together group snapshots: "latest" is the latest of a group.
type Source struct {
	Engine        string `json:"engine"` // "postgresql" or "mysql"
	Product       string `json:"product"`
	ServerVersion string `json:"server_version"`
	ServerNumber  int    `json:"server_version_num"`
	// System identifies the server: PostgreSQL's system_identifier where the role may
	// read it, MySQL's server_uuid, else a digest of host and port.
	System   string `json:"system"`
	Host     string `json:"host"`
	Database string `json:"database"`
}

// Harbor says which Harbor the database belonged to.
type Harbor struct {
	// Version is the recorded schema version: schema_migrations.version
	// ("12"), or alembic_version ("1.5.0") in the MySQL era.
	Version  string   `json:"schema_version"`
	Dirty    bool     `json:"dirty"`
	Releases []string `json:"releases"` // the releases that ship exactly this version, ascending
}

// Object is one file of a snapshot, as it is stored: the name of an encrypted
// one ends in .age, while the contents use it without that ending.
type Object struct {
	Name   string `json:"name"` // relative to the snapshot's folder, e.g. "data/000001.zst"
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Encryption says how the objects are encrypted.
type Encryption struct {
	Scheme     string   `json:"scheme"`     // "age"
	Recipients []string `json:"recipients"` // the public keys
}

// Contents says what a snapshot holds: which rows are in which object.
type Contents struct {
	// Databases are the one that the source names, and with it others of its
	// server.
	Databases []Database `json:"databases"`
}

// SchemaObjects are the names of the three objects with the schema of a
// database.
type SchemaObjects struct {
	Model string `json:"model"` // the catalog as a model, "schema.json"
	Pre   string `json:"pre"`   // the rendering to run before the rows, "schema.pre.sql"
	Post  string `json:"post"`  // and after them, "schema.post.sql"
}

// SchemaNames returns the names for the database at an index of the contents.
// The name of a database may hold anything, so the second one has a number:
// "schema-2.json".
func SchemaNames(index int) SchemaObjects {
	stem := "schema"
	if index > 0 {
		stem = fmt.Sprintf("schema-%d", index+1)
	}
	return SchemaObjects{Model: stem + ".json", Pre: stem + ".pre.sql", Post: stem + ".post.sql"}
}

// Database is one database of a snapshot. All databases of a snapshot show
// the same moment where OneMoment is true, else each its own.
type Database struct {
	Name      string    `json:"name"`
	Time      time.Time `json:"time"`
	OneMoment bool      `json:"one_moment"`
	SchemaObjects
	Tables    []Table    `json:"tables"`
	Sequences []Sequence `json:"sequences"`
	// LeftOut names what the backup was told to leave out: objects by kind
	// and name, or the data of tables.
	LeftOut []string `json:"left_out,omitempty"`
}

// Table is the data of one table.
type Table struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Columns []string `json:"columns"` // in the order of the rows' fields
	// Skipped: the table is in the model, its rows were left out.
	Skipped bool   `json:"skipped,omitempty"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"` // of the raw lines, newlines included
	Parts   []Part `json:"parts"`
	// Fingerprint is the sum mod 2^128 of xxh3-128 over each raw line
	// without its newline, 32 hex digits. It does not depend on the order
	// of the rows or on the cut into parts.
	Fingerprint string `json:"fingerprint"`
}

// Part is one object with rows of a table.
type Part struct {
	Object string `json:"object"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"` // uncompressed
}

// Sequence is the state of one sequence (PostgreSQL), read after the rows.
type Sequence struct {
	Schema   string `json:"schema"`
	Name     string `json:"name"`
	Last     int64  `json:"last_value"`
	IsCalled bool   `json:"is_called"`
}

// Rows returns the number of rows of all tables.
func (d *Database) Rows() (rows int64) {
	for i := range d.Tables {
		rows += d.Tables[i].Rows
	}
	return rows
}
