package repair

import (
	"context"
	"strconv"
)

// oldWords are the final words of replication_execution and replication_task.
var oldWords = words{Finished: "Succeed", Stopped: "Stopped", Failed: "Failed"}

// planOldExecutions is the repair of 1.8 to 2.1. A policy is kept by an
// execution that is InProgress once core has counted its tasks anew; what
// migration 4 made of older jobs has no status at all, or words that no core
// of these releases knows, and stays open for ever from 2.2 on.
func (p *planner) planOldExecutions(ctx context.Context, name string) error {
	if err := p.begin(ctx, "Harbor 1.8 to 2.1", local, oldWords, Stopped); err != nil {
		return err
	}
	executions, tasks := *p.tables.oldExecutions, *p.tables.oldTasks
	table := p.quote(executions.Schema, executions.Name)
	from := p.quote(tasks.Schema, tasks.Name) + " t where "
	w := work{executions: executions, tasks: tasks, scope: condition{text: "true"}, indexed: true, release: oldRelease{},
		from: func(condition string) string { return from + condition }}
	err := p.scopeOf(ctx, name, func(id int64) (string, []any) {
		return "select id from " + table + " where policy_id = ?", []any{id}
	})
	if err != nil {
		return err
	}
	if p.chosen != nil {
		w.scope, w.args = condition{"e.policy_id = ?", []any{p.chosen.id}}, []any{p.chosen.id}
		w.from = func(condition string) string {
			return from + condition + " and t.execution_id in (select e.id from " + table + " e where e.policy_id = ?)"
		}
	}
	return p.planWork(ctx, w)
}

// oldRelease is 1.8 to 2.1.
type oldRelease struct{}

func (oldRelease) finishTask(p *planner) map[string]Value {
	return map[string]Value{"status": p.status(), "end_time": Text(p.now.column)}
}

// finishExecution counts the tasks as core does when it lists an execution. An
// end that is known stays.
func (oldRelease) finishExecution(p *planner, e *execution, after outcomes) (map[string]Value, error) {
	count := func(n int64) Value { return Text(strconv.FormatInt(n, 10)) }
	var total int64
	for _, n := range after {
		total += n
	}
	t, status := p.tables.oldExecutions, Text(p.statusAfter(after))
	columns := map[string]Value{
		"status": status, "in_progress": count(0), "total": count(total),
		"failed": count(after[oldWords[Failed]]), "succeed": count(after[oldWords[Finished]]), "stopped": count(after[oldWords[Stopped]]),
	}
	if ended := t.get(e.row, "end_time"); e.open || status != t.get(e.row, "status") || ended.text < "0002" {
		columns["end_time"] = p.endAfter(e)
	}
	return columns, nil
}

func (oldRelease) item(p *planner, execution, task Row) (Item, error) {
	var i Item
	if execution != nil {
		id, err := p.tables.oldExecutions.number(execution, "policy_id")
		if err != nil {
			return i, err
		}
		i.PolicyID, i.Policy = id, p.policy(id).name
		i.From = p.tables.oldExecutions.get(execution, "status")
	}
	if task != nil {
		t := p.tables.oldTasks
		i.Repository, i.Operation, i.From = t.get(task, "src_resource").text, t.get(task, "operation").text, t.get(task, "status")
	}
	return i, nil
}
