package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// sizeOf is the size of database d, 0 where we may not know it or where it is
// being dropped right now.
const sizeOf = `COALESCE(CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END, 0)`

// isLocked tells whether a session holds our lock in database d.
const isLocked = `EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.database = d.oid AND l.granted
	AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 1)`

// Beside lists the databases beside name, and those that the same restores
// have made beside others, oldest first.
func (s *Server) Beside(ctx context.Context, name string) ([]target.Beside, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT d.datname, COALESCE(pg_catalog.shobj_description(d.oid, 'pg_database'), ''),
		CASE WHEN d.datname ~ '[0-9]{8}t[0-9]{6}z$' THEN `+sizeOf+` ELSE 0 END, `+isLocked+` FROM pg_catalog.pg_database d`, int64(loadLock>>32), int64(loadLock&0xffffffff))
	if err != nil {
		return nil, fmt.Errorf("list databases beside %s: %w", name, err)
	}
	defer rows.Close()
	type found struct {
		target.Beside
		comment string
		locked  bool
	}
	var candidates []found
	names := []string{name}
	for rows.Next() {
		var f found
		if err := rows.Scan(&f.Name, &f.comment, &f.Bytes, &f.locked); err != nil {
			return nil, fmt.Errorf("list databases beside %s: %w", name, err)
		}
		if target.IsBeside(f.Name) {
			candidates = append(candidates, f)
		} else {
			names = append(names, f.Name)
		}
	}
	var all []target.Beside
	for _, f := range candidates {
		of, mark, at, ok := naming.LiveOf(f.Name, names)
		if !ok {
			continue
		}
		f.Of, f.Time = of, at
		if f.Kind = kindOf(&f.Beside, mark, f.comment, f.locked); f.Kind != "" {
			all = append(all, f.Beside)
		}
	}
	return target.Concerning(all, name), rows.Err()
}

// kindOf decides by name and comment both. A database with a loading name but
// without our mark was killed between its creation and its comment, or is
// somebody else's: it is not ours to drop.
func kindOf(b *target.Beside, mark, comment string, locked bool) target.BesideKind {
	if mark == target.AsideMark {
		return target.SetAside
	}
	id, loaded, ok := parseMark(comment)
	b.Snapshot = id
	switch {
	case locked:
		return target.Loading
	case !ok:
		return ""
	case loaded:
		return target.Loaded
	}
	return target.Dead
}

// Sweep drops what killed restores and drills left beside name and returns it.
func (s *Server) Sweep(ctx context.Context, name string) ([]target.Beside, error) {
	list, err := s.Beside(ctx, name)
	if err != nil {
		return nil, err
	}
	var swept []target.Beside
	for _, b := range list {
		if b.Kind != target.Dead {
			continue
		}
		if err := s.drop(ctx, b.Name); err != nil {
			return swept, err
		}
		swept = append(swept, b)
	}
	return swept, nil
}

// isLeft tells whether a database was being loaded by a restore that is gone.
func (s *Server) isLeft(ctx context.Context, name string) (bool, error) {
	var comment string
	var locked bool
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE(pg_catalog.shobj_description(d.oid, 'pg_database'), ''), `+isLocked+`
		FROM pg_catalog.pg_database d WHERE d.datname = $3`, int64(loadLock>>32), int64(loadLock&0xffffffff), name).Scan(&comment, &locked)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at database %s: %w", name, err)
	}
	_, loaded, ok := parseMark(comment)
	return ok && !loaded && !locked, nil
}

// dropAttempts is how often a drop is tried over new connections: what cut the
// load has often cut the idle connections of the pool, too.
const dropAttempts = 5

// drop drops a database of ours. A killed restore's server process may still
// be building an index in it: it is ended.
func (s *Server) drop(ctx context.Context, name string) error {
	var err error
	for range dropAttempts {
		if err = terminate(ctx, s.db, name); err == nil {
			err = s.exec(ctx, "DROP DATABASE IF EXISTS "+quote(name))
		}
		if err == nil || sqlState(err) != "" || ctx.Err() != nil {
			break // done, or the server has answered
		}
	}
	if err != nil {
		return fault.Hint(fmt.Errorf("drop database %s: %w", name, err), "drop it by hand: DROP DATABASE %s", quote(name))
	}
	return nil
}

// terminate ends the sessions on databases, one by one: one that we may not
// end keeps no other alive. Processes of the server itself have no role, and
// end for a rename or a drop by themselves.
func terminate(ctx context.Context, q database.Querier, databases ...string) error {
	rows, err := q.QueryContext(ctx, `SELECT pid FROM pg_catalog.pg_stat_activity
		WHERE datname = ANY($1) AND usesysid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()`, databases)
	if err != nil {
		return err
	}
	defer rows.Close()
	var pids []int64
	for rows.Next() {
		var pid int64
		if err := rows.Scan(&pid); err != nil {
			return err
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		// What is refused here is in use later, and named there.
		_, _ = q.ExecContext(ctx, "SELECT pg_catalog.pg_terminate_backend($1::int)", pid)
	}
	return rows.Err()
}

// Discard drops a database that Beside found.
func (s *Server) Discard(ctx context.Context, b target.Beside) error {
	sessions, err := s.sessions(ctx, b.Name)
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		return fault.Refusedf("database %s is in use: %s", b.Name, sessions[0])
	}
	return s.drop(ctx, b.Name)
}
