// Package source is what a dump needs of an engine: one database held at one
// moment, cut into parts that workers copy as raw lines.
//
// It holds types alone. An implementation must never write to its database,
// must show the same moment to every worker, and must fail in Finish where
// the schema changed while it was held, so that a dump is right or is none.
package source

import (
	"context"
	"io"
	"time"

	"github.com/harbordb/harbordb/snapshots"
)

// Source is a database held at one moment. Describe and Parts may be called
// at any time; Workers, Finish and Close by one goroutine at a time.
type Source interface {
	Describe() Description
	// Parts are all pieces of work, largest first.
	Parts() []Part
	// Workers see the same moment, each over a connection of its own.
	Workers() []Worker
	// Finish reads the sequences, after the rows, and proves that the
	// schema is still the one that was described.
	Finish(ctx context.Context) ([]snapshots.Sequence, error)
	// Close lets go of the moment. It is safe to call twice.
	Close() error
}

// Worker copies parts, one at a time. It ends with its source.
type Worker interface {
	// Copy writes the raw lines of a part, each ended by a newline. Writes
	// may be cut anywhere.
	Copy(ctx context.Context, p Part, to io.Writer) error
}

// Description is what a source holds.
type Description struct {
	Name   string
	Time   time.Time // the moment, by the server's clock
	Model  []byte    // the catalog as a model, JSON
	Pre    string    // its renderings for a restore by hand
	Post   string
	Tables []snapshots.Table // names and columns; no rows yet
	// LeftOut names what is not in the model, because the caller said so.
	LeftOut []string
}

// Part is a piece of the rows of one table.
type Part struct {
	Table int   // index into Description.Tables
	Bytes int64 // estimated size in the database
	Query string
}
