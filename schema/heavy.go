package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Load is work of a migration that grows with a table.
type Load struct {
	Table string `json:"table"`
	Does  string `json:"does"`  // "rewrites", "copies row by row", …
	Rows  int64  `json:"rows"`  // the server's estimate; exact for small tables
	Bytes int64  `json:"bytes"` // the table with its indexes, now
	Needs int64  `json:"needs"` // further bytes on the server's disk until the migration is committed, estimated
}

// heavy is what a migration does with a table that may be large. percent of
// the table's size is needed beside it; for indexes and updates it is a guess
// on the safe side.
type heavy struct {
	version Version
	tables  []string
	does    string
	percent int64
	in      func(Release) bool // nil: in every release
}

// heavies are the migrations that took long in real installations, and those
// that must by what they do.
var heavies = []heavy{
	{4, []string{"replication_job"}, "copies row by row", 100, nil},
	{30, []string{"access_log"}, "copies row by row to audit_log", 100, nil},
	{30, []string{"artifact"}, "rewrites", 200, nil},
	{50, []string{"replication_execution", "replication_task", "retention_execution", "retention_task", "admin_job"}, "copies row by row to execution and task", 150, nil},
	{50, []string{"artifact"}, "computes the size of artifacts that have none", 50, nil},
	{51, []string{"task"}, "builds an index", 20, nil},
	{53, []string{"artifact", "tag", "artifact_reference"}, "builds indexes", 30, nil},
	{60, []string{"audit_log"}, "builds an index", 30, nil},
	{80, []string{"vulnerability_record", "report_vulnerability_record"}, "rewrites", 100, nil},
	{80, []string{"task"}, "builds an index", 20, nil},
	{81, []string{"artifact"}, "builds an index", 30, nil},
	{90, []string{"artifact", "artifact_blob", "audit_log", "execution"}, "builds indexes", 50, nil},
	{100, []string{"artifact_blob"}, "looks up the blob of every row, which may take hours", 10, func(r Release) bool { return !r.since("2.8.0") }},
	{110, []string{"artifact_blob"}, "looks up the blob of every row, which may take hours", 10, nil},
	{111, []string{"task"}, "builds a GIN index", 30, nil},
	{120, []string{"scan_report", "report_vulnerability_record", "vulnerability_record"}, "counts the findings of every report and builds indexes", 50, nil},
	{140, []string{"artifact"}, "updates every row", 100, nil},
	{170, []string{"role_permission", "permission_policy"}, "rewrites", 100, nil},
	{181, []string{"task", "schedule"}, "rewrites", 100, nil},
	{190, []string{"robot", "role_permission"}, "rewrites", 100, nil},
}

// tableSize is how large a table is.
type tableSize struct{ rows, bytes int64 }

// exactBelow is the size up to which rows are counted: what is larger is
// known to the server well enough, and counting it would take long.
const exactBelow = 16 << 20

// tableSizes returns the sizes of the tables of a schema.
func tableSizes(ctx context.Context, q database.Querier, rec Record) (map[string]tableSize, error) {
	rows, err := q.QueryContext(ctx, `select c.relname::text, greatest(c.reltuples, 0)::bigint, pg_catalog.pg_total_relation_size(c.oid)
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relkind = 'r'`, rec.Schema)
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of tables: %w", explain(err))
	}
	defer rows.Close()
	sizes := map[string]tableSize{}
	for rows.Next() {
		var name string
		var s tableSize
		if err := rows.Scan(&name, &s.rows, &s.bytes); err != nil {
			return nil, fmt.Errorf("reading the sizes of tables: %w", err)
		}
		sizes[name] = s
	}
	return sizes, rows.Err()
}

// loads returns the heavy work of the migrations by their version.
func loads(ctx context.Context, q database.Querier, rec Record, target Release, runs []Migration) (map[Version][]Load, error) {
	byVersion := map[Version][]Load{}
	var sizes map[string]tableSize
	for _, h := range heavies {
		runsIt := slices.ContainsFunc(runs, func(m Migration) bool { return m.Version == h.version })
		if !runsIt || h.in != nil && !h.in(target) {
			continue
		}
		if sizes == nil {
			var err error
			if sizes, err = tableSizes(ctx, q, rec); err != nil {
				return nil, err
			}
		}
		for _, name := range h.tables {
			size, ok := sizes[name]
			if !ok {
				continue // an earlier one of the migrations makes it
			}
			if size.bytes < exactBelow {
				if err := q.QueryRowContext(ctx, "select count(*) from "+qualified(rec, name)).Scan(&size.rows); err != nil {
					return nil, fmt.Errorf("counting the rows of %s: %w", name, explain(err))
				}
				sizes[name] = size
			}
			byVersion[h.version] = append(byVersion[h.version], Load{name, h.does, size.rows, size.bytes, size.bytes * h.percent / 100})
		}
	}
	return byVersion, nil
}

// qualified names a table of the database that rec was read from.
func qualified(rec Record, table string) string {
	return dialectOf(rec.Engine).qualify(rec.Schema, table)
}

// inSchema replaces {s} in a query by the schema of rec and a dot.
func inSchema(rec Record, query string) string {
	return strings.ReplaceAll(query, "{s}", rec.Engine.QuoteIdent(rec.Schema)+".")
}
