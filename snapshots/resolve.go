package snapshots

import (
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// Latest is the reference to the newest good snapshot of a source.
const Latest = "latest"

// SameSource tells whether two snapshots are of one database: the same server
// and the same name.
func (s Source) SameSource(o Source) bool {
	return s.Engine == o.Engine && s.System == o.System && s.Database == o.Database
}

// Resolve finds the one entry that ref names: Latest, an ID, a unique prefix
// of one, or a label. Unknown and ambiguous references are fault.Usage errors
// that list what could be meant. Entries are in the order of List.
func Resolve(entries []Entry, ref string) (Entry, error) {
	var found []Entry
	for _, e := range entries {
		switch {
		case e.Unfinished:
		case string(e.ID) == ref:
			return e, nil
		case ref == Latest && e.Good(),
			ref != "" && strings.HasPrefix(string(e.ID), ref),
			ref != "" && e.Manifest != nil && e.Manifest.Label == ref:
			found = append(found, e)
		}
	}
	if ref == Latest {
		return latest(found)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Entry{}, fault.Usagef("no snapshot is named %q", ref).WithHint("harbordb snapshots ls shows what is there")
	}
	names := make([]string, len(found))
	for i, e := range found {
		names[i] = string(e.ID)
	}
	return Entry{}, fault.Usagef("%q fits %d snapshots: %s", ref, len(found), strings.Join(names, ", ")).
		WithHint("give more of the ID")
}

// latest refuses to choose between the Harbors that share a store.
func latest(good []Entry) (Entry, error) {
	if len(good) == 0 {
		return Entry{}, fault.Usagef("there is no good snapshot in the store").WithHint("harbordb backup takes one")
	}
	last := good[len(good)-1]
	for _, e := range good {
		if !e.Manifest.Source.SameSource(last.Manifest.Source) {
			return Entry{}, fault.Usagef("%q is ambiguous: the store holds snapshots of several databases, %s on %s and %s on %s among them",
				Latest, e.Manifest.Source.Database, e.Manifest.Source.Host, last.Manifest.Source.Database, last.Manifest.Source.Host).
				WithHint("name the snapshot by its ID: harbordb snapshots ls")
		}
	}
	return last, nil
}

// OfSource returns the entries of one database, in the same order.
func OfSource(entries []Entry, source Source) []Entry {
	var of []Entry
	for _, e := range entries {
		if e.Manifest != nil && e.Manifest.Source.SameSource(source) {
			of = append(of, e)
		}
	}
	return of
}
