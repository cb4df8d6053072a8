package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4/source"

	"github.com/harbordb/harbordb/internal/fault"
)

// fileNames is golang-migrate's source of a release's migrations by name, without
// their text: enough to know what a core would run, and not enough to run it.
// Errors have the same text as those of the source that Harbor reads its own
// folder with.
type fileNames struct{ migrations *source.Migrations }

var _ source.Driver = (*fileNames)(nil)

// Source returns the migrations of the release as a source for
// golang-migrate.
func (r Release) Source() source.Driver {
	n := &fileNames{source.NewMigrations()}
	for _, m := range r.Migrations() {
		n.migrations.Append(&source.Migration{Version: uint(m.Version), Identifier: m.Title, Direction: source.Up, Raw: m.File()})
	}
	return n
}

// Open is part of golang-migrate's interface; a source is made by Source.
func (n *fileNames) Open(string) (source.Driver, error) { return nil, errors.New("use Release.Source") }

func (n *fileNames) Close() error { return nil }

func (n *fileNames) First() (uint, error) {
	if v, ok := n.migrations.First(); ok {
		return v, nil
	}
	return 0, missing("first")
}

func (n *fileNames) Prev(version uint) (uint, error) {
	if v, ok := n.migrations.Prev(version); ok {
		return v, nil
	}
	return 0, missing(fmt.Sprintf("prev for version %d", version))
}

func (n *fileNames) Next(version uint) (uint, error) {
	if v, ok := n.migrations.Next(version); ok {
		return v, nil
	}
	return 0, missing(fmt.Sprintf("next for version %d", version))
}

func (n *fileNames) ReadUp(version uint) (io.ReadCloser, string, error) {
	if m, ok := n.migrations.Up(version); ok {
		return io.NopCloser(strings.NewReader(m.Raw)), m.Identifier, nil
	}
	return nil, "", missing(fmt.Sprintf("read up for version %d", version))
}

func (n *fileNames) ReadDown(version uint) (io.ReadCloser, string, error) {
	return nil, "", missing(fmt.Sprintf("read down for version %d", version))
}

func missing(op string) error { return &fs.PathError{Op: op, Path: ".", Err: fs.ErrNotExist} }

// ReleaseFromFolder describes a release by the migration files at the root of
// fsys, as they lie in make/migrations/postgresql of its sources. name is what
// the release is called, such as v2.16.0 or main; where it is a release that
// is known here, the rest of what is known of it stays. A folder without
// migrations is a usage fault.
func ReleaseFromFolder(name string, fsys fs.FS) (Release, error) {
	r, err := ParseRelease(name)
	if err != nil {
		r = Release{Name: strings.TrimPrefix(strings.TrimSpace(name), "v"), Migrate: "v4.19.1", Driver: "pgx5"}
	}
	if r.Alembic != "" {
		return Release{}, fault.Usagef("Harbor %s has no migration files: they begin with 1.6.0", r)
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return Release{}, fault.Usagef("folder of migrations: %w", err)
	}
	r.folder = []Migration{}
	for _, e := range entries {
		m, err := source.DefaultParse(e.Name())
		if err != nil || e.IsDir() || m.Direction != source.Up {
			continue
		}
		if m.Version > math.MaxInt64 {
			return Release{}, fault.Usagef("folder of migrations: the number of %s is too large for a schema version", e.Name())
		}
		one := Migration{Version: Version(m.Version), Title: m.Identifier}
		if k, ok := migrationAt(one.Version); ok {
			one.First = k.First
		}
		r.folder = append(r.folder, one)
	}
	slices.SortFunc(r.folder, func(a, b Migration) int { return int(a.Version - b.Version) })
	for i := 1; i < len(r.folder); i++ {
		if r.folder[i].Version == r.folder[i-1].Version {
			return Release{}, fault.Usagef("folder of migrations: two files for version %s: %s and %s", r.folder[i].Version, r.folder[i-1].Title, r.folder[i].Title)
		}
	}
	if len(r.folder) == 0 {
		return Release{}, fault.Usagef("folder of migrations: no file like 0001_initial_schema.up.sql in it").
			WithHint("give the folder make/migrations/postgresql of Harbor's sources, or migrations/postgresql of its core image")
	}
	r.Max = r.folder[len(r.folder)-1].Version
	return r, nil
}
