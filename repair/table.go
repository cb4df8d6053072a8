package repair

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// Table is a table as a repair found it. The journal keeps it beside the rows.
type Table struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Key     string   `json:"key"` // the column that identifies a row, an integer
	Columns []Column `json:"columns"`
}

// Column is one column of a table, in the order of the catalog.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the server casts to it
	// Auto says that an UPDATE which does not name the column changes it.
	Auto   bool   `json:"auto,omitempty"`
	quoted string // not in the journal
}

// describe reads a table from the catalog. ok is false where an unqualified
// name finds none.
func (s *session) describe(ctx context.Context, name, key string) (t Table, ok bool, err error) {
	rows, err := s.query(ctx, s.d.columns, name)
	if err != nil {
		return t, false, fmt.Errorf("columns of %s: %w", name, err)
	}
	defer rows.Close()
	t = Table{Name: name, Key: key}
	for rows.Next() {
		var c Column
		if err := rows.Scan(&t.Schema, &c.Name, &c.Type, &c.Auto); err != nil {
			return t, false, fmt.Errorf("columns of %s: %w", name, err)
		}
		c.quoted = s.quote(c.Name)
		t.Columns = append(t.Columns, c)
	}
	return t, len(t.Columns) > 0, rows.Err()
}

// present is the table of a journal as the database has it now: types and
// places come from the catalog, never from a file. An upgrade of Harbor may
// have taken the table away since, or one of its columns.
func (s *session) present(ctx context.Context, t Table) (Table, error) {
	const gone = "Harbor was upgraded since, or the database was changed by hand: what the repair changed is no longer there; harbordb repair show lists it"
	now, ok, err := s.describe(ctx, t.Name, t.Key)
	if err != nil {
		return t, err
	}
	if !ok || now.Schema != t.Schema {
		return t, fault.Refusedf("there is no table %s any more", t.Name).WithHint(gone)
	}
	columns := make([]Column, len(t.Columns))
	for i, c := range t.Columns {
		at := now.at(c.Name)
		if at < 0 {
			return t, fault.Refusedf("table %s has no column %s any more", t.Name, c.Name).WithHint(gone)
		}
		columns[i] = now.Columns[at]
	}
	now.Columns = columns
	return now, nil
}

// at returns the place of a column, or -1.
func (t Table) at(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// has reports whether the table has a column.
func (t Table) has(column string) bool { return t.at(column) >= 0 }

// keyAt is the place of the key.
func (t Table) keyAt() int { return t.at(t.Key) }

// selection prints all columns as text; prefix is an alias with its dot.
func (t Table) selection(d *dialect, prefix string) string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = d.text(prefix + c.quoted)
	}
	return strings.Join(list, ", ")
}

// Row holds all columns of one row in the order of its table.
type Row []Value

// get returns a column of a row; NULL where the table has no such column.
func (t Table) get(r Row, column string) Value {
	if i := t.at(column); i >= 0 {
		return r[i]
	}
	return Value{}
}

// key returns the key of a row as a number.
func (t Table) key(r Row) (int64, error) {
	v := r[t.keyAt()]
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("table %s: %s %q is not a number", t.Name, t.Key, v)
	}
	return n, nil
}

// targets are the destinations of one scanned row, and the row that they fill.
func (t Table) targets() (Row, []any) {
	row := make(Row, len(t.Columns))
	to := make([]any, len(row))
	for i := range row {
		to[i] = &row[i]
	}
	return row, to
}

// batch is how many rows one statement reads or writes: enough that round
// trips do not count, and few enough for every server's limit of parameters
// and packet size.
const batch = 1000

// byKey reads rows by their keys in their order, batch by batch. With a
// non-empty lock the rows are locked as they are read. A key without a row is
// not in the map; two rows with one key are an error.
func (s *session) byKey(ctx context.Context, t Table, keys []int64, lock rowLock) (map[int64]Row, error) {
	found := make(map[int64]Row, len(keys))
	for part := range slices.Chunk(keys, batch) {
		if err := s.readKeys(ctx, t, part, lock, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// rowLock says whether rows are locked as they are read.
type rowLock bool

const (
	plain rowLock = false
	held  rowLock = true
)

func (s *session) readKeys(ctx context.Context, t Table, keys []int64, lock rowLock, found map[int64]Row) error {
	hint, tail := "", ""
	if lock == held {
		hint, tail = s.d.hint, s.d.rowLock
	}
	key := s.quote(t.Key)
	query := fmt.Sprintf("select %s from %s%s where %s in (%s) order by %s%s",
		t.selection(s.d, ""), s.quote(t.Schema, t.Name), hint, key, marks(len(keys), "?"), key, tail)
	return s.rows(ctx, t, query, anys(keys), func(r Row) error {
		k, err := t.key(r)
		if err != nil {
			return err
		}
		if _, twice := found[k]; twice {
			return fmt.Errorf("table %s has two rows with %s %d", t.Name, t.Key, k)
		}
		found[k] = r
		return nil
	})
}

// rows runs a query that selects all columns of t and calls each for every
// row.
func (s *session) rows(ctx context.Context, t Table, query string, args []any, each func(Row) error) error {
	rows, err := s.query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		row, to := t.targets()
		if err := rows.Scan(to...); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
