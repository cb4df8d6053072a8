package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// loader fills one new database from a snapshot: tables, rows, indexes, foreign
// keys and everything after them. Nobody else uses the database meanwhile.
type loader struct {
	db       *database.DB
	name     string // of the database that is filled
	snapshot *snapshots.Snapshot
	content  *snapshots.Database
	encoding string // of the rows
	script   pgmodel.Script
	tables   []*tableLoad
	readBack bool // read the loaded rows back and compare them
	report   progress.Reporter

	mu    sync.Mutex // guards what follows
	notes []pgmodel.Note
	links []*link
}

// tableLoad is the state of one table while it is loaded.
type tableLoad struct {
	*snapshots.Table
	floats   []floatColumn // columns to compare by value: the target prints them in another way
	left     atomic.Int32  // parts that have not landed yet
	indexes  []pgmodel.IndexStep
	building atomic.Int32 // indexes that are not built yet
	turn     turn         // of what locks the table when its indexes are built
	weight   int64        // how early its rows are loaded
	// condition is what tells the user's rows in an extension's table from
	// those that the extension brings.
	condition string

	unpacked, given, back sum // of the snapshot, to the server, from the server
}

// loadWorker is one connection with what it needs to unpack parts.
type loadWorker struct {
	conn  *pgx.Conn
	parts *snapshots.PartReader
}

func (l *loader) openWorker(ctx context.Context) (*loadWorker, error) {
	conn, err := connect(ctx, l.db, l.name)
	if err != nil {
		return nil, err
	}
	// The database is thrown away if anything fails, so a commit need not
	// wait for the disk. Nobody but our own workers holds a lock in it, and
	// to validate two foreign keys of one large table takes one after the
	// other, however long: here a wait has its end without a bound.
	err = exec(ctx, conn.PgConn(), "SET synchronous_commit = off; SET maintenance_work_mem = '128MB'; SET lock_timeout = 0")
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("set up session on database %s: %w", l.name, err)
	}
	parts, err := l.snapshot.Parts()
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return &loadWorker{conn: conn, parts: parts}, nil
}

func (w *loadWorker) close() {
	w.parts.Close()
	w.conn.Close(context.Background())
}

// run does all of it. Jobs is the number of connections.
func (l *loader) run(ctx context.Context, jobs int) error {
	leader, err := l.openWorker(ctx)
	if err != nil {
		return err
	}
	defer leader.close()
	if err := l.runInOne(ctx, leader.conn, "create tables", l.script.Pre); err != nil {
		return err
	}
	workers := []*loadWorker{leader}
	for len(workers) < jobs {
		w, err := l.openWorker(ctx)
		if err != nil {
			return err
		}
		defer w.close()
		workers = append(workers, w)
	}
	if err := l.loadTables(ctx, workers); err != nil {
		return err
	}
	if err := l.setSequences(ctx, leader.conn); err != nil {
		return err
	}
	return l.finish(ctx, leader.conn)
}

// piece is a part on its way into its table.
type piece struct {
	table *tableLoad
	part  snapshots.Part
}

// pieces returns all parts in the order in which they are loaded, and their
// size: the largest table comes first, because what follows its rows takes
// longest, and then the tables that it refers to, without which its foreign
// keys cannot be looked at. What is left is done beside that.
func (l *loader) pieces() (pieces []piece, bytes int64) {
	for _, t := range l.tables {
		t.left.Store(int32(len(t.Parts)))
		for _, p := range t.Parts {
			pieces = append(pieces, piece{t, p})
			bytes += p.Bytes
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(b.table.weight, a.table.weight), cmp.Compare(b.table.Bytes, a.table.Bytes), cmp.Compare(b.part.Bytes, a.part.Bytes))
	})
	return pieces, bytes
}

// loadTables loads every part and does all that needs the rows of a table:
// one queue for everything, so that all workers have work until the end.
func (l *loader) loadTables(ctx context.Context, workers []*loadWorker) error {
	pieces, bytes := l.pieces()
	l.report.Begin("load", bytes, progress.Bytes)
	s := newSchedule()
	for _, p := range pieces {
		s.queue = append(s.queue, func(ctx context.Context, w *loadWorker, _ bool) error {
			if err := l.loadPart(ctx, w, p.table, p.part); err != nil {
				return err
			}
			l.report.Add(p.part.Bytes)
			if p.table.left.Add(-1) == 0 {
				l.afterRows(s, p.table)
			}
			return nil
		})
	}
	for _, t := range l.tables {
		if len(t.Parts) == 0 {
			s.queue = append(s.queue, func(context.Context, *loadWorker, bool) error {
				l.afterRows(s, t)
				return nil
			})
		}
	}
	if err := s.run(ctx, workers); err != nil {
		return err
	}
	for _, t := range l.tables {
		if err := t.compare(l.readBack); err != nil {
			return err
		}
	}
	return nil
}

// afterRows adds the building of a table's indexes, now that its last part has
// landed; without any it is complete.
func (l *loader) afterRows(s *schedule, t *tableLoad) {
	t.building.Store(int32(len(t.indexes)))
	if len(t.indexes) == 0 {
		l.complete(s, t)
	}
	for _, ix := range t.indexes {
		s.add(func(ctx context.Context, w *loadWorker, alone bool) error {
			if err := l.buildIndex(ctx, w, ix, alone); err != nil {
				return err
			}
			if t.building.Add(-1) > 0 {
				return nil
			}
			if err := l.attachIndexes(ctx, w.conn, t); err != nil {
				return err
			}
			l.complete(s, t)
			return nil
		})
	}
}

func (l *loader) loadPart(ctx context.Context, w *loadWorker, t *tableLoad, part snapshots.Part) error {
	if err := w.parts.Open(ctx, part); err != nil {
		return err
	}
	rows, err := w.conn.PgConn().CopyFrom(ctx, newTallied(w.parts, t), l.copyInto(t))
	if err == nil && rows.RowsAffected() != part.Rows {
		err = fmt.Errorf("the server took %d rows, not %d", rows.RowsAffected(), part.Rows)
	}
	if sqlState(err) != "" {
		// The server complains of what it was given: is that what was written?
		if _, bad := io.Copy(io.Discard, w.parts); errors.Is(bad, snapshots.ErrCorrupt) {
			err = bad
		}
	}
	if err != nil {
		return fmt.Errorf("load %s into table %s: %w", part.Object, t.FullName(), err)
	}
	return nil
}

func (l *loader) copyInto(t *tableLoad) string {
	sql := "COPY " + quote(t.Schema, t.Name)
	if len(t.Columns) > 0 {
		sql += " (" + columnList(t.Columns) + ")"
	}
	return sql + " FROM STDIN" + encodingOption(l.encoding)
}

// encodingOption has a COPY pass values in the encoding of the database, as
// they are, where the session itself speaks UTF-8.
func encodingOption(encoding string) string {
	if encoding == "UTF8" {
		return ""
	}
	return " WITH (ENCODING '" + strings.ReplaceAll(encoding, "'", "''") + "')"
}

// buildIndex lets the server use several processes only where workers would
// stand idle otherwise.
func (l *loader) buildIndex(ctx context.Context, w *loadWorker, ix pgmodel.IndexStep, alone bool) error {
	if l.db.Server().Number >= 110000 {
		processes := "0"
		if alone {
			processes = "2"
		}
		if err := exec(ctx, w.conn.PgConn(), "SET max_parallel_maintenance_workers = "+processes); err != nil {
			return fmt.Errorf("set up session: %w", err)
		}
	}
	return l.execute(ctx, w.conn, ix.Create)
}

// attachIndexes makes constraints of the indexes. It takes no time, but locks
// the table for a moment: among the builds it would wait for each of them.
func (l *loader) attachIndexes(ctx context.Context, conn *pgx.Conn, t *tableLoad) error {
	for _, ix := range t.indexes {
		for _, s := range ix.Then {
			if err := l.execute(ctx, conn, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) setSequences(ctx context.Context, conn *pgx.Conn) error {
	for _, q := range l.content.Sequences {
		name := quote(q.Schema, q.Name)
		_, err := conn.Exec(ctx, "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, $3)", name, q.Last, q.IsCalled)
		if err != nil {
			return fmt.Errorf("set sequence %s: %w", name, err)
		}
	}
	return nil
}

// finish runs the phases that follow rows and constraints.
func (l *loader) finish(ctx context.Context, conn *pgx.Conn) error {
	comments, _ := l.comments()
	for _, phase := range []struct {
		name       string
		statements []pgmodel.Statement
	}{
		{"create views", l.script.Post}, {"create triggers", l.script.Triggers}, {"comment", comments},
		{"set owners and privileges", l.script.Access}, {"set default privileges", l.script.DefaultPrivileges},
	} {
		if err := l.runInOne(ctx, conn, phase.name, phase.statements); err != nil {
			return err
		}
	}
	return nil
}

// comments parts the comment on the database itself from the others: until
// the swap, that comment is our mark.
func (l *loader) comments() (objects, database []pgmodel.Statement) {
	for _, s := range l.script.Comments {
		if s.Object.Kind == pgmodel.KindDatabase {
			database = append(database, s)
		} else {
			objects = append(objects, s)
		}
	}
	return objects, database
}

// runInOne runs statements in one transaction.
func (l *loader) runInOne(ctx context.Context, conn *pgx.Conn, what string, statements []pgmodel.Statement) error {
	if len(statements) == 0 {
		return nil
	}
	l.report.Begin(what, int64(len(statements)), progress.Objects)
	return pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
		for _, s := range statements {
			if err := l.execute(ctx, conn, s); err != nil {
				return err
			}
			l.report.Add(1)
		}
		return nil
	})
}

// execute runs one statement in the extended protocol, in which a server
// refuses a second one. An optional statement that is refused becomes a note.
func (l *loader) execute(ctx context.Context, conn *pgx.Conn, s pgmodel.Statement) error {
	if !s.Optional {
		return one(ctx, conn.PgConn(), s)
	}
	inTransaction := conn.PgConn().TxStatus() == 'T'
	if inTransaction {
		if err := exec(ctx, conn.PgConn(), "SAVEPOINT optional"); err != nil {
			return err
		}
	}
	err := one(ctx, conn.PgConn(), s)
	if err != nil && sqlState(err) == "" {
		return err
	}
	if err != nil {
		l.note(pgmodel.Note{Object: s.Object, Text: "the server refused it: " + err.Error()})
		if inTransaction {
			return exec(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT optional")
		}
		return nil
	}
	if inTransaction {
		return exec(ctx, conn.PgConn(), "RELEASE SAVEPOINT optional")
	}
	return nil
}

func (l *loader) note(n pgmodel.Note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, n)
}

func one(ctx context.Context, conn *pgconn.PgConn, s pgmodel.Statement) error {
	if _, err := conn.ExecParams(ctx, s.SQL, nil, nil, nil, nil).Close(); err != nil {
		return fmt.Errorf("create %s %s: %w", s.Object.Kind, s.Object.Name, err)
	}
	return nil
}
