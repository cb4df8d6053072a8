package backup

import (
	"context"
	"fmt"

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

// Content returns the database of a snapshot that a restore puts back: the
// Harbor database itself.
func Content(s *snapshots.Snapshot) (*snapshots.Database, error) {
	databases := s.Manifest.Contents.Databases
	for i := range databases {
		if d := &databases[i]; d.Name == s.Manifest.Source.Database {
			return d, nil
		}
	}
	return nil, fmt.Errorf("snapshot %s: %w: it does not hold database %s", s.Manifest.ID, snapshots.ErrCorrupt, s.Manifest.Source.Database)
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
// System is the identity of the target's server. Where there is nothing to
// replace (the database is missing or empty, as after a new database image),
// the name alone must fit.
func Belongs(m *snapshots.Manifest, system string, live target.Database) error {
	if m.Source.Database == live.Name && (m.Source.System == system || live.State != target.Live) {
		return nil
	}
	if m.Source.Database == live.Name {
		return fault.Refusedf("snapshot %s is of a database of the same name on another server: identity %s, and here %s",
			m.ID, m.Source.System, system).
			WithHint("after an upgrade of PostgreSQL itself or a move that is as it should be: add --from-other-source")
	}
	return fault.Refusedf("snapshot %s is of database %s on %s, not of this database %s",
		m.ID, m.Source.Database, m.Source.Host, live.Name).
		WithHint("if it is meant to replace it, add --from-other-source")
}
