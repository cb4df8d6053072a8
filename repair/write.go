package repair

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// finding is how a row stands against a change.
type finding string

const (
	asBefore  finding = "as before the repair"
	asAfter   finding = "as the repair made it"
	otherwise finding = "changed by somebody else"
	missing   finding = "gone"
)

// compare reads the rows of all changes of a table and says how each stands.
// The current rows come with it; nil for one that is gone.
func (s *session) compare(ctx context.Context, t tableChanges, lock rowLock) ([]finding, []Row, error) {
	keys := make([]int64, len(t.changes))
	for i, c := range t.changes {
		var err error
		if keys[i], err = t.table.key(c.before); err != nil {
			return nil, nil, err
		}
	}
	ordered := slices.Sorted(slices.Values(keys))
	current, err := s.byKey(ctx, t.table, ordered, lock)
	if err != nil {
		return nil, nil, err
	}
	findings := make([]finding, len(keys))
	rows := make([]Row, len(keys))
	for i, key := range keys {
		rows[i] = current[key]
		findings[i] = t.changes[i].find(rows[i])
	}
	return findings, rows, nil
}

// find says how a row stands; nil is no row.
func (c change) find(r Row) finding {
	switch {
	case slices.Equal(r, c.before):
		return asBefore
	case slices.Equal(r, c.after):
		return asAfter
	case r == nil:
		return missing
	}
	return otherwise
}

// write carries the changes of one table out. The rows are locked and as
// before.
func (s *session) write(ctx context.Context, t tableChanges) error {
	alike, single := t.groups()
	for _, g := range alike {
		for part := range slices.Chunk(g, batch) {
			if err := s.writeAlike(ctx, t.table, part); err != nil {
				return err
			}
		}
	}
	for part := range slices.Chunk(single, batch) {
		if err := s.writeRows(ctx, t.table, part); err != nil {
			return err
		}
	}
	return nil
}

// fewest is from how many rows on a statement of their own pays off for rows
// that all get the same values.
const fewest = 20

// groups sorts changes into those that set the same columns to the same
// values, and the rest.
func (t tableChanges) groups() (alike [][]change, single []change) {
	places := map[string]int{}
	var groups [][]change
	for _, c := range t.changes {
		var b strings.Builder
		for _, column := range t.table.changed(c) {
			fmt.Fprint(&b, column.Column, "\x00", column.To.set, column.To.text, "\x00") // no text has a NUL
		}
		at, ok := places[b.String()]
		if !ok {
			at = len(groups)
			places[b.String()] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], c)
	}
	for _, g := range groups {
		if len(g) >= fewest {
			alike = append(alike, g)
		} else {
			single = append(single, g...)
		}
	}
	return alike, single
}

// written lists the columns that any of the changes sets, and those that keep
// their value only where a statement names them.
func (t Table) written(changes []change) (set []Column, keep []string) {
	for i, c := range t.Columns {
		differs := slices.ContainsFunc(changes, func(x change) bool { return x.before[i] != x.after[i] })
		switch {
		case differs:
			set = append(set, c)
		case c.Auto:
			keep = append(keep, c.quoted)
		}
	}
	return set, keep
}

// writeAlike sets the same values in all rows.
func (s *session) writeAlike(ctx context.Context, t Table, changes []change) error {
	columns, keep := t.written(changes)
	var sets []string
	var args []any
	for _, c := range columns {
		sets = append(sets, c.quoted+" = "+s.d.cast("?", c))
		args = append(args, t.get(changes[0].after, c.Name))
	}
	for _, c := range keep {
		sets = append(sets, c+" = "+c)
	}
	for _, c := range changes {
		key, err := t.key(c.before)
		if err != nil {
			return err
		}
		args = append(args, key)
	}
	statement := fmt.Sprintf("update %s set %s where %s in (%s)",
		s.quote(t.Schema, t.Name), strings.Join(sets, ", "), s.quote(t.Key), marks(len(changes), "?"))
	return s.update(ctx, t, len(changes), statement, args)
}

// writeRows sets values row by row.
func (s *session) writeRows(ctx context.Context, t Table, changes []change) error {
	columns, keep := t.written(changes)
	var args []any
	for _, c := range changes {
		key, err := t.key(c.before)
		if err != nil {
			return err
		}
		args = append(args, key)
		for _, column := range columns {
			args = append(args, t.get(c.after, column.Name))
		}
	}
	statement := s.d.updateRows(s.quote(t.Schema, t.Name), s.quote(t.Key), columns, keep, len(changes))
	return s.update(ctx, t, len(changes), statement, args)
}

// update runs a statement that must find all n rows. (MySQL counts those that
// it changes, and that is each of them.)
func (s *session) update(ctx context.Context, t Table, n int, statement string, args []any) error {
	result, err := s.tx.ExecContext(ctx, s.d.bind(statement), args...)
	if err != nil {
		return fmt.Errorf("update %s: %w", t.Name, err)
	}
	found, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("update %s: %w", t.Name, err)
	}
	if found != int64(n) {
		return fault.Refusedf("nothing was changed: the server wrote %d rows of %s instead of %d", found, t.Name, n).
			WithHint("a trigger or a rule on the table keeps rows as they are; take it away for the time of the repair")
	}
	return nil
}
