// Package source is what a dump needs of an engine: databases held at one
// moment, each cut into parts that workers copy as raw lines.
//
// It holds types alone. An implementation must never write to its database,
// must show the same moment to every worker, and must fail, when it is opened
// or in Finish, where what it describes is not the schema of that moment, so
// that a dump is right or is none.
package source

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/harbordb/harbordb/snapshots"
)

// Set are databases of one server, held together: Harbor's own first, its
// companions after it.
type Set struct {
	Databases []Source
	// OneMoment: all show the same moment of the server. Where it is false,
	// each shows its own.
	OneMoment bool
}

// Close lets go of all of them. It is safe to call twice.
func (s Set) Close() error {
	var err error
	for _, d := range s.Databases {
		err = errors.Join(err, d.Close())
	}
	return err
}

// Source is a database held at one moment. Describe and Parts may be called
// at any time; Workers, Finish and Close by one goroutine at a time.
type Source interface {
	Describe() Description
	// Parts are all pieces of work, largest first.
	Parts() []Part
	// Workers see the same moment, each over a connection of its own.
	Workers() []Worker
	// Finish reads the sequences, after the rows, and proves that the rows
	// were those of the schema that was described, where nothing has proved
	// it before.
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

// Neighbour is a database beside the one that a connection is to.
type Neighbour struct {
	Name   string
	Bytes  int64    // 0 where the login may not know
	Tables []string // their names alone; empty where the login may not look
	// Closed says why no snapshot can be taken of it, or is empty: "is a
	// template of the server".
	Closed string
}
