package snapshots

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

// PrunePlan is what a prune will remove and what it keeps.
type PrunePlan struct {
	Groups []Group
	// Leftovers are what killed backups left; all of it goes.
	Leftovers []Entry
	// Corrupt have no manifest that could be read; they stay.
	Corrupt []Entry
	policy  Policy
	now     time.Time
}

// Removes returns what the plan removes, the oldest first.
func (p PrunePlan) Removes() []Entry {
	var gone []Entry
	for _, g := range p.Groups {
		for _, d := range g.Decisions {
			if !d.Keep() {
				gone = append(gone, d.Entry)
			}
		}
	}
	gone = append(gone, p.Leftovers...)
	slices.SortFunc(gone, func(a, b Entry) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return gone
}

// PlanPrune decides what of a store is removed; it changes nothing. Sizes are
// compared with the manifests first, so that a snapshot that has lost a file
// is not taken for the last good one. The policy must not be empty.
func PlanPrune(ctx context.Context, store blobstore.Reader, policy Policy, now time.Time) (PrunePlan, error) {
	if policy.Empty() {
		return PrunePlan{}, fault.Usagef("no rule says what to keep")
	}
	if err := policy.Check(); err != nil {
		return PrunePlan{}, fault.Usagef("%w", err)
	}
	entries, err := List(ctx, store, now)
	if err != nil {
		return PrunePlan{}, err
	}
	plan := PrunePlan{policy: policy, now: now}
	for i := range entries {
		e := &entries[i]
		if e.Good() {
			if err := e.checkSizes(ctx, store); err != nil {
				return PrunePlan{}, err
			}
		}
		if e.Manifest == nil && !e.Unfinished {
			plan.Corrupt = append(plan.Corrupt, *e)
		}
	}
	plan.Groups = ApplyPolicy(entries, policy, now)
	plan.Leftovers, err = leftovers(ctx, store, entries, now)
	return plan, err
}

// checkSizes enters what CheckSizes says as the entry's problem.
func (e *Entry) checkSizes(ctx context.Context, store blobstore.Reader) error {
	s := Snapshot{Manifest: e.Manifest, store: store}
	err := s.CheckSizes(ctx)
	if errors.Is(err, ErrCorrupt) {
		e.Problem = err.Error()
		return nil
	}
	return err
}

// Prune removes exactly what the plan says. It plans again first: where the
// store has changed so that something of the plan would now be kept, it
// refuses and changes nothing. A crash on the way leaves whole snapshots, and
// at most one folder that the next prune sweeps.
func Prune(ctx context.Context, store blobstore.Store, plan PrunePlan, report progress.Reporter) error {
	again, err := PlanPrune(ctx, store, plan.policy, plan.now)
	if err != nil {
		return err
	}
	removes := plan.Removes()
	still := map[ID]bool{}
	for _, e := range again.Removes() {
		still[e.ID] = true
	}
	for _, e := range removes {
		if !still[e.ID] {
			return fault.Refusedf("prune snapshot %s: the store has changed since the plan was made", e.ID).WithHint("nothing was removed; make a new plan")
		}
	}
	report.Begin("prune", int64(len(removes)), progress.Objects)
	for _, e := range removes {
		if err := Remove(ctx, store, e.ID); err != nil {
			return err
		}
		report.Add(1)
	}
	return nil
}
