package schema

import (
	"fmt"
	"slices"
)

// obstacles asks for every row that would make one of the migrations fail.
func (c *checking) obstacles() error {
	asked := map[string]bool{}
	for _, o := range obstacles {
		if !c.willRun(o.migration) || o.in != nil && !o.in(c.p.Target) || asked[o.id] {
			continue
		}
		asked[o.id] = true
		if c.p.Verdict.Structure == Absent {
			continue
		}
		if !o.canAsk(c.live) {
			c.p.Skipped = append(c.p.Skipped, fmt.Sprintf("%s (migration %s): an earlier migration makes what would have to be looked at; check again after it", o.says, o.migration))
			continue
		}
		found, err := o.ask(c.ctx, c.q, c.p.Record)
		if err != nil {
			return err
		}
		if found.count > 0 {
			c.p.find(Finding{ID: o.id, Severity: Blocks, Migration: o.migration, Count: found.count, Rows: found.rows, Fix: o.fix,
				Text: fmt.Sprintf("migration %s would fail: %s", o.migration, o.says)})
		}
	}
	return nil
}

func (c *checking) willRun(v Version) bool {
	return slices.ContainsFunc(c.runs, func(m Migration) bool { return m.Version == v })
}

// loss is data that a migration does not fail on and that suffers from it.
type loss struct {
	id       string
	severity Severity
	when     func(*checking) bool
	needs    []string
	query    string // names of rows
	says     string
	fix      string
}

var losses = []loss{
	{
		// Their rows in artifact_blob go, and the next garbage collection
		// takes the layers.
		id: "manifest-blobs", severity: Danger,
		when:  func(c *checking) bool { return c.willRun(110) || c.willRun(100) && !c.p.Target.since("2.8.0") },
		needs: []string{"artifact.digest", "blob.digest", "artifact_blob.digest_af"},
		query: `select 'artifact ' || a.id || ': ' || a.digest from {s}artifact a where not exists (select from {s}blob b where b.digest = a.digest) order by a.id`,
		says:  "artifacts without a row in blob for their manifest: the migration forgets their layers, and the next garbage collection deletes them",
		fix:   "push these images again before the upgrade",
	},
	{
		id: "unknown-artifacts", severity: Warns,
		when:  func(c *checking) bool { return c.willRun(30) },
		needs: []string{"artifact.repo", "artifact.digest", "repository.name", "blob.digest"},
		query: `select 'artifact ' || a.id || ': ' || a.repo from {s}artifact a
			where not exists (select from {s}repository r where r.name = a.repo) or not exists (select from {s}blob b where b.digest = a.digest) order by a.id`,
		says: "artifacts without a repository or a manifest: they become of UNKNOWN type and belong to no repository",
		fix:  "delete or push these images again before the upgrade, or go on to v2.0.3 or later",
	},
	{
		// From 2.9 on no core reads manifests for old rows any more.
		id: "never-abstracted", severity: Danger,
		when:  func(c *checking) bool { return c.willRun(30) && c.p.Target.since("2.9.0") },
		needs: []string{"artifact.digest"},
		query: `select 'artifact ' || id from {s}artifact order by id`,
		says:  "artifacts from before 2.0, whose type and size only the core of 2.0 to 2.8 reads from the registry",
		fix:   "stop on the way at a release from v2.0.0 to v2.8.6, and let its core start once",
	},
	{
		// The same for a database between 2.0 and 2.8 whose core has not
		// finished.
		id: "never-abstracted", severity: Danger,
		when:  func(c *checking) bool { return !c.willRun(30) && c.willRun(120) && c.p.Target.since("2.9.0") },
		needs: []string{"data_migrations.version", "artifact.extra_attrs"},
		query: `select 'artifact ' || id from {s}artifact where coalesce(extra_attrs, '') = ''
			and not exists (select from {s}data_migrations where version >= 30) order by id`,
		says: "artifacts that core of 2.0 to 2.8 has not read from the registry yet",
		fix:  "let core of the release in use start and finish first",
	},
	{
		id: "abstracted-again", severity: Warns,
		when:  func(c *checking) bool { return c.p.Target.since("2.1.0") && !c.p.Target.since("2.9.0") },
		needs: []string{"data_migrations.version", "artifact.extra_attrs"},
		query: `select 'artifact ' || id from {s}artifact where not exists (select from {s}data_migrations where version >= 30) order by id`,
		says:  "artifacts that core will read from the registry one by one as it starts, before anybody can log in",
		fix:   "give it time, and have the registry running",
	},
	{
		id: "data-migrations", severity: Blocks,
		when: func(c *checking) bool {
			return c.p.Target.since("2.1.0") && !c.p.Target.since("2.9.0") && !c.willRun(40)
		},
		needs: []string{"data_migrations.version"},
		query: `select 'rows: ' || count(*) from {s}data_migrations having count(*) <> 1`,
		says:  "data_migrations has not exactly one row: core stops with an error that says so",
		fix:   "leave one row, with version 30 if any artifact has extra_attrs, else 0",
	},
}

// losses asks for rows that suffer.
func (c *checking) losses() error {
	for _, ask := range losses {
		o := obstacle{needs: ask.needs, query: `select name, '' from (` + ask.query + `) as x(name)`, says: ask.says}
		if c.p.Verdict.Structure == Absent || !ask.when(c) || !o.canAsk(c.live) {
			continue
		}
		found, err := o.ask(c.ctx, c.q, c.p.Record)
		if err != nil {
			return err
		}
		if found.count > 0 {
			c.p.find(Finding{ID: ask.id, Severity: ask.severity, Count: found.count, Rows: found.rows, Text: ask.says, Fix: ask.fix})
		}
	}
	return nil
}

// formats asks for rows in a form that the release does not read.
func (c *checking) formats() error {
	if c.p.Verdict.Structure == Absent {
		return nil
	}
	list, err := unreadable(c.ctx, c.q, c.p.Record, c.live, c.p.Target)
	for _, f := range list {
		c.p.find(f)
	}
	return err
}
