package mysql

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// partBytes is how much of a table goes into one part. It is less than on
// PostgreSQL: Harbor's databases of the MySQL era are small, and all workers
// have to be busy with the one large table that they have.
const partBytes = 16 << 20

// maxParts bounds the parts of one table, whatever the server's estimates.
const maxParts = 4096

// extent is what the server estimates of a table.
type extent struct{ rows, bytes int64 }

const readExtents = `SELECT table_name, COALESCE(table_rows, 0), COALESCE(data_length, 0)
FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`

func readTableExtents(ctx context.Context, s *session) (map[string]extent, error) {
	list, err := s.texts(ctx, readExtents)
	if err != nil {
		return nil, fmt.Errorf("read sizes of tables: %w", err)
	}
	extents := map[string]extent{}
	for _, line := range list {
		rows, err := strconv.ParseInt(line[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read sizes of tables: %w", err)
		}
		bytes, err := strconv.ParseInt(line[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read sizes of tables: %w", err)
		}
		extents[line[0]] = extent{rows, bytes}
	}
	return extents, nil
}

// plan cuts the tables of the model into parts, largest first.
func (s *Source) plan(ctx context.Context, skip map[string]bool) error {
	extents, err := readTableExtents(ctx, s.hold.leader)
	if err != nil {
		return err
	}
	for i := range s.model.Tables {
		t := &s.model.Tables[i]
		table := snapshots.Table{Name: t.Name, Columns: []string{}, Parts: []snapshots.Part{}, Skipped: skip[t.Name],
			Fingerprint: snapshots.Fingerprint{}.String()}
		for _, c := range t.Copied() {
			table.Columns = append(table.Columns, c.Name)
		}
		s.about.Tables = append(s.about.Tables, table)
		if table.Skipped {
			s.about.LeftOut = append(s.about.LeftOut, "rows of table "+t.Name)
			continue
		}
		pieces, err := cut(ctx, s.hold.leader, t, extents[t.Name])
		if err != nil {
			return fmt.Errorf("plan table %s: %w", t.Name, err)
		}
		for _, p := range pieces {
			p.Table = i
			s.parts = append(s.parts, p)
		}
	}
	slices.SortStableFunc(s.parts, func(a, b source.Part) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return nil
}

// cut returns the parts of one table: ranges of the first column of its
// primary key where that is an integer and the table is large, else the whole.
func cut(ctx context.Context, s *session, t *mymodel.Table, e extent) ([]source.Part, error) {
	query := "SELECT " + selectList(t.Copied()) + " FROM " + mymodel.QuoteIdent(t.Name)
	key := integerKey(t)
	if e.bytes <= partBytes || key == "" {
		return []source.Part{{Bytes: e.bytes, Query: query}}, nil
	}
	c := &cutter{ctx: ctx, s: s, table: mymodel.QuoteIdent(t.Name), key: mymodel.QuoteIdent(key)}
	list, err := s.texts(ctx, fmt.Sprintf("SELECT MIN(%s), MAX(%[1]s) FROM %s", c.key, c.table))
	if err != nil {
		return nil, err
	}
	low, ok := new(big.Int).SetString(list[0][0], 10)
	high, ok2 := new(big.Int).SetString(list[0][1], 10)
	if !ok || !ok2 {
		return []source.Part{{Bytes: e.bytes, Query: query}}, nil
	}
	c.rowsInPart = max(e.rows/(e.bytes/partBytes+1), 1)
	if err := c.split(low, high, maxParts); err != nil {
		return nil, err
	}
	return c.parts(query, e), nil
}

// integerKey is the first column of the primary key, if its values are
// integers.
func integerKey(t *mymodel.Table) string {
	if len(t.PrimaryKey) == 0 {
		return ""
	}
	for _, c := range t.Columns {
		name, _, _ := strings.Cut(strings.ReplaceAll(c.Type, "(", " "), " ")
		if c.Name == t.PrimaryKey[0] && slices.Contains([]string{"tinyint", "smallint", "mediumint", "int", "bigint"}, name) {
			return c.Name
		}
	}
	return ""
}

// cutter halves the range of a key until the server expects few enough rows
// in each piece: the ids of a Harbor have gaps, and one far outlier would
// spoil pieces of equal width. The numbers are big ones because a BIGINT
// UNSIGNED does not fit an int64 and its range no uint64 either.
type cutter struct {
	ctx        context.Context
	s          *session
	table, key string
	rowsInPart int64
	pieces     []piece
}

type piece struct {
	last *big.Int // the highest key of the piece
	rows int64
}

func (c *cutter) split(low, high *big.Int, most int) error {
	rows, err := c.estimate(low, high)
	if err != nil {
		return err
	}
	if rows <= c.rowsInPart || low.Cmp(high) >= 0 || most <= 1 {
		if n := len(c.pieces); n > 0 && c.pieces[n-1].rows+rows <= c.rowsInPart {
			c.pieces[n-1] = piece{high, c.pieces[n-1].rows + rows} // two small neighbours are one
			return nil
		}
		c.pieces = append(c.pieces, piece{high, rows})
		return nil
	}
	middle := new(big.Int).Add(low, high)
	middle.Rsh(middle, 1)
	if err := c.split(low, middle, most/2); err != nil {
		return err
	}
	return c.split(new(big.Int).Add(middle, big.NewInt(1)), high, most-most/2)
}

// estimate asks the optimizer, which looks at the two ends of the range in
// the index.
func (c *cutter) estimate(low, high *big.Int) (int64, error) {
	rows, err := c.s.QueryContext(c.ctx, fmt.Sprintf("EXPLAIN SELECT 1 FROM %s FORCE INDEX (PRIMARY) WHERE %s >= %s AND %[2]s <= %[4]s",
		c.table, c.key, low, high))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	var estimated int64
	into := make([]any, len(columns))
	for i, name := range columns {
		into[i] = new(any)
		if name == "rows" {
			into[i] = &nullable{&estimated}
		}
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return 0, err
		}
	}
	return estimated, rows.Err()
}

// nullable scans a number, and leaves it alone where it is NULL: a range in
// which there is nothing.
type nullable struct{ n *int64 }

// Scan takes what the driver makes of a number.
func (v *nullable) Scan(value any) error {
	if value == nil {
		return nil
	}
	text := fmt.Sprint(value)
	if b, ok := value.([]byte); ok {
		text = string(b)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*v.n = n
	return err
}

// parts makes queries of the pieces. The outer ones are open, so that they
// cover the table whatever the ends were.
func (c *cutter) parts(query string, e extent) []source.Part {
	var list []source.Part
	for i, p := range c.pieces {
		var where []string
		if i > 0 {
			where = append(where, c.key+" > "+c.pieces[i-1].last.String())
		}
		if i+1 < len(c.pieces) {
			where = append(where, c.key+" <= "+p.last.String())
		}
		q := query
		if len(where) > 0 {
			q += " FORCE INDEX (PRIMARY) WHERE " + strings.Join(where, " AND ")
		}
		list = append(list, source.Part{Bytes: int64(float64(e.bytes) * float64(p.rows) / float64(max(e.rows, p.rows, 1))), Query: q})
	}
	return list
}
