package postgres

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/harbordb/harbordb/snapshots"
	"github.com/jackc/pgx/v5"
)

// sum adds up the tallies of the parts of a table, from several workers.
type sum struct {
	mu    sync.Mutex
	tally snapshots.Tally
}

func (s *sum) add(t snapshots.Tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally = s.tally.Add(t)
}

// compare proves that what was unpacked is what the manifest says, and that
// what the server has is what was unpacked.
func (t *tableLoad) compare(readBack bool) error {
	if t.Skipped {
		return nil
	}
	want, err := snapshots.ParseFingerprint(t.Fingerprint)
	if err != nil {
		return err
	}
	if got := t.unpacked.tally.Fingerprint; got != want {
		return fmt.Errorf("table %s: %w: its rows have the fingerprint %s, not %s", t.FullName(), snapshots.ErrCorrupt, got, want)
	}
	given, back := t.given.tally, t.back.tally
	if readBack && (given.Rows != back.Rows || given.Fingerprint != back.Fingerprint) {
		return fmt.Errorf("table %s: the server gives back %d rows with the fingerprint %s, but was given %d with %s",
			t.FullName(), back.Rows, back.Fingerprint, given.Rows, given.Fingerprint)
	}
	return nil
}

// tallied is a part on its way to the server.
type tallied struct {
	parts *snapshots.PartReader
	table *tableLoad
	value *valueTally // where the server will print floats in another way
}

func newTallied(parts *snapshots.PartReader, t *tableLoad) *tallied {
	if len(t.floats) == 0 {
		return &tallied{parts: parts, table: t}
	}
	return &tallied{parts: parts, table: t, value: &valueTally{columns: t.floats}}
}

// Read enters the tallies of the part when it is read to its end.
func (t *tallied) Read(p []byte) (int, error) {
	n, err := t.parts.Read(p)
	if t.value != nil {
		_, _ = t.value.Write(p[:n])
	}
	if err == io.EOF {
		if bad := t.enter(); bad != nil {
			return n, bad
		}
	}
	return n, err
}

func (t *tallied) enter() error {
	tally, err := t.parts.Tally()
	if err != nil {
		return err
	}
	t.table.unpacked.add(tally)
	if t.value != nil {
		if tally, err = t.value.Tally(); err != nil {
			return err
		}
	}
	t.table.given.add(tally)
	return nil
}

// planReadBack cuts a loaded table into parts and adds a task for each.
func (l *loader) planReadBack(ctx context.Context, w *loadWorker, s *schedule, t *tableLoad) error {
	queries, err := l.readQueries(ctx, w.conn, t)
	if err != nil {
		return fmt.Errorf("plan reading table %s back: %w", t.FullName(), err)
	}
	for _, query := range queries {
		s.add(func(ctx context.Context, w *loadWorker, _ bool) error {
			tally, err := readTally(ctx, w.conn, query, t.floats)
			if err != nil {
				return fmt.Errorf("read table %s back: %w", t.FullName(), err)
			}
			t.back.add(tally)
			return nil
		})
	}
	return nil
}

func (l *loader) readQueries(ctx context.Context, conn *pgx.Conn, t *tableLoad) ([]string, error) {
	from := quote(t.Schema, t.Name)
	n := (t.Bytes + partBytes - 1) / partBytes
	option := encodingOption(l.encoding)
	if t.condition != "" {
		return []string{copySelection(from, t.Columns, t.condition) + option}, nil
	}
	if n <= 1 || l.db.Server().Number < 140000 {
		return []string{copyWhole(from, t.Columns) + option}, nil
	}
	var pages int64
	row := conn.QueryRow(ctx, "SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::bigint", from)
	if err := row.Scan(&pages); err != nil {
		return nil, err
	}
	var queries []string
	for _, where := range pageRanges(pages, n) {
		queries = append(queries, copySelection(from, t.Columns, "WHERE "+where)+option)
	}
	return queries, nil
}

func readTally(ctx context.Context, conn *pgx.Conn, query string, floats []floatColumn) (snapshots.Tally, error) {
	lines := &valueTally{columns: floats}
	if _, err := conn.PgConn().CopyTo(ctx, lines, query); err != nil {
		return snapshots.Tally{}, err
	}
	return lines.Tally()
}
