package schema

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/harbordb/harbordb/database"
)

// Evidence is all that a database shows of its schema version.
type Evidence struct {
	Record  Record  `json:"recorded"`
	Verdict Verdict `json:"verdict"`
	// Ranking are the versions whose catalogs come nearest, the nearest
	// first; see Candidate.
	Ranking []Candidate `json:"ranking"`
	Probes  []Probe     `json:"probes,omitempty"` // from Harbor 1.6 on
	// Drift is how the catalog differs from that of Verdict.Shown.
	Drift []Drift `json:"drift"`
	// Lineage are the signs of a database that was converted from MySQL.
	Lineage []string `json:"mysql_lineage"`
	// Running are other sessions that migrate right now: then everything
	// else may be out of date a moment later.
	Running []Migrator `json:"running"`

	live live
}

// Has reports whether the database has a column, or with column "" a table.
// Where the catalog was not read, it has none.
func (ev Evidence) Has(table, column string) bool {
	if column == "" {
		return ev.live.has(KindTable, table, "")
	}
	return ev.live.has(KindColumn, table, column)
}

// Counter is a column that takes its values from a sequence.
type Counter struct {
	Table, Column, Sequence string
	Integer                 bool // of four bytes, so that it ends at 2147483647
}

// Counters returns the columns that take their values from sequences in the
// same schema, ordered by table.
func (ev Evidence) Counters() []Counter {
	var list []Counter
	for _, o := range slices.SortedFunc(maps.Keys(ev.live.sequences), object.compare) {
		typ, _ := cutType(ev.live.catalog[o])
		list = append(list, Counter{o.Table, o.Name, ev.live.sequences[o], typ == "integer"})
	}
	return list
}

// Candidate is a version with how many objects of the live catalog speak
// against it: missing, different, or of another version.
type Candidate struct {
	Mark
	Against int `json:"against"`
}

// rankingShown is how many candidates Evidence lists.
const rankingShown = 5

// Inspect reads the recorded version and the catalog and weighs them. It
// changes nothing and takes no lock that a running Harbor would notice; where
// q is a transaction, everything shows one moment, else each reading its own.
func Inspect(ctx context.Context, q database.Querier, e database.Engine) (Evidence, error) {
	rec, err := Recorded(ctx, q, e)
	if err != nil {
		return Evidence{}, err
	}
	ev := Evidence{Record: rec, Ranking: []Candidate{}, Drift: []Drift{}, Lineage: []string{}}
	if ev.Running, err = MigrationRunning(ctx, q, e); err != nil {
		return Evidence{}, err
	}
	switch busy := slices.IndexFunc(ev.Running, func(m Migrator) bool { return m.Exclusive }); {
	case rec.Tables == 0:
		ev.Verdict = judgeBare(rec)
		return ev, nil
	case busy >= 0:
		ev.Verdict = judgeBusy(ev.Running[busy])
		return ev, nil
	}
	if ev.live, err = readLive(ctx, q, rec); err != nil {
		return Evidence{}, err
	}
	versions, err := knownCatalogs(e)
	if err != nil {
		return Evidence{}, fmt.Errorf("catalogs of the known versions: %w", err)
	}
	seeds, err := emptySeeds(ctx, q, rec, ev.live)
	if err != nil {
		return Evidence{}, err
	}
	ev.weigh(newComparison(ev.live, versions), seeds)
	if err := ev.askData(ctx, q); err != nil {
		return Evidence{}, err
	}
	return ev, nil
}

// askData looks for rows that speak against the upper half of a pair.
func (ev *Evidence) askData(ctx context.Context, q database.Querier) error {
	v := &ev.Verdict
	if len(v.Pair) == 0 || v.Confidence != Certain || ev.Record.Engine != database.PostgreSQL {
		return nil
	}
	upper := v.Pair[1]
	found, err := againstUpper(ctx, q, ev.Record, upper.Version)
	if err != nil || found == "" {
		return err
	}
	if v.Shown == upper {
		v.Against = append(v.Against, found)
	} else {
		v.For = append(v.For, found)
	}
	return nil
}

// weigh ranks the versions and comes to a verdict.
func (ev *Evidence) weigh(c comparison, emptySeeds []string) {
	ev.Lineage = append(ev.Lineage, c.lineage...)
	shown, pair, confidence := choose(c.ranking, c.known, ev.Record)
	if half, ok := c.halfOf(ev.Record); ok && confidence == Unsure {
		shown, pair = half, nil
	}
	ranking := slices.Clone(c.ranking)
	slices.SortStableFunc(ranking, func(a, b Candidate) int { return a.Against - b.Against })
	ev.Ranking = ranking[:min(rankingShown, len(ranking))]
	at := slices.IndexFunc(c.known, func(k known) bool { return k.Mark == shown })
	ev.Drift = append(ev.Drift, c.with(c.known[at])...)
	if ev.Record.Engine == database.PostgreSQL {
		ev.Probes = probeAll(c.live)
	}
	ev.Verdict = judge(*ev, shown, pair, confidence, emptySeeds)
	ev.Verdict.For = append(ev.Verdict.For, fitWords(c.known[at], ev.Drift)...)
}

// emptySeeds returns the tables that hold rows in every Harbor, from its first
// start on, and none here. A table that the role may not read is not among
// them.
func emptySeeds(ctx context.Context, q database.Querier, rec Record, l live) ([]string, error) {
	var empty []string
	for _, name := range dialectOf(rec.Engine).seeds {
		if !l.has(KindTable, name, "") {
			continue
		}
		if may, err := dialectOf(rec.Engine).mayRead(ctx, q, rec, name); err != nil || !may {
			if err != nil {
				return nil, fmt.Errorf("rights on table %s: %w", name, err)
			}
			continue
		}
		var any bool
		query := fmt.Sprintf("select exists (select 1 from %s)", dialectOf(rec.Engine).qualify(rec.Schema, name))
		if err := q.QueryRowContext(ctx, query).Scan(&any); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, explain(err))
		}
		if !any {
			empty = append(empty, name)
		}
	}
	return empty, nil
}
