package schema

import (
	"fmt"

	"github.com/harbordb/harbordb/database"
)

// checkMySQLEra answers where the database, the release or both are of the
// time before 1.6. No core of that time looked at the version, and none
// migrated: that was the work of a migrator image, with Harbor stopped.
func (p *Preflight) checkMySQLEra(e database.Engine) {
	target := p.Target
	switch {
	case e == database.PostgreSQL:
		p.find(Finding{ID: "engine", Severity: Blocks,
			Text: fmt.Sprintf("Harbor %s keeps its data in %s, and this is a PostgreSQL database: no migrator leads back", target, target.Server()),
			Fix:  "restore a snapshot or a dump of the MySQL database from before 1.6"})
	case target.Engine() == database.PostgreSQL:
		p.toPostgreSQL()
	default:
		p.withinMySQL()
	}
	if p.Verdict.rowFinding != "" {
		p.find(Finding{ID: "row", Severity: Blocks, Text: p.Verdict.rowFinding, Fix: "harbordb repair schema"})
	}
}

// toPostgreSQL leads over the bridge between the engines, which only the
// migrators of 1.6 and 1.7 are.
func (p *Preflight) toPostgreSQL() {
	f := Finding{ID: "engine", Severity: Blocks, Text: fmt.Sprintf("Harbor %s keeps its data in PostgreSQL, and this is a MySQL database", p.Target)}
	switch {
	case !p.Target.since("1.8.0"):
		f.Fix = fmt.Sprintf("stop Harbor and run the migrator: goharbor/harbor-migrator:%s --db up", p.Target)
	default:
		f.Fix = fmt.Sprintf("go to v1.7.8 first (goharbor/harbor-migrator:v1.7.8 --db up, with Harbor stopped), start it once, then go on to %s: later migrators know PostgreSQL alone", p.Target)
	}
	p.find(f)
}

// withinMySQL compares values of alembic_version.
func (p *Preflight) withinMySQL() {
	at := p.Verdict.Shown.Alembic
	if at == p.Target.Alembic {
		return
	}
	here := ReleasesAtAlembic(at)
	if len(here) > 0 && here[0].Compare(p.Target) > 0 {
		p.find(Finding{ID: "refuses", Severity: Blocks,
			Text: fmt.Sprintf("this is a downgrade, and Harbor has none: the database is of %s; Harbor %s would start and fail on tables that it does not know", Span(here), p.Target),
			Fix:  fmt.Sprintf("restore a snapshot whose alembic_version is %s: harbordb snapshots ls", p.Target.Alembic)})
		return
	}
	p.find(Finding{ID: "migrator", Severity: Blocks,
		Text: fmt.Sprintf("the database is of version %s, and Harbor %s needs %s; up to 1.5 core neither looks nor migrates", at, p.Target, p.Target.Alembic),
		Fix:  "stop Harbor and run the migrator: " + p.Target.migrator()})
}

// migrator is the command of the release's own migrator image up to 1.5.
func (r Release) migrator() string {
	if r.since("1.5.0") {
		return fmt.Sprintf("vmware/harbor-migrator:%s --db up", r)
	}
	return fmt.Sprintf("vmware/harbor-db-migrator:%s up head", r)
}

// Fit is how a snapshot fits a release.
type Fit string

// The fits: the release starts on it as it is; it migrates it first; it
// refuses it.
const (
	Exact    Fit = "exact"
	Migrates Fit = "migrates"
	Unfit    Fit = "no"
)

// Fit says how a database whose recorded version is version ("12", or "1.5.0"
// up to Harbor 1.5) fits the release.
func (r Release) Fit(version string, dirty bool) Fit {
	if r.Alembic != "" {
		if r.Alembic == version {
			return Exact
		}
		return Unfit
	}
	v, err := ParseVersion(version)
	if err != nil {
		return Unfit
	}
	o, err := r.Start(&Row{Version: v, Dirty: dirty})
	switch {
	case err != nil || o.Refuses():
		return Unfit
	case len(o.Runs) > 0:
		return Migrates
	}
	return Exact
}
