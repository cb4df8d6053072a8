// Package orphans finds what points at nothing in a registry's storage: tags
// of 0 bytes, links, manifests and layers that are missing, empty or wrong,
// rows of Harbor's database without storage, and storage without rows; and
// the waste beside them, in bytes.
//
// A scan lists storage flat, in ranges side by side, and never walks it. The
// order is database, repositories, blobs: whatever writes a registry writes a
// blob before the link to it and the link before the row, so that what was
// referred to when the reference was read must be there when it is looked
// for. What still seems wrong is a suspect, and every suspect is looked at
// again, in storage and in a new transaction, before it becomes a finding: a
// push or a garbage collection under way is no damage.
//
// Nothing follows from a range that could not be read. A result that is not
// plausible, such as a fifth of all blobs missing or a database that knows
// none of the manifests, is reported as a wrong setting, not as damage.
//
// What a listing says becomes short records, kept apart by their digest, on
// disk once they are many, and joined one part after the other. Memory is that
// of the largest parts, and what is said of a digest again is kept once: a layer
// of ten million images is as many records as repositories have it.
//
// The package must never write to or delete from storage or the database, and
// never believe a registry's HTTP answers: caches may say what storage does
// not hold.
package orphans

import (
	"context"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

// Depth is how closely a scan looks.
type Depth string

// The depths.
const (
	// Metadata compares names, sizes and links. Manifests are read where
	// neither the database nor the cache says what they refer to.
	Metadata Depth = "metadata"
	// Manifests also reads and hashes every manifest.
	Manifests Depth = "manifests"
	// Data also reads and hashes every blob.
	Data Depth = "data"
)

// Begin opens a READ ONLY REPEATABLE READ transaction in Harbor's database.
// done ends it. A scan calls it twice: for the snapshot that it compares
// storage with, and, when it looks at its suspects again, for a newer one.
type Begin func(ctx context.Context) (q database.Querier, done func() error, err error)

// Options are the choices of one scan. Now and TempDir are required.
type Options struct {
	// Now is the time of the scan, for the age of what it finds.
	Now time.Time
	// TempDir is where records go that memory cannot hold. Nothing is left
	// there, even by a scan that is killed.
	TempDir string
	// CacheDir keeps what manifests refer to from one scan to the next; it
	// is made where it is missing. Empty means no cache.
	CacheDir string

	Depth      Depth  // default Metadata
	Project    string // only this project
	Repository string // only this repository, with its project: library/app

	// Anyway reports findings even where they are not plausible: the user
	// has seen that nothing is set wrong, and that this is the damage.
	Anyway bool

	// Grace is the age below which nothing counts as left over: what lies
	// there may be a push under way. Default 2 h, Harbor's own window.
	Grace time.Duration
	// StaleUpload is the age from which on an upload counts as abandoned.
	// Default 168 h, the registry's own.
	StaleUpload time.Duration
	// Settle is how long suspects are left alone before they are looked at
	// again. Default 2 s; negative means not at all.
	Settle time.Duration

	// Lists and Gets bound the requests at a time. Defaults 16 and 32.
	Lists, Gets int
	// Split is how many keys are listed in a row before the rest is worth
	// dividing. Default 20,000, twenty pages of a bucket, because each part
	// costs a request or two of its own; a folder can be divided sooner.
	Split int
	// BytesPerSecond bounds the reading of blobs; 0 means no bound.
	BytesPerSecond int64
	// Memory is how many bytes of records are kept before they go to
	// TempDir. Default 16 MB.
	Memory int64

	Progress progress.Reporter // default progress.Discard
}

func (o Options) withDefaults() (Options, error) {
	if o.Now.IsZero() || o.TempDir == "" {
		return o, fault.Failedf("a scan needs the time and a folder for temporary files")
	}
	setDefault(&o.Depth, Metadata)
	setDefault(&o.Grace, 2*time.Hour)
	setDefault(&o.StaleUpload, 168*time.Hour)
	setDefault(&o.Settle, 2*time.Second)
	setDefault(&o.Lists, 16)
	setDefault(&o.Gets, 32)
	setDefault(&o.Split, 20_000)
	setDefault(&o.Memory, 16<<20)
	if o.Progress == nil {
		o.Progress = progress.Discard
	}
	switch o.Depth {
	case Metadata, Manifests, Data:
		return o, nil
	}
	return o, fault.Usagef("unknown depth %q", o.Depth)
}

func setDefault[T comparable](value *T, byDefault T) {
	var zero T
	if *value == zero {
		*value = byDefault
	}
}
