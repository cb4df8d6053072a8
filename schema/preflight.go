package schema

import (
	"context"
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Answer is whether a release will start on a database.
type Answer string

// The answers. Unsafe: it would start, and harm would be done.
const (
	Yes    Answer = "yes"
	Unsafe Answer = "unsafe"
	No     Answer = "no"
)

// Severity is what a finding means for the start.
type Severity string

// The severities: the release does not start, or a migration fails; it starts
// and data is or will be lost; a person should know.
const (
	Blocks Severity = "blocks"
	Danger Severity = "danger"
	Warns  Severity = "warns"
)

// Finding is one thing that stands in the way of a release, or beside it.
type Finding struct {
	ID        string   `json:"id"` // stable, such as "schedule-twice"
	Severity  Severity `json:"severity"`
	Migration Version  `json:"migration,omitempty"` // the one that would fail
	Text      string   `json:"text"`
	Count     int      `json:"count,omitempty"`
	Rows      []string `json:"rows,omitempty"` // the first of them
	Fix       string   `json:"fix,omitempty"`
}

// Step is a migration that the release would run.
type Step struct {
	Migration
	File  string `json:"file"`
	Loads []Load `json:"loads"`
}

// Preflight is what a release would do with a database.
type Preflight struct {
	Target  Release `json:"target"`
	Answer  Answer  `json:"answer"`
	Record  Record  `json:"recorded"`
	Verdict Verdict `json:"verdict"`
	// Start is what core does with the row as it is recorded, in its own
	// words. AfterRepair is the same once the row says what the catalog
	// shows; nil where it does already.
	Start       Outcome   `json:"start"`
	AfterRepair *Outcome  `json:"after_repair,omitempty"`
	Steps       []Step    `json:"steps"`
	Findings    []Finding `json:"findings"`
	Skipped     []string  `json:"skipped"` // checks that cannot be made yet, and why
	// NeedsServer is the oldest server that the migrations run on, "" where
	// any will do; Server is the one that is there.
	NeedsServer string   `json:"needs_server,omitempty"`
	Server      string   `json:"server"`
	Bundled     *Bundled `json:"bundled,omitempty"` // from 1.6 on
	WayBack     []string `json:"way_back"`          // what a later downgrade would meet
}

// OK reports that the release starts and does no harm.
func (p Preflight) OK() bool { return p.Answer == Yes }

// Blocking returns the findings of a severity.
func (p Preflight) Blocking(s Severity) []Finding {
	var list []Finding
	for _, f := range p.Findings {
		if f.Severity == s {
			list = append(list, f)
		}
	}
	return list
}

func (p *Preflight) find(f Finding) {
	p.Findings = append(p.Findings, f)
	switch {
	case f.Severity == Blocks:
		p.Answer = No
	case f.Severity == Danger && p.Answer == Yes:
		p.Answer = Unsafe
	}
}

// Check says whether a release would start on the database of q, and what it
// would do to it. It changes nothing. It reads whole tables where a migration
// would stumble over single rows; give it a read-only REPEATABLE READ
// transaction, so that everything shows one moment.
func Check(ctx context.Context, q database.Querier, e database.Engine, server database.Server, target Release) (Preflight, error) {
	ev, err := Inspect(ctx, q, e)
	if err != nil {
		return Preflight{}, err
	}
	p := Preflight{
		Target: target, Answer: Yes, Record: ev.Record, Verdict: ev.Verdict, Server: server.Product + " " + server.Version,
		Start: Outcome{Runs: []Migration{}, Log: []string{}}, Steps: []Step{}, Findings: []Finding{}, Skipped: []string{}, WayBack: []string{},
	}
	if e == database.MySQL || target.Engine() == database.MySQL {
		p.checkMySQLEra(e)
		return p, nil
	}
	if ev.Verdict.Structure == Unread {
		p.find(Finding{ID: "running", Severity: Blocks, Text: ev.Verdict.rowFinding, Fix: "wait until it has ended, then check again"})
		return p, nil
	}
	c := checking{p: &p, ctx: ctx, q: q, live: ev.live, running: ev.Running, decision: Decide(ev)}
	for _, step := range []func() error{
		c.row, c.start, c.locks, c.steps, func() error { return c.server(server) }, c.obstacles, c.losses, c.formats,
	} {
		if err := step(); err != nil {
			return Preflight{}, err
		}
	}
	return p, nil
}

// checking is a Preflight in the making.
type checking struct {
	p        *Preflight
	ctx      context.Context
	q        database.Querier
	live     live
	running  []Migrator
	decision Decision    // how the row is put right
	runs     []Migration // what core will run once it is
	stops    bool        // core refuses even then
}

// row finds what is wrong with the recorded version and the catalog.
func (c *checking) row() error {
	v := c.p.Verdict
	switch v.Row {
	case RowHonest:
	case RowFresh:
		c.p.find(Finding{ID: "empty", Severity: Danger, Text: v.rowFinding + "; core would fill it as if Harbor were new",
			Fix: "if there should be data here, restore a snapshot; look for other folders in <data_volume>/database"})
	default:
		c.p.find(Finding{ID: "row", Severity: Blocks, Text: v.rowFinding, Fix: c.rowFix()})
	}
	found := strings.Join(v.structureFindings, "; ")
	switch v.Structure {
	case Merged, HalfRestored:
		c.p.find(Finding{ID: "structure", Severity: Blocks, Text: found, Fix: "restore a snapshot; harbordb schema status lists the differences"})
	case Damaged:
		c.p.find(Finding{ID: "structure", Severity: Danger, Text: found, Fix: "harbordb schema status lists the differences; make the missing objects again or restore a snapshot"})
	}
	c.schemas()
	return nil
}

// rowFix says how the row is put right.
func (c *checking) rowFix() string {
	switch d := c.decision; {
	case d.Action != Refuse:
		return "harbordb repair schema"
	case len(d.Next) > 0:
		return d.Next[0]
	default:
		return d.Why[0]
	}
}

// schemas finds that Harbor is in several schemas, or not where this role
// would look for it.
func (c *checking) schemas() {
	if len(c.p.Record.Schemas) > 1 {
		c.p.find(Finding{ID: "schemas", Severity: Blocks, Text: "Harbor's tables are in several schemas: " + strings.Join(c.p.Record.Schemas, ", "),
			Fix: "set the search path of the role to the right one and drop the other"})
	} else if text := c.p.Record.elsewhere(); text != "" {
		c.p.find(Finding{ID: "search-path", Severity: Warns, Text: text, Fix: "see that the search path of the role that core uses begins with " + c.p.Record.Schema})
	}
}

// start plays the core, with the row as it is and as it should be.
func (c *checking) start() error {
	var row *Row
	if len(c.p.Record.Rows) > 0 {
		row = &c.p.Record.Rows[0]
	}
	var err error
	if c.p.Start, err = c.p.Target.Start(row); err != nil {
		return err
	}
	if c.p.Verdict.Row == RowNotHarbor {
		c.p.Start = c.p.Target.cannotRead(`column "dirty" does not exist`)
	}
	then := c.p.Start
	if v := c.p.Verdict; v.Row != RowHonest && v.Row != RowFresh && v.Structure != Absent {
		if then, err = c.p.Target.Start(&Row{Version: v.Shown.Version}); err != nil {
			return err
		}
		c.p.AfterRepair = &then
		c.again()
	}
	c.runs = then.Runs
	if c.stops = then.Refuses(); c.stops {
		c.refused(then)
	}
	return nil
}

// again finds what core would do on a row that lies.
func (c *checking) again() {
	if c.p.Start.Refuses() {
		return
	}
	text := fmt.Sprintf("core would start on a row that lies: it says %s, and the catalog %s", c.p.Record, c.p.Verdict.fits())
	for _, m := range c.p.Start.Runs {
		if m.Version <= c.p.Verdict.Shown.Version {
			text = fmt.Sprintf("core would run migration %s again, which is applied already: it fails or repeats what it did, and leaves %s, dirty", m.Version, m.Version)
			break
		}
	}
	c.p.find(Finding{ID: "lying-row", Severity: Blocks, Text: text, Fix: c.rowFix()})
}

// refused finds why core refuses an honest version.
func (c *checking) refused(o Outcome) {
	at, target := c.p.Verdict.Shown, c.p.Target
	f := Finding{ID: "refuses", Severity: Blocks, Text: fmt.Sprintf("core of %s refuses a database of version %s: %q", target, at, o.Error)}
	switch {
	case target.floorError(&Row{Version: at.Version}) != "":
		f.Fix = "upgrade to v1.10.19 first, and let its core start once"
	case at.Version > target.Max:
		f.Text = fmt.Sprintf("this is a downgrade, and Harbor has none: it ships migrations up to %s. %s", target.Max, f.Text)
		f.Fix = fmt.Sprintf("restore a snapshot of version %s or below: harbordb snapshots ls", target.Max)
	case target.Name == "2.2.0" && at.Version == 41:
		f.Fix = "upgrade to v2.2.1 or later of the line instead: v2.2.0 came before migration 41"
	default:
		f.Fix = "take a release that ships migration " + at.String()
	}
	c.p.find(f)
}

// locks finds who is in the way right now.
func (c *checking) locks() error {
	for _, m := range c.running {
		c.p.find(Finding{ID: "running", Severity: Blocks, Text: m.String() + ": " + c.meets(m), Fix: "wait until it has ended, then check again"})
	}
	if len(c.runs) == 0 || c.p.Verdict.Structure == Absent {
		return nil
	}
	list, err := column[string](c.ctx, c.q, openTransactions, c.p.Record.Schema)
	if err != nil {
		return fmt.Errorf("looking for open transactions: %w", err)
	}
	if len(list) > 0 {
		c.p.find(Finding{ID: "open-transaction", Severity: Warns, Count: len(list), Rows: list,
			Text: "open transactions hold locks on Harbor's tables: a migration would wait for them", Fix: "stop Harbor and whatever else uses the database before the upgrade"})
	}
	return nil
}

// meets says what a core of the target would do beside a migrator. Cores with
// another key do not notice each other.
func (c *checking) meets(m Migrator) string {
	switch target := c.p.Target; {
	case m.Cores != "" && m.Cores != lockUsers[target.lockEra()]:
		return fmt.Sprintf("the lock of releases %s, which core of %s does not know, so that both would migrate at once", m.Cores, target)
	case target.lockEra() == 0:
		return `core would give up after 15 s with "timeout: can't acquire database lock"`
	}
	return "core would wait for it without end"
}

// openTransactions are sessions that a migration would wait for: idle inside
// a transaction, or busy with one for more than a minute.
const openTransactions = `
select distinct 'session ' || a.pid || coalesce(' of ' || a.usename, '') || coalesce(' (' || nullif(a.application_name, '') || ')', '')
from pg_catalog.pg_stat_activity a
  join pg_catalog.pg_locks l on l.pid = a.pid and l.locktype = 'relation' and l.granted
  join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid() and n.nspname = $1
  and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and (a.state like 'idle in transaction%' or pg_catalog.now() - a.xact_start > interval '1 minute')
order by 1`

// steps lists the migrations with the work that they are.
func (c *checking) steps() error {
	byVersion := map[Version][]Load{}
	if c.p.Verdict.Structure != Absent {
		var err error
		if byVersion, err = loads(c.ctx, c.q, c.p.Record, c.p.Target, c.runs); err != nil {
			return err
		}
	}
	for _, m := range c.runs {
		step := Step{Migration: m, File: m.File(), Loads: byVersion[m.Version]}
		if step.Loads == nil {
			step.Loads = []Load{}
		}
		if known, ok := migrationAt(m.Version); !ok || known.Title != m.Title {
			c.p.Skipped = append(c.p.Skipped, fmt.Sprintf("%s: harbordb does not know this migration, nor what it needs and may fail on", step.File))
		}
		c.p.Steps = append(c.p.Steps, step)
	}
	if !c.stops {
		c.p.WayBack = append(c.p.WayBack, wayBack(c.p.Target, c.p.Verdict.Shown)...)
	}
	return nil
}

// needsServer are the migrations whose SQL an older server does not know.
var needsServer = []struct {
	version Version
	number  int
	name    string
}{{40, 90600, "9.6"}, {80, 100000, "10"}, {120, 120000, "12"}}

// server compares the server with what the migrations and the images need.
func (c *checking) server(server database.Server) error {
	for _, n := range needsServer {
		for _, m := range c.runs {
			if m.Version != n.version {
				continue
			}
			c.p.NeedsServer = "PostgreSQL " + n.name
			if server.Number < n.number {
				c.p.find(Finding{ID: "server", Severity: Blocks, Migration: n.version, Fix: "upgrade the server first",
					Text: fmt.Sprintf("migration %s needs PostgreSQL %s or later, and the server is %s", n.version, n.name, server.Version)})
			}
		}
	}
	b, err := bundledFor(c.ctx, c.q, server, c.p.Target)
	if err != nil {
		return err
	}
	if b == nil {
		c.p.Skipped = append(c.p.Skipped, fmt.Sprintf("which PostgreSQL the database image of %s runs, and which data folder it wants, are not known", c.p.Target))
		return nil
	}
	c.p.Bundled = b
	if b.Accepts {
		return nil
	}
	f := Finding{ID: "bundled", Severity: Warns, Fix: "nothing, if the database is your own",
		Text: fmt.Sprintf("if this is Harbor's bundled database: the image of %s does not know the folder of PostgreSQL %s; %s", c.p.Target, b.Here, b.Otherwise)}
	if b.InUse {
		f.Severity, f.Fix = Blocks, "load a snapshot into the new, empty database: harbordb backup, then harbordb restore"
		f.Text = fmt.Sprintf("the bundled database image of %s does not know the folder of PostgreSQL %s; %s", c.p.Target, b.Here, b.Otherwise)
	}
	if len(b.Path) > 0 {
		f.Fix = "stop on the way at " + strings.Join(b.Path, ", then ")
	}
	c.p.find(f)
	return nil
}
