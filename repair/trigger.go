package repair

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// heldOff is a trigger that is switched off within a transaction. On is how it
// is switched on again: as it was before.
type heldOff struct{ table, trigger, on string }

// set switches the trigger to a state.
func (h heldOff) set(ctx context.Context, s *session, state string) error {
	return s.exec(ctx, fmt.Sprintf("alter table %s %s trigger %s", h.table, state, h.trigger))
}

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
		list, err := s.triggersOf(ctx, t.table)
		if err != nil {
			return nil, fmt.Errorf("triggers of %s: %w", t.table.Name, err)
		}
		for _, h := range list {
			if err := h.set(ctx, s, "disable"); err != nil {
				return nil, fmt.Errorf("hold off trigger %s of %s: %w", h.trigger, t.table.Name, err)
			}
			off = append(off, h)
		}
	}
	return off, nil
}

func (s *session) triggersOf(ctx context.Context, t Table) ([]heldOff, error) {
	rows, err := s.query(ctx, s.d.triggers, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []heldOff
	for rows.Next() {
		h := heldOff{table: s.quote(t.Schema, t.Name)}
		if err := rows.Scan(&h.trigger, &h.on); err != nil {
			return nil, err
		}
		h.trigger = s.quote(h.trigger)
		list = append(list, h)
	}
	return list, rows.Err()
}

// holdOn switches the triggers on again, in the same transaction.
func (s *session) holdOn(ctx context.Context, off []heldOff) error {
	for _, h := range off {
		if err := h.set(ctx, s, h.on); err != nil {
			return fmt.Errorf("switch trigger %s on again: %w", h.trigger, err)
		}
	}
	return nil
}
