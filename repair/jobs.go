package repair

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// jobWords are the final words of replication_job. "canceled" is a fourth,
// which nobody asks for.
var jobWords = words{Finished: "finished", Stopped: "stopped", Failed: "error"}

// blockingJobs are the states of replication_job that keep a policy from being
// deleted. From 1.4 on only transfers and deletions count: rows of the
// operation "schedule" are the cron table of these releases, and "scheduled"
// blocks nothing. (Harbor 1.1 to 1.7, CountRepJobs of the policy manager.)
var (
	blockingJobs       = []string{"pending", "running", "retrying"}
	blockingOperations = []string{"transfer", "delete"}
)

// planJobs is the repair of releases up to 1.7: one row a job, in MySQL,
// MariaDB, or from 1.6 on PostgreSQL.
func (p *planner) planJobs(ctx context.Context, name string) error {
	t := *p.tables.jobs
	if err := p.begin(ctx, "Harbor up to 1.7", local, jobWords, Finished); err != nil {
		return err
	}
	err := p.scopeOf(ctx, name, func(id int64) (string, []any) {
		return fmt.Sprintf("select id from %s where policy_id = ?", p.quote(t.Schema, t.Name)), []any{id}
	})
	if err != nil {
		return err
	}
	query, args := p.stuckJobs(t)
	rows, err := p.query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer rows.Close()
	var changes []change
	var items []Item
	for rows.Next() {
		var touched sql.NullInt64
		row, to := t.targets()
		if err := rows.Scan(append(to, &touched)...); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		item, err := p.jobItem(t, row, ageOf(touched))
		if err != nil {
			return err
		}
		if p.tooYoung(item.Age) {
			p.leave(item)
			continue
		}
		items = append(items, item)
		changes = append(changes, change{before: row,
			after: t.set(row, map[string]Value{"status": p.status(), "update_time": Text(p.now.column)})})
	}
	p.add(t, changes, items)
	return rows.Err()
}

// stuckJobs selects the rows that block, with their age.
func (p *planner) stuckJobs(t Table) (query string, args []any) {
	args = []any{p.now.column, p.now.column}
	where := []string{"status in (" + marks(len(blockingJobs), "?") + ")"}
	args = append(args, anys(blockingJobs)...)
	if p.tables.immediate != nil {
		where = append(where, "operation in ("+marks(len(blockingOperations), "?")+")")
		args = append(args, anys(blockingOperations)...)
	}
	if p.chosen != nil {
		where = append(where, "policy_id = ?")
		args = append(args, p.chosen.id)
	}
	return fmt.Sprintf("select %s, %s from %s where %s order by id", t.selection(p.d, ""),
		p.d.age("update_time", "creation_time"), p.quote(t.Schema, t.Name), strings.Join(where, " and ")), args
}

func (p *planner) jobItem(t Table, r Row, touched age) (Item, error) {
	id, err := t.key(r)
	if err != nil {
		return Item{}, err
	}
	policyID, err := t.number(r, "policy_id")
	if err != nil {
		return Item{}, err
	}
	return Item{
		Table: t.Name, ID: id, PolicyID: policyID, Policy: p.policy(policyID).name,
		Repository: t.get(r, "repository").text, Operation: t.get(r, "operation").text, Tags: t.get(r, "tags").text,
		From: t.get(r, "status"), To: p.status(), Age: touched, Young: young(touched),
	}, nil
}
