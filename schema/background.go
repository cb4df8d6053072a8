package schema

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/database"
)

// Work is what a core does by itself after an upgrade, beside migrations:
// nobody can log in, or sees the right things, until it is done.
type Work struct {
	ID    string `json:"id"`   // "quota-initialisation" or "artifact-abstraction"
	Text  string `json:"text"` // in words, with how far it is
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// background is a kind of such work: the versions at which the core of some
// release does it, and a query for how much of it is done and how much there
// is; a query without a row says that it is finished.
type background struct {
	id       string
	from, to Version
	tables   []string // that the query reads
	query    string
	text     string // takes done and total
}

var backgrounds = []background{
	{
		// 1.9 and 1.10 walk the whole registry at the first start. With
		// one project alone, its row may be there and say nothing yet.
		id: "quota-initialisation", from: 10, to: 15, tables: []string{"project", "quota_usage", "repository"},
		query: `select done, total from (
			select count(u.id) filter (where live.projects > 1 or coalesce((u.used ->> 'storage')::bigint, 0) <> 0 or not exists (select from {s}repository)) as done,
				count(*) as total
			from {s}project p cross join (select count(*) as projects from {s}project where not deleted) live
			left join {s}quota_usage u on u.reference = 'project' and u.reference_id = p.project_id::text
			where not p.deleted) counted
			where done < total`,
		text: "core fills in the quotas of projects, %d of %d are done; until it has finished, nobody can log in",
	},
	{
		// 2.0 marks the end in schema_migrations.data_version, later ones
		// in data_migrations; 2.9 does it no more.
		id: "artifact-abstraction", from: 30, to: 31, tables: []string{"artifact", "schema_migrations"},
		query: `select done, total from (select count(nullif(extra_attrs, '')) as done, count(*) as total from {s}artifact) counted
			where done < total and not exists (select from {s}schema_migrations where data_version >= 30)`,
		text: abstraction,
	},
	{
		id: "artifact-abstraction", from: 40, to: 111, tables: []string{"artifact", "data_migrations"},
		query: `select done, total from (select count(nullif(extra_attrs, '')) as done, count(*) as total from {s}artifact) counted
			where done < total and not exists (select from {s}data_migrations where version >= 30)`,
		text: abstraction,
	},
}

const abstraction = "core reads artifacts from the registry, %d of %d are done; until it has finished, nobody can log in"

// BackgroundWork returns the work of that kind that a database waits for. rec
// is what Recorded returned; where it is not one row, there is none, because
// no core has got that far.
func BackgroundWork(ctx context.Context, q database.Querier, rec Record) ([]Work, error) {
	row, ok := rec.One()
	if !ok || rec.Engine != database.PostgreSQL {
		return nil, nil
	}
	var found []Work
	for _, b := range backgrounds {
		if row.Version < b.from || row.Version > b.to {
			continue
		}
		w, ok, err := b.ask(ctx, q, rec)
		if err != nil {
			return nil, fmt.Errorf("read the state of %s: %w", b.id, err)
		}
		if ok {
			found = append(found, w)
		}
	}
	return found, nil
}

// ask returns false where the work is finished, or where a table is missing
// that it is done in.
func (b background) ask(ctx context.Context, q database.Querier, rec Record) (Work, bool, error) {
	w := Work{ID: b.id}
	for _, table := range b.tables {
		var there bool
		err := q.QueryRowContext(ctx, `select to_regclass($1) is not null`, rec.Engine.QuoteIdent(rec.Schema, table)).Scan(&there)
		if err != nil || !there {
			return w, false, err
		}
	}
	rows, err := q.QueryContext(ctx, inSchema(rec, b.query))
	if err != nil {
		return w, false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return w, false, rows.Err()
	}
	if err := rows.Scan(&w.Done, &w.Total); err != nil {
		return w, false, err
	}
	w.Text = fmt.Sprintf(b.text, w.Done, w.Total)
	return w, true, rows.Err()
}
