package repair

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// heldOff is a trigger that is switched off within a transaction.
type heldOff struct{ table, trigger string }

// patience is how long one attempt waits for the lock that switching a trigger
// off takes. Whoever waits for such a lock stops all writers that come after
// it: a long wait would stop Harbor for as long.
const patience = 200 * time.Millisecond

// open begins the transaction of a change, with the triggers that overwrite
// times switched off. That comes before any row is locked, or it could wait
// for somebody who waits for these rows. It tries until the database's lock
// timeout is over, and leaves writers as much time as it takes.
func (c changeover) open(ctx context.Context) (*session, []heldOff, error) {
	whole := c.db.Settings().LockTimeout
	trying, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	for {
		s, off, err := c.attempt(ctx, min(whole, patience))
		if err == nil {
			return s, off, s.pin(ctx, whole)
		}
		if c.dialect().trouble(err) != locked {
			return nil, nil, err
		}
		select {
		case <-trying.Done():
			return nil, nil, errors.Join(err, ctx.Err())
		case <-time.After(patience):
		}
	}
}

func (c changeover) attempt(ctx context.Context, wait time.Duration) (*session, []heldOff, error) {
	s, err := begin(ctx, c.db, nil, wait)
	if err != nil {
		return nil, nil, err
	}
	off, err := s.holdOff(ctx, c.tables)
	if err != nil {
		s.close()
		return nil, nil, err
	}
	return s, off, nil
}

// holdOff switches off the triggers of the tables that overwrite a time at
// every UPDATE; each lets no other writer at its table until the transaction
// ends. Other triggers stay: they are somebody's own.
func (s *session) holdOff(ctx context.Context, tables []tableChanges) ([]heldOff, error) {
	if s.d.triggers == "" {
		return nil, nil
	}
	var off []heldOff
	for _, t := range tables {
		names, err := s.triggersOf(ctx, t.table)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			h := heldOff{table: s.quote(t.table.Schema, t.table.Name), trigger: s.quote(name)}
			if err := s.exec(ctx, fmt.Sprintf(s.d.holdOff, h.table, h.trigger)); err != nil {
				return nil, fmt.Errorf("hold off trigger %s of %s: %w", name, t.table.Name, err)
			}
			off = append(off, h)
		}
	}
	return off, nil
}

func (s *session) triggersOf(ctx context.Context, t Table) ([]string, error) {
	rows, err := s.query(ctx, s.d.triggers, t.Schema, t.Name)
	if err != nil {
		return nil, fmt.Errorf("triggers of %s: %w", t.Name, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("triggers of %s: %w", t.Name, err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// holdOn switches the triggers on again, in the same transaction.
func (s *session) holdOn(ctx context.Context, off []heldOff) error {
	for _, h := range off {
		if err := s.exec(ctx, fmt.Sprintf(s.d.holdOn, h.table, h.trigger)); err != nil {
			return fmt.Errorf("switch trigger %s on again: %w", h.trigger, err)
		}
	}
	return nil
}
