package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/backup/mysql"
	"github.com/harbordb/harbordb/backup/postgres"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// servers open the server of each engine for a restore.
var servers = map[database.Engine]func(context.Context, database.Settings) (target.Server, error){
	database.PostgreSQL: func(ctx context.Context, s database.Settings) (target.Server, error) {
		return postgres.OpenServer(ctx, s)
	},
	database.MySQL: func(ctx context.Context, s database.Settings) (target.Server, error) {
		return mysql.OpenServer(ctx, s)
	},
}

// renderers render the model of each engine for a restore by hand, by the
// engine that a manifest names.
var renderers = map[string]snapshots.Renderer{
	string(database.PostgreSQL): pgmodel.RenderJSON,
	string(database.MySQL):      mymodel.RenderJSON,
}

// Renderer returns the renderer for the snapshots of an engine, as a manifest
// names it.
func Renderer(engine string) (snapshots.Renderer, error) {
	render, ok := renderers[engine]
	if !ok {
		return nil, fault.Refusedf("the snapshot is of the engine %q, which this harbordb does not know", engine)
	}
	return render, nil
}

// OpenServer connects to the server in settings for a restore. The database
// that they name need not exist. The caller closes it.
func OpenServer(ctx context.Context, settings database.Settings) (target.Server, error) {
	open, ok := servers[settings.Engine]
	if !ok {
		return nil, fault.Refusedf("restoring on %s is not supported", settings.Engine)
	}
	return open(ctx, settings)
}

// Content returns the database of a snapshot that is Harbor's own.
func Content(s *snapshots.Snapshot) (*snapshots.Database, error) {
	databases := s.Manifest.Contents.Databases
	for i := range databases {
		if d := &databases[i]; d.Name == s.Manifest.Source.Database {
			return d, nil
		}
	}
	return nil, fmt.Errorf("snapshot %s: %w: it does not hold database %s", s.Manifest.ID, snapshots.ErrCorrupt, s.Manifest.Source.Database)
}

// Selection are databases of a snapshot that are restored together.
type Selection struct {
	First      *snapshots.Database // Harbor's own, where it is among them
	Companions []*snapshots.Database
	Stay       []string // databases of the snapshot that are not restored
	// Name is the database that the first becomes, where it takes the place
	// of a live one.
	Name string
}

// Select returns the databases of a snapshot that names name, or all. Harbor's
// own becomes the database live, whatever it is called in the snapshot; the
// others keep their names. It refuses as a fault of kind Usage what the
// snapshot does not hold and what is named twice.
func Select(s *snapshots.Snapshot, live string, names []string) (Selection, error) {
	own, err := Content(s)
	if err != nil {
		return Selection{}, err
	}
	all := append([]*snapshots.Database{own}, CompanionsOf(s)...)
	var held, stay []string
	var chosen []*snapshots.Database
	for _, d := range all {
		held = append(held, d.Name)
		if len(names) == 0 || slices.Contains(names, d.Name) {
			chosen = append(chosen, d)
		} else {
			stay = append(stay, d.Name)
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return Selection{}, fault.Usagef("--databases names %s twice", name)
		}
		if !slices.Contains(held, name) {
			return Selection{}, fault.Usagef("--databases: snapshot %s holds no database %q", s.Manifest.ID, name).
				WithHint("it holds %s", strings.Join(held, ", "))
		}
	}
	selection := Selection{First: chosen[0], Companions: chosen[1:], Stay: stay, Name: chosen[0].Name}
	if chosen[0] == own {
		selection.Name = live
	}
	for _, d := range chosen {
		if d != own && d.Name == live {
			return Selection{}, fault.Usagef("database %s of snapshot %s would take the place of the Harbor database", d.Name, s.Manifest.ID).
				WithHint("name the Harbor database with --dsn, or others with --databases")
		}
	}
	return selection, nil
}

// All returns all databases of the selection.
func (s Selection) All() []*snapshots.Database {
	return append([]*snapshots.Database{s.First}, s.Companions...)
}

// SameEngine refuses a snapshot of the other engine, and names Harbor's own
// way between them.
func SameEngine(m *snapshots.Manifest, engine database.Engine) error {
	if m.Source.Engine == string(engine) {
		return nil
	}
	return fault.Refusedf("snapshot %s is of a %s database, the target is %s", m.ID, m.Source.Product, engine).
		WithHint("Harbor 1.6 and 1.7 convert a 1.5 database from MySQL to PostgreSQL with their own harbor-migrator image; restore on the engine of the snapshot first")
}

// Belongs refuses to put the data of one Harbor in the place of another's.
// System is the identity of the target's server, name its Harbor database.
// Where there is nothing to replace (a database is missing or empty, as after
// a new database image), the name alone must fit.
func Belongs(m *snapshots.Manifest, system, name string, p target.Plan) error {
	if m.Source.Database != name {
		return fault.Refusedf("snapshot %s is of database %s on %s, not of this database %s",
			m.ID, m.Source.Database, m.Source.Host, name).
			WithHint("if it is meant to replace it, add --from-other-source")
	}
	for _, d := range p.All() {
		if d.Target.State == target.Live && m.Source.System != system {
			return fault.Refusedf("snapshot %s is of another server, whose database %s has the same name: identity %s, and here %s",
				m.ID, d.Target.Name, m.Source.System, system).
				WithHint("after an upgrade of PostgreSQL itself or a move that is as it should be: add --from-other-source")
		}
	}
	return nil
}
