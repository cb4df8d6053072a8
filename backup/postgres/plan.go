package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// partBytes is how much of a table goes into one part: large enough that a
// part costs next to nothing, small enough that all workers end together.
// Measured as best on two cores among 16, 64 and 256 MB.
const partBytes = 64 << 20

// extent is the size of a table on disk, and the column that can cut it.
type extent struct {
	pages, bytes int64 // pages of the heap; bytes with everything that is out of line
	pageSize     int64
	key          string // an integer primary key, where there is one
}

const readExtents = `
SELECT n.nspname, c.relname,
  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
  pg_catalog.pg_table_size(c.oid),
  pg_catalog.current_setting('block_size')::bigint,
  COALESCE((SELECT a.attname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnatts = 1
    AND a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype, 'pg_catalog.int8'::pg_catalog.regtype)), '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'`

// plan cuts the tables of the catalog into parts, largest first.
func (s *Source) plan(ctx context.Context, skip map[string]bool) error {
	extents, err := s.extents(ctx)
	if err != nil {
		return fmt.Errorf("read sizes of tables: %w", err)
	}
	for _, t := range copied(s.model) {
		t.Fingerprint = snapshots.Fingerprint{}.String()
		t.Skipped = skip[t.FullName()]
		s.about.Tables = append(s.about.Tables, t.Table)
		if t.Skipped {
			s.about.LeftOut = append(s.about.LeftOut, "rows of table "+t.FullName())
			continue
		}
		parts, err := s.cut(ctx, len(s.about.Tables)-1, t.condition, extents[[2]string{t.Schema, t.Name}])
		if err != nil {
			return fmt.Errorf("plan table %s: %w", t.FullName(), err)
		}
		s.parts = append(s.parts, parts...)
	}
	slices.SortStableFunc(s.parts, func(a, b source.Part) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return nil
}

// copiedTable is a table whose rows a dump carries, all or those that fulfil
// a condition.
type copiedTable struct {
	snapshots.Table
	condition string // "WHERE …", or empty
}

// copied returns the tables whose rows a dump carries: those of the model,
// without generated columns, and the users' rows in tables of extensions.
func copied(m *pgmodel.Model) []copiedTable {
	var list []copiedTable
	for _, t := range m.Tables {
		c := copiedTable{Table: snapshots.Table{Schema: t.Schema, Name: t.Name.Name, Columns: []string{}, Parts: []snapshots.Part{}}}
		for _, column := range t.Columns {
			if column.Generated == "" {
				c.Columns = append(c.Columns, column.Name)
			}
		}
		list = append(list, c)
	}
	for _, e := range m.Extensions {
		for _, t := range e.Config {
			list = append(list, copiedTable{condition: t.Condition, Table: snapshots.Table{
				Schema: t.Table.Schema, Name: t.Table.Name, Columns: t.Columns, Parts: []snapshots.Part{}}})
		}
	}
	return list
}

func (s *Source) extents(ctx context.Context) (map[[2]string]extent, error) {
	rows, err := s.hold.leader.Query(ctx, readExtents)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	extents := map[[2]string]extent{}
	for rows.Next() {
		var schema, name string
		var e extent
		if err := rows.Scan(&schema, &name, &e.pages, &e.bytes, &e.pageSize, &e.key); err != nil {
			return nil, err
		}
		extents[[2]string{schema, name}] = e
	}
	return extents, rows.Err()
}

// cut returns the parts of one table: ranges of ctid where the server scans
// them as ranges (PostgreSQL 14), else ranges of the key, else the whole.
func (s *Source) cut(ctx context.Context, table int, condition string, e extent) ([]source.Part, error) {
	t := s.about.Tables[table]
	from := quote(t.Schema, t.Name)
	encoding := encodingOption(s.model.Database.Encoding)
	n := (e.bytes + partBytes - 1) / partBytes
	var where []string
	var err error
	switch {
	case condition != "":
		query := copySelection(from, t.Columns, condition) + encoding
		return []source.Part{{Table: table, Bytes: e.bytes, Query: query}}, nil
	case n <= 1:
	case s.db.Server().Number >= 140000:
		where = pageRanges(e.pages, n)
	case e.key != "":
		where, err = s.keyRanges(ctx, from, quote(e.key), n)
	}
	if err != nil {
		return nil, err
	}
	if len(where) == 0 {
		return []source.Part{{Table: table, Bytes: e.bytes, Query: copyWhole(from, t.Columns) + encoding}}, nil
	}
	parts := make([]source.Part, len(where))
	for i, w := range where {
		parts[i] = source.Part{Table: table, Bytes: e.bytes / int64(len(where)), Query: copySelection(from, t.Columns, "WHERE "+w) + encoding}
	}
	return parts, nil
}

func copyWhole(from string, columns []string) string {
	if len(columns) == 0 { // every column is generated: one empty line a row
		return "COPY (SELECT FROM ONLY " + from + ") TO STDOUT"
	}
	return "COPY " + from + " (" + columnList(columns) + ") TO STDOUT"
}

func copySelection(from string, columns []string, where string) string {
	return "COPY (SELECT " + columnList(columns) + " FROM ONLY " + from + " " + where + ") TO STDOUT"
}

func columnList(columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
	}
	return strings.Join(quoted, ", ")
}

// pageRanges cuts the pages into n ranges. The last one is open, so that the
// ranges cover the table whatever its size has become.
func pageRanges(pages, n int64) []string {
	step := max((pages+n-1)/n, 1)
	var where []string
	for from := int64(0); from == 0 || from < pages; from += step {
		w := fmt.Sprintf("ctid >= '(%d,0)'::pg_catalog.tid", from)
		if from+step < pages {
			w += fmt.Sprintf(" AND ctid < '(%d,0)'::pg_catalog.tid", from+step)
		}
		where = append(where, w)
	}
	return where
}

// keyRanges cuts the values of an integer primary key into n ranges of equal
// width, the outer ones open.
func (s *Source) keyRanges(ctx context.Context, from, key string, n int64) ([]string, error) {
	var low, high *int64
	row := s.hold.leader.QueryRow(ctx, "SELECT min("+key+")::bigint, max("+key+")::bigint FROM ONLY "+from)
	if err := row.Scan(&low, &high); err != nil {
		return nil, err
	}
	if low == nil || high == nil {
		return nil, nil
	}
	return ranges(key, *low, *high, n), nil
}

func ranges(key string, low, high, n int64) []string {
	// Unsigned arithmetic: the width of the keys may not fit an int64.
	step := (uint64(high)-uint64(low))/uint64(n) + 1
	var where []string
	for i := uint64(1); ; i++ {
		end := uint64(low) + i*step
		last := i == uint64(n) || end-uint64(low) > uint64(high)-uint64(low)
		var w []string
		if i > 1 {
			w = append(w, fmt.Sprintf("%s >= %d", key, int64(end-step)))
		}
		if !last {
			w = append(w, fmt.Sprintf("%s < %d", key, int64(end)))
		}
		if len(w) == 0 {
			w = []string{"true"}
		}
		where = append(where, strings.Join(w, " AND "))
		if last {
			return where
		}
	}
}
