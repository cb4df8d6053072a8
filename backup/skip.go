package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// SkipSet names tables whose rows can be left out together: what is left is a
// Harbor that works.
type SkipSet string

// The sets.
const (
	// SkipScan: results of vulnerability scans, in real Harbors nine tenths
	// of the database. Scanning makes them again.
	SkipScan SkipSet = "scan"
	// SkipAudit: the log of who did what.
	SkipAudit SkipSet = "audit"
)

// skipSets are the tables of each set, of all releases: Harbor 2.2 and later,
// then 1.10 to 2.1, then 1.1 to 1.9; access_log became audit_log in 2.0, and
// 2.13 added audit_log_ext.
var skipSets = map[SkipSet][]string{
	SkipScan:  {"report_vulnerability_record", "vulnerability_record", "scan_report", "img_scan_overview", "img_scan_job"},
	SkipAudit: {"audit_log_ext", "audit_log", "access_log"},
}

// needed are tables without which a Harbor does not start.
var needed = []string{"schema_migrations", "alembic_version"}

// reference says that rows of one table mean nothing without those of
// another.
type reference struct{ from, to string }

// meanings are references that no foreign key shows. A report whose records
// are missing says that an image has no vulnerability.
var meanings = []reference{
	{"scan_report", "report_vulnerability_record"},
	{"img_scan_overview", "img_scan_job"},
}

// skipDialect reads tables and foreign keys.
type skipDialect struct {
	tables     string // schema (or nothing) and name, ascending
	references string // schema and name of the table with the key, then of the other
}

var skipDialects = map[database.Engine]skipDialect{
	database.PostgreSQL: {
		tables: `SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2`,
		references: `SELECT fn.nspname, f.relname, tn.nspname, t.relname FROM pg_catalog.pg_constraint k
			JOIN pg_catalog.pg_class f ON f.oid = k.conrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
			JOIN pg_catalog.pg_class t ON t.oid = k.confrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
			WHERE k.contype = 'f' ORDER BY 1, 2, 3, 4`,
	},
	database.MySQL: {
		tables: `SELECT '', TABLE_NAME FROM information_schema.TABLES
			WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY 2`,
		references: `SELECT DISTINCT '', TABLE_NAME, '', REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE
			WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_SCHEMA = DATABASE() ORDER BY 2, 4`,
	},
}

// SkipTables turns the names of sets and tables into the tables whose rows are
// left out, for Options.SkipData. It refuses as a fault of kind Usage what is
// no table, and what other tables refer to that are not left out, too: such a
// snapshot could not be restored. A set has no tables where its release has
// none.
func SkipTables(ctx context.Context, db *database.DB, names []string) ([]string, error) {
	dialect := skipDialects[db.Engine()]
	tables, err := pairs(ctx, db, dialect.tables)
	if err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	var all []string
	for _, t := range tables {
		all = append(all, t[0])
	}
	skip, err := chosen(all, names)
	if err != nil || len(skip) == 0 {
		return skip, err
	}
	keys, err := pairs(ctx, db, dialect.references)
	if err != nil {
		return nil, fmt.Errorf("read foreign keys: %w", err)
	}
	var references []reference
	for _, k := range keys {
		references = append(references, reference{k[0], k[1]})
	}
	return skip, closed(skip, append(references, meant(all)...))
}

// pairs reads rows of schema and name, one or several such pairs a row, as
// full names.
func pairs(ctx context.Context, db *database.DB, query string) ([][]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var list [][]string
	for rows.Next() {
		texts, into := make([]string, len(columns)), make([]any, len(columns))
		for i := range texts {
			into[i] = &texts[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var names []string
		for i := 0; i < len(texts); i += 2 {
			names = append(names, strings.TrimPrefix(texts[i]+"."+texts[i+1], "."))
		}
		list = append(list, names)
	}
	return list, rows.Err()
}

// chosen finds what the names mean, ascending, each table once.
func chosen(all, names []string) ([]string, error) {
	var skip []string
	for _, name := range names {
		set, isSet := skipSets[SkipSet(name)]
		if !isSet {
			set = []string{name}
		}
		for _, table := range set {
			found := find(all, table)
			switch {
			case len(found) == 0 && !isSet:
				return nil, fault.Usagef("--skip-data: there is no table %q", name).
					WithHint("a set, %s or %s, or some of the tables %s", SkipScan, SkipAudit, strings.Join(all, ", "))
			case len(found) > 1 && !isSet:
				return nil, fault.Usagef("--skip-data: %q is more than one table", name).WithHint("one of %s", strings.Join(found, ", "))
			}
			skip = append(skip, found...)
		}
	}
	for _, table := range needed {
		for _, t := range find(skip, table) {
			return nil, fault.Usagef("--skip-data: Harbor does not start without the rows of table %s", t)
		}
	}
	slices.Sort(skip)
	return slices.Compact(skip), nil
}

// find returns the tables with that full name or, in any schema, that name.
func find(all []string, name string) []string {
	if slices.Contains(all, name) {
		return []string{name}
	}
	var found []string
	for _, t := range all {
		if strings.HasSuffix(t, "."+name) {
			found = append(found, t)
		}
	}
	return found
}

// meant returns the references of meanings between tables that are there.
func meant(all []string) []reference {
	var list []reference
	for _, m := range meanings {
		for _, from := range find(all, m.from) {
			for _, to := range find(all, m.to) {
				list = append(list, reference{from, to})
			}
		}
	}
	return list
}

// closed refuses to leave out what a table refers to that is kept.
func closed(skip []string, references []reference) error {
	wanted := slices.Clone(skip)
	first := reference{}
	for grown := true; grown; {
		grown = false
		for _, r := range references {
			if !slices.Contains(wanted, r.to) || slices.Contains(wanted, r.from) {
				continue
			}
			if first == (reference{}) {
				first = r
			}
			wanted, grown = append(wanted, r.from), true
		}
	}
	if len(wanted) == len(skip) {
		return nil
	}
	slices.Sort(wanted)
	return fault.Usagef("--skip-data: rows of table %s refer to those of %s, which would be left out", first.from, first.to).
		WithHint("leave out both: --skip-data %s", strings.Join(wanted, ","))
}
