package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// A database has no comment in MySQL, so what a restore has made of one
// stands in a table in it: how far it is, of which snapshot, and, while it is
// swapped in, what is moved where. Whoever works on it holds a user lock,
// which ends with its session: a mark without a lock is a killed restore.
// The table is the last thing that is left of a database that was swapped in.
const markTable = "harbordb_restore"

// mark is the content of that table.
type mark struct {
	State    markState    `json:"state"`
	Snapshot snapshots.ID `json:"snapshot,omitempty"`
	Swap     *journal     `json:"swap,omitempty"`
}

type markState string

// States of a database that is not live yet.
const (
	stateLoading  markState = "loading"
	stateLoaded   markState = "loaded" // and compared
	stateSwapping markState = "swapping"
)

func markIn(name string) string { return mymodel.QuoteIdent(name, markTable) }

// writeMark makes the table where it is missing. The statement that writes it
// is durable when it returns, as far as the server is configured for that.
func writeMark(ctx context.Context, q database.Querier, name string, m mark) error {
	err := makeMark(ctx, q, name)
	if err == nil {
		err = setMark(ctx, q, name, m)
	}
	return err
}

func makeMark(ctx context.Context, q database.Querier, name string) error {
	_, err := q.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+markIn(name)+
		" (id int NOT NULL PRIMARY KEY, mark longtext NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
	if err != nil {
		return fmt.Errorf("mark database %s: %w", name, err)
	}
	return nil
}

func setMark(ctx context.Context, q database.Querier, name string, m mark) error {
	data, err := json.Marshal(m)
	if err == nil {
		_, err = q.ExecContext(ctx, "REPLACE INTO "+markIn(name)+" (id, mark) VALUES (1, ?)", string(data))
	}
	if err != nil {
		return fmt.Errorf("mark database %s: %w", name, err)
	}
	return nil
}

// writeMarks marks databases in one transaction: all of them say the same, or
// what they said before.
func (s *session) writeMarks(ctx context.Context, names []string, m mark) error {
	for _, name := range names {
		if err := makeMark(ctx, s, name); err != nil {
			return err
		}
	}
	tx, err := s.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("mark databases: %w", err)
	}
	defer tx.Rollback()
	for _, name := range names {
		if err := setMark(ctx, tx, name, m); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("mark databases: %w", err)
	}
	return nil
}

// readMark returns nil where there is no mark.
func readMark(ctx context.Context, q database.Querier, name string) (*mark, error) {
	list, err := texts(ctx, q, "SELECT mark FROM "+markIn(name)+" WHERE id = 1")
	if n := number(err); n == errNoSuchTable || n == errUnknownDatabase {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the mark of database %s: %w", name, err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	var m mark
	if err := json.Unmarshal([]byte(list[0][0]), &m); err != nil {
		return nil, fmt.Errorf("read the mark of database %s: %w", name, err)
	}
	return &m, nil
}

func dropMark(ctx context.Context, q database.Querier, name string) error {
	if _, err := q.ExecContext(ctx, "DROP TABLE IF EXISTS "+markIn(name)); err != nil {
		return fmt.Errorf("unmark database %s: %w", name, err)
	}
	return nil
}

// takeLock says that this session is at work on a database.
func (s *session) takeLock(ctx context.Context, name string) error {
	list, err := s.texts(ctx, "SELECT GET_LOCK(?, 0)", lockName(name))
	if err == nil && list[0][0] != "1" {
		err = errors.New("another harbordb is at work on it")
	}
	if err != nil {
		return fmt.Errorf("lock database %s: %w", name, err)
	}
	return nil
}

func locked(ctx context.Context, q database.Querier, name string) (bool, error) {
	list, err := texts(ctx, q, "SELECT IS_FREE_LOCK(?)", lockName(name))
	if err != nil {
		return false, fmt.Errorf("look at the lock of database %s: %w", name, err)
	}
	return list[0][0] != "1", nil
}
