package repair

import (
	"context"
	"fmt"
	"strconv"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// PlanReplication finds the replication rows that keep a policy, or with an
// empty name all policies, from being deleted, by the rule of the release
// whose tables are here, and plans to finish them as that release would have.
func PlanReplication(ctx context.Context, db *database.DB, name string, o Options) (*Plan, error) {
	return planOf(ctx, db, Replication, o, func(p *planner) error { return p.planReplication(ctx, name) })
}

func (p *planner) planReplication(ctx context.Context, name string) error {
	var err error
	switch {
	case p.tables.jobs != nil:
		err = p.planJobs(ctx, name)
	case p.tables.oldExecutions != nil:
		err = p.planOldExecutions(ctx, name)
	case p.tables.modern():
		err = p.planReplicationTasks(ctx, name)
	default:
		err = fault.Refusedf("this Harbor has no table of replication work").
			WithHint("replication came with Harbor 0.3; harbordb schema status says which release this is")
	}
	if err == nil {
		p.adviseReplication()
	}
	return err
}

// scopeOf finds the policy that is named and notes it as the plan's scope.
// The rows of a table tell whether a policy that is gone left any behind.
func (p *planner) scopeOf(ctx context.Context, name string, left func(id int64) (query string, args []any)) error {
	if name == "" {
		p.plan.Scope = "all policies"
		return nil
	}
	chosen, err := choose(name, p.policyList(), func(id int64) (bool, error) {
		query, args := left(id)
		var n int
		err := p.scan(ctx, "select count(*) from ("+query+" limit 1) as x", args, &n)
		return n > 0, err
	})
	if err != nil {
		return err
	}
	p.chosen, p.plan.Scope = &chosen, chosen.String()
	p.noteNamesake(name, chosen)
	return nil
}

// noteNamesake says so where another policy has the given number as its name.
func (p *planner) noteNamesake(name string, chosen policy) {
	for _, other := range p.policyList() {
		if other.name == name && other.id != chosen.id && name == strconv.FormatInt(chosen.id, 10) {
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
				"%s was taken as an id; the policy with that name has the id %d", name, other.id))
		}
	}
}
