package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/snapshots"
)

// listed joins the names of databases for a sentence: "database a" or
// "databases a, b".
func listed(names []string) string {
	if len(names) == 1 {
		return "database " + names[0]
	}
	return "databases " + strings.Join(names, ", ")
}

// moments says how far apart the moments of databases are, or nothing where
// they are one.
func moments(databases []snapshots.Database) string {
	first, last := databases[0].Time, databases[0].Time
	one := true
	for _, d := range databases {
		one = one && d.OneMoment
		if d.Time.Before(first) {
			first = d.Time
		}
		if d.Time.After(last) {
			last = d.Time
		}
	}
	if one {
		return ""
	}
	return fmt.Sprintf("the databases show moments up to %s apart", last.Sub(first).Round(time.Millisecond))
}

// resultText says what was done.
func (of restorePlan) resultText(p *page, r target.Result) {
	var names, aside []string
	rows := int64(0)
	for _, d := range r.All() {
		names = append(names, d.Database)
		rows += d.Rows
		if d.Aside != "" {
			aside = append(aside, d.Aside)
		}
	}
	is, was, it := "is", "what it was before is", "it"
	if len(names) > 1 {
		is, was, it = "are", "what they were before are", "them"
	}
	switch r.Mode {
	case target.Drill:
		p.line("drill of snapshot %s: %s loaded, compared and dropped, %s rows", r.Snapshot, listed(names), humanCount(rows))
	case target.Keep:
		p.line("loaded snapshot %s into %s, %s rows", r.Snapshot, listed(names), humanCount(rows))
	case target.SwapIn:
		p.line("%s %s snapshot %s now, %s rows", listed(names), is, r.Snapshot, humanCount(rows))
	}
	for _, n := range r.Notes {
		p.line("note: %s", n)
	}
	if len(aside) > 0 {
		p.line("%s %s", was, listed(aside))
		p.line("harbordb restore --rollback puts %s back; harbordb restore --discard %s drops %[1]s", it, aside[0])
	}
	if r.Mode == target.SwapIn && of.own {
		what := "flush Redis while jobservice is stopped"
		if of.schedulesInRedis() {
			what = "flush core's cache in Redis (redis-cli -n 0 flushdb)"
		}
		p.line("next: %s, then start Harbor of the snapshot's release", what)
	}
}

func (r restorePlan) question() string {
	var into, names []string
	for _, d := range r.All() {
		into, names = append(into, d.Into), append(names, d.Target.Name)
	}
	if r.Mode == target.Keep {
		return fmt.Sprintf("Load snapshot %s into %s?", r.Plan.Snapshot, listed(into))
	}
	return fmt.Sprintf("Replace %s by snapshot %s?", listed(names), r.Plan.Snapshot)
}

func (r restorePlan) text(p *page) {
	rows := int64(0)
	for _, d := range r.All() {
		rows += d.Rows
	}
	p.fields(
		[2]string{"snapshot", string(r.Plan.Snapshot)},
		[2]string{"taken", humanTime(*r.Source.Time)},
		[2]string{"Harbor", r.Source.harbor()},
		[2]string{"rows", humanCount(rows)},
	)
	p.heading("what happens")
	for _, d := range r.All() {
		if d.Ready {
			p.line("  database %s is loaded and compared already", d.Into)
		} else {
			p.line("  load into database %s and compare", d.Into)
		}
	}
	r.swapText(p)
	for _, d := range r.All() {
		for _, session := range d.Target.Sessions {
			p.line("  end %s at the swap", session)
		}
		for _, n := range d.Notes {
			p.line("  note: %s", n)
		}
	}
	for _, o := range r.LeftOut {
		p.line("  note: the snapshot was taken without %s", o)
	}
	if len(r.Stay) > 0 {
		p.line("  note: %s of the snapshot: not restored", listed(r.Stay))
	}
	if r.moments != "" {
		p.line("  note: %s", r.moments)
	}
	if r.Mode == target.SwapIn {
		r.caveats(p)
	}
}

// schedulesInRedis tells whether flushing Redis would lose the schedules of
// periodic jobs: from 2.4 on (schema 70) jobservice makes them again from the
// database when it starts.
func (r restorePlan) schedulesInRedis() bool {
	version, err := strconv.Atoi(r.Source.Schema)
	return err != nil || version < 70
}

// caveats say what a database alone does not bring back.
func (r restorePlan) caveats(p *page) {
	if !r.own && !r.signatures {
		return
	}
	p.heading("what a database alone does not bring back")
	if r.signatures {
		p.line("  the keys of Notary need the passphrase of the signer of the snapshot's time")
	}
	if !r.own {
		return
	}
	p.line("  the secretKey file must be the one of the snapshot's time, or stored passwords cannot be read")
	if r.schedulesInRedis() {
		p.line("  Redis holds jobs of today, and up to Harbor 2.3 the schedules alone: flush core's cache only, and save schedules again that do not fire")
	} else {
		p.line("  Redis holds jobs of today: stop jobservice and flush it before Harbor starts again")
	}
	if r.Since != nil && r.Since.GarbageCollections != nil && *r.Since.GarbageCollections > 0 {
		p.line("  %s garbage collections ran since: blobs that they removed stay gone; harbordb orphans scan finds them", humanCount(*r.Since.GarbageCollections))
	} else {
		p.line("  blobs that a garbage collection has removed since stay gone; harbordb orphans scan finds them")
	}
	if r.Since != nil && r.Since.ArtifactsPushed != nil && *r.Since.ArtifactsPushed > 0 {
		p.line("  %s artifacts were pushed since: Harbor will not know them, push them again", humanCount(*r.Since.ArtifactsPushed))
	}
	if r.OIDCUsers > 0 {
		p.line("  the CLI secrets of %s OIDC users become those of the snapshot", humanCount(r.OIDCUsers))
	}
}
