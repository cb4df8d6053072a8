package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// replicationType is the vendor type of replication.
const replicationType = "REPLICATION"

// newWords are the final words of execution and task. A task's status code is
// 3 with each of them.
var newWords = words{Finished: "Success", Stopped: "Stopped", Failed: "Error"}

// planReplicationTasks is the repair of replication from 2.2 on. A policy is
// kept by an execution whose status is not final, and by any task of its
// executions whose status is not.
func (p *planner) planReplicationTasks(ctx context.Context, name string) error {
	if err := p.begin(ctx, "Harbor 2.2 and later", utc, newWords, Stopped); err != nil {
		return err
	}
	table := p.quote(p.tables.executions.Schema, p.tables.executions.Name)
	err := p.scopeOf(ctx, name, func(id int64) (string, []any) {
		return "select id from " + table + " where vendor_type = ? and vendor_id = ?", []any{replicationType, id}
	})
	if err != nil {
		return err
	}
	if p.chosen == nil {
		return p.planTypes(ctx, []string{replicationType})
	}
	tasks := p.quote(p.tables.tasks.Schema, p.tables.tasks.Name)
	args := []any{replicationType, p.chosen.id}
	return p.planNew(ctx, work{scope: condition{"e.vendor_type = ? and e.vendor_id = ?", args}, args: args,
		from: func(condition string) string {
			return tasks + " t where " + condition + " and t.execution_id in (select e.id from " + table + " e where e.vendor_type = ? and e.vendor_id = ?)"
		}})
}

// planTypes plans all executions of vendor types. The search for open tasks is
// one pass over their table, which "offset 0" keeps PostgreSQL from mixing with
// the rest; the types of those few are then looked up with their executions by
// the primary key, without a pass over the executions.
func (p *planner) planTypes(ctx context.Context, types []string) error {
	executions := p.quote(p.tables.executions.Schema, p.tables.executions.Name)
	tasks := p.quote(p.tables.tasks.Schema, p.tables.tasks.Name)
	list, args := marks(len(types), "?"), anys(types)
	return p.planNew(ctx, work{scope: condition{"e.vendor_type in (" + list + ")", args}, args: args,
		from: func(condition string) string {
			return "(select * from " + tasks + " t where " + condition + " offset 0) t where (select e.vendor_type from " +
				executions + " e where e.id = t.execution_id) in (" + list + ")"
		}})
}

func (p *planner) planNew(ctx context.Context, w work) error {
	w.executions, w.tasks, w.release = *p.tables.executions, *p.tables.tasks, newRelease{}
	err := p.scan(ctx, p.d.indexed, []any{w.tasks.Schema, w.tasks.Name, "execution_id"}, &w.indexed)
	if err != nil {
		return fmt.Errorf("indexes of %s: %w", w.tasks.Name, err)
	}
	return p.planWork(ctx, w)
}

// newRelease is 2.2 and later, and what 2.1 already had in these tables.
type newRelease struct{}

// finishTask leaves status_revision: a late hook of the same run is ignored
// then, because code 3 is the highest.
func (newRelease) finishTask(p *planner) map[string]Value {
	now := Text(p.now.column)
	return map[string]Value{"status": p.status(), "status_code": Text("3"), "end_time": now, "update_time": now}
}

// finishExecution changes a final execution only where its tasks say
// otherwise, as a refresh by Harbor would.
func (newRelease) finishExecution(p *planner, e *execution, after outcomes) (map[string]Value, error) {
	t, status := p.tables.executions, Text(p.statusAfter(after))
	if !e.open && status == t.get(e.row, "status") {
		return nil, nil
	}
	revision, err := t.number(e.row, "revision")
	if err != nil {
		return nil, err
	}
	revision = min(revision, math.MaxInt32-1) // the column takes no more
	return map[string]Value{"status": status, "end_time": p.endAfter(e), "update_time": Text(p.now.column),
		"revision": Text(strconv.FormatInt(revision+1, 10))}, nil
}

func (newRelease) item(p *planner, execution, task Row) (Item, error) {
	var i Item
	if execution != nil {
		t := p.tables.executions
		id, err := t.number(execution, "vendor_id")
		if err != nil {
			return i, err
		}
		i.Vendor, i.PolicyID, i.From = t.get(execution, "vendor_type").text, id, t.get(execution, "status")
		if i.Vendor == replicationType {
			i.Policy = p.policy(id).name
		}
		i.Repository = attributes(t.get(execution, "extra_attrs")).Artifact.Repository
	}
	if task != nil {
		t := p.tables.tasks
		a := attributes(t.get(task, "extra_attrs"))
		if i.From = t.get(task, "status"); a.Source != "" {
			i.Repository = a.Source
		}
		i.Operation = a.Operation
	}
	return i, nil
}

// attrs is what a plan shows of extra_attrs. The rest of it may be a secret,
// such as the password of Redis in the rows of a garbage collection.
type attrs struct {
	Operation string `json:"operation"`
	Source    string `json:"source_resource"`
	Artifact  struct {
		Repository string `json:"repository_name"`
	} `json:"artifact"`
}

// attributes reads what it can: the column is for people here.
func attributes(v Value) attrs {
	var a attrs
	if json.Unmarshal([]byte(v.text), &a) != nil {
		return attrs{}
	}
	return a
}
