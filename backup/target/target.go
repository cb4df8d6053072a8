// Package target is what a restore needs of an engine: a server on which
// databases are loaded beside the live ones, compared, and swapped in together.
//
// It holds the types, and what all engines decide alike. An implementation must
// never touch a live database before the swap, must swap all databases of a
// restore or none, must keep the old ones after it, and must refuse in Plan
// whatever would fail or be unsafe later. Of the databases of a restore the
// first is Harbor's own, where it is among them; the others are its companions.
package target

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
)

// Server restores databases. One restore at a time.
type Server interface {
	// Plan looks at the snapshot and at the server and refuses what cannot
	// work. It changes nothing. The content becomes the database that the
	// options name.
	Plan(ctx context.Context, snapshot *snapshots.Snapshot, content *snapshots.Database, o Options) (Restore, error)
	// System identifies the server, as a snapshot's source does.
	System(ctx context.Context) (string, error)
	// Beside lists what restores have made beside a database, and what the
	// same restores have made beside others, oldest first.
	Beside(ctx context.Context, name string) ([]Beside, error)
	// Sweep drops what killed restores left there and returns it.
	Sweep(ctx context.Context, name string) ([]Beside, error)
	// Discard drops a database that Beside listed.
	Discard(ctx context.Context, b Beside) error
	// PlanRollback finds what the last restore of a database set aside, of it
	// and of the others that were restored with it, or of those alone that
	// only names.
	PlanRollback(ctx context.Context, name string, how Disconnect, only ...string) (Rollback, error)
	Rollback(ctx context.Context, r Rollback, how Disconnect) error
	// Since tells what the live database has that a snapshot of that time
	// has not.
	Since(ctx context.Context, name string, moment time.Time) (Since, error)
	Close() error
}

// Restore is one planned restore.
type Restore interface {
	Plan() Plan
	// Load fills and compares the databases. Where it fails, what it made is
	// gone again or is named in the error.
	Load(ctx context.Context, report progress.Reporter) error
	// Swap puts them in place, all or none, or ends a drill. What is refused
	// here leaves the loaded databases for the next restore of the same
	// snapshot.
	Swap(ctx context.Context) (Result, error)
}

// Mode says what becomes of the loaded database.
type Mode string

// The modes of a restore.
const (
	SwapIn Mode = "swap"  // it takes the place of the live one
	Keep   Mode = "keep"  // it stays under the name it was loaded into
	Drill  Mode = "drill" // it is dropped once it is compared
)

// Disconnect says what a swap does with sessions on the live database.
type Disconnect string

// What may be done with sessions.
const (
	Refuse      Disconnect = ""    // leave them alone and refuse the swap
	EndSessions Disconnect = "end" // end them, and those that come, until the swap is done
)

// Options say how a snapshot is restored.
type Options struct {
	Mode Mode
	Name string // the live database, or with Keep the one to load into
	// Companions are databases of the snapshot that are restored together
	// with the first, each under the name that it has.
	Companions []*snapshots.Database
	Jobs       int
	Disconnect Disconnect
	// SkipReadBack leaves out reading the loaded rows back; their digests
	// are still checked in stream.
	SkipReadBack bool
	// AllowUnknownObjects restores objects that no Harbor has.
	AllowUnknownObjects bool
}

// Swap says how an engine puts one database in the place of another.
type Swap string

// The ways of a swap.
const (
	RenameDatabases Swap = "rename-databases" // both, in one transaction
	MoveTables      Swap = "move-tables"      // of both, in one statement; a database itself has no other name
)

// Plan is what a restore will do.
type Plan struct {
	Snapshot snapshots.ID `json:"snapshot"`
	Mode     Mode         `json:"mode"`
	DatabasePlan
	Companions []DatabasePlan `json:"companions,omitempty"`
}

// All returns the plans of all databases.
func (p Plan) All() []DatabasePlan { return append([]DatabasePlan{p.DatabasePlan}, p.Companions...) }

// DatabasePlan is what a restore will do with one database.
type DatabasePlan struct {
	Target Database `json:"target"`
	// Into is the database that is loaded.
	Into string `json:"into"`
	// Aside is the name that the live database gets; empty where it stays
	// or where there is none.
	Aside string `json:"aside,omitempty"`
	Swap  Swap   `json:"swap"`
	// Ready: an earlier restore has loaded and compared Into already.
	Ready bool  `json:"ready"`
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"` // of the rows as text
	// Notes are what the target cannot have exactly as the source had it, and
	// the room that it needs.
	Notes []string `json:"notes"`
}

// Result is what a restore did.
type Result struct {
	Snapshot snapshots.ID `json:"snapshot"`
	Mode     Mode         `json:"mode"`
	DatabaseResult
	// Notes are what the server refused and nothing depends on.
	Notes      []string         `json:"notes"`
	Companions []DatabaseResult `json:"companions,omitempty"`
}

// All returns the results of all databases.
func (r Result) All() []DatabaseResult {
	return append([]DatabaseResult{r.DatabaseResult}, r.Companions...)
}

// DatabaseResult is what a restore did with one database.
type DatabaseResult struct {
	Database string `json:"database"`
	Rows     int64  `json:"rows"`
	// Aside is where the database is now that was live before.
	Aside string `json:"aside,omitempty"`
}

// State is what there is under a name.
type State string

// The states of a database.
const (
	Missing State = "missing"
	Empty   State = "empty" // no tables but an unused schema_migrations, as a new Harbor image makes it
	Live    State = "live"
)

// Database is the database that a restore will replace or fill.
type Database struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Bytes    int64     `json:"bytes"`
	Owner    string    `json:"owner,omitempty"`
	Sessions []Session `json:"sessions"`
	// Held names what keeps it from being renamed beside sessions, such as
	// prepared transactions and replication slots.
	Held []string `json:"held,omitempty"`
}

// Session is a connection of somebody else.
type Session struct {
	PID         int64  `json:"pid"`
	User        string `json:"user"`
	Application string `json:"application"`
	Client      string `json:"client"`
	State       string `json:"state"`
}

// String is one line for people.
func (s Session) String() string {
	parts := []string{fmt.Sprintf("session %d of %s", s.PID, s.User)}
	if s.Client != "" {
		parts = append(parts, "from "+s.Client)
	}
	if s.Application != "" {
		parts = append(parts, "("+s.Application+")")
	}
	return strings.Join(parts, " ")
}

// Beside is a database that a restore made beside the live one.
type Beside struct {
	Name string     `json:"name"`
	Of   string     `json:"of"` // the name of the live one
	Kind BesideKind `json:"kind"`
	// Time is when it was set aside or begun, by the server's clock. It is
	// the same for all that one restore set aside, and for no others of the
	// server.
	Time     time.Time    `json:"time"`
	Bytes    int64        `json:"bytes"`
	Snapshot snapshots.ID `json:"snapshot,omitempty"` // what was loaded into it
}

// BesideKind says what a database beside the live one is.
type BesideKind string

// The kinds of databases beside the live one.
const (
	SetAside BesideKind = "set-aside" // what was live before a restore
	Loading  BesideKind = "loading"   // a restore is filling it right now
	Loaded   BesideKind = "loaded"    // filled and compared, waiting to be swapped in
	Dead     BesideKind = "dead"      // left by a restore that was killed
	// Interrupted: a swap of it was cut off in the middle, which MySQL's
	// cannot exclude. Rollback puts everything back to where it was.
	Interrupted BesideKind = "interrupted"
)

// Rollback is putting back what the last restore set aside.
type Rollback struct {
	DatabaseRollback
	Companions []DatabaseRollback `json:"companions,omitempty"`
}

// All returns the rollbacks of all databases.
func (r Rollback) All() []DatabaseRollback {
	return append([]DatabaseRollback{r.DatabaseRollback}, r.Companions...)
}

// DatabaseRollback is putting back one database.
type DatabaseRollback struct {
	Target Database `json:"target"`
	Back   Beside   `json:"back"`
	// Aside is the name that the present database gets; empty where there
	// is none.
	Aside string `json:"aside,omitempty"`
	Swap  Swap   `json:"swap"`
}

// Since is what a live database has, or has lost, since a moment. A nil count
// is one that its Harbor does not record.
type Since struct {
	ArtifactsPushed    *int64 `json:"artifacts_pushed,omitempty"`
	GarbageCollections *int64 `json:"garbage_collections,omitempty"`
}
