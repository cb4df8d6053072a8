package snapshots

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/harbordb/harbordb/blobstore"
)

// A lease says that someone is still writing a snapshot. It is an object
// beside the snapshots, renewed every minute and dead after fifteen, so that
// the next run can tell a killed backup from one that is under way on another
// machine. The fifteen minutes leave room for clocks that do not agree. It
// names its process, too: who can see that it has ended need not wait.
const (
	leasePrefix = "leases/"
	leaseRenew  = time.Minute
	leaseDead   = 15 * time.Minute
)

// Clock is where a lease gets its ticks from; nil ticks by the machine's.
type Clock func(d time.Duration) (tick <-chan time.Time, stop func())

func machineClock(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// leaseText is what is written in a lease. Whatever else is, names nobody.
type leaseText struct {
	ID     ID      `json:"id"`
	Holder process `json:"holder"`
}

// Lease is a lease that is being renewed.
type Lease struct {
	store  blobstore.Store
	id     ID
	text   []byte
	cancel context.CancelFunc
	done   sync.WaitGroup
	lost   atomic.Bool // somebody has removed it
}

// HoldLease writes the lease of id and renews it until Release. A renewal
// that fails is tried again a minute later; fourteen may fail.
func HoldLease(ctx context.Context, store blobstore.Store, id ID, clock Clock) (*Lease, error) {
	text, err := encode(leaseText{ID: id, Holder: thisProcess()})
	if err == nil {
		err = writeObject(ctx, store, leasePrefix+string(id), text)
	}
	if err != nil {
		return nil, fmt.Errorf("hold lease of snapshot %s: %w", id, err)
	}
	if clock == nil {
		clock = machineClock
	}
	renewing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Lease{store: store, id: id, text: text, cancel: cancel}
	tick, stop := clock(leaseRenew)
	l.done.Add(1)
	go func() {
		defer l.done.Done()
		defer stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-tick:
				if l.renew(renewing); l.lost.Load() {
					return
				}
			}
		}
	}()
	return l, nil
}

// renew does not bring a lease back that somebody has removed: he has taken
// the writer for dead, and swept what it had written.
func (l *Lease) renew(ctx context.Context) {
	key := leasePrefix + string(l.id)
	if _, err := l.store.Head(ctx, key); errors.Is(err, blobstore.ErrNotFound) {
		l.lost.Store(true)
		return
	}
	_ = writeObject(ctx, l.store, key, l.text) // tried again a minute later
}

// Release stops renewing and removes the lease.
func (l *Lease) Release(ctx context.Context) error {
	l.cancel()
	l.done.Wait()
	return endLease(ctx, l.store, l.id)
}

// stillHeld fails where somebody took the writer for dead and swept what it
// had written: a writer that was asleep for longer than its lease lives must
// not make a snapshot of what is left.
func (l *Lease) stillHeld(ctx context.Context) error {
	_, err := l.store.Head(ctx, leasePrefix+string(l.id))
	if l.lost.Load() || errors.Is(err, blobstore.ErrNotFound) {
		return fmt.Errorf("snapshot %s: its lease is gone: this process made no progress for so long that another one swept what it had written", l.id)
	}
	if err != nil {
		return fmt.Errorf("look at lease of snapshot %s: %w", l.id, err)
	}
	return nil
}

func endLease(ctx context.Context, store blobstore.Store, id ID) error {
	if err := store.Delete(ctx, leasePrefix+string(id)); err != nil {
		return fmt.Errorf("end lease of snapshot %s: %w", id, err)
	}
	return nil
}

// leaseAlive tells whether the lease of id was renewed less than fifteen
// minutes before now, by a process that is not known to have ended. Without a
// lease there is nobody.
func leaseAlive(ctx context.Context, store blobstore.Reader, id ID, now time.Time) (bool, error) {
	lease, err := store.Head(ctx, leasePrefix+string(id))
	if errors.Is(err, blobstore.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at lease of snapshot %s: %w", id, err)
	}
	if now.Sub(lease.ModTime) >= leaseDead {
		return false, nil
	}
	text, err := readAll(ctx, store, lease.Key)
	if errors.Is(err, blobstore.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read lease of snapshot %s: %w", id, err)
	}
	var held leaseText
	if json.Unmarshal(text, &held) != nil {
		return true, nil // somebody's, by its age
	}
	return !held.Holder.ended(), nil
}

func writeObject(ctx context.Context, store blobstore.Store, key string, data []byte) error {
	w, err := store.Create(ctx, key, blobstore.Replace)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}
