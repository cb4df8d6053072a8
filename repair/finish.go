package repair

import (
	"context"
	"maps"
	"slices"

	"github.com/harbordb/harbordb/internal/fault"
)

// finishTasks plans the tasks, and notes with their executions what it leaves
// open.
func (p *planner) finishTasks(w work, found map[int64]*execution, tasks []task) error {
	var changes []change
	var items []Item
	for _, x := range tasks {
		item, err := p.taskItem(w, found[x.execution], x)
		if err != nil {
			return err
		}
		young := p.tooYoung(x.touched)
		found[x.execution].note(x, young)
		if young && x.open {
			p.leave(item)
		}
		if young {
			continue // a wrong code alone is what the dashboard's stop leaves until jobservice answers
		}
		columns := map[string]Value{"status_code": Text("3")}
		if x.open {
			columns = w.finishTask(p)
		}
		items = append(items, item)
		changes = append(changes, change{before: x.row, after: w.tasks.set(x.row, columns)})
	}
	p.add(w.tasks, changes, items)
	return nil
}

// note counts a task of the execution that had an open status.
func (e *execution) note(x task, young bool) {
	switch {
	case e == nil || !x.open:
	case young:
		e.left++
	default:
		e.finishing++
	}
}

func (p *planner) taskItem(w work, e *execution, x task) (Item, error) {
	var parent Row
	if e != nil {
		parent = e.row
	}
	item, err := w.item(p, parent, x.row)
	if err != nil {
		return item, err
	}
	item.Table, item.ID, item.Execution = w.tasks.Name, x.id, x.execution
	item.Age, item.Young = x.touched, young(x.touched)
	if item.To = p.status(); !x.open {
		item.To = item.From
	}
	return item, nil
}

// finishExecutions plans the executions that have no open task any more.
func (p *planner) finishExecutions(w work, found map[int64]*execution) error {
	var changes []change
	var items []Item
	for _, id := range sortedIDs(found) {
		e := found[id]
		item, err := p.executionItem(w, e)
		if err != nil {
			return err
		}
		if !e.open && e.finishing == 0 {
			continue // none of its tasks gets another status
		}
		if e.left > 0 || e.finishing == 0 && p.tooYoung(e.touched) {
			if e.open {
				p.leave(item)
			}
			continue
		}
		after := p.outcomes(w, e)
		columns, err := w.finishExecution(p, e, after)
		if err != nil {
			return err
		}
		c := change{before: e.row, after: w.executions.set(e.row, columns)}
		if slices.Equal(c.before, c.after) {
			continue
		}
		item.To = Text(p.statusAfter(after))
		items = append(items, item)
		changes = append(changes, c)
	}
	p.add(w.executions, changes, items)
	return nil
}

func (p *planner) executionItem(w work, e *execution) (Item, error) {
	item, err := w.item(p, e.row, nil)
	item.Table, item.ID = w.executions.Name, e.id
	item.To = p.status()
	item.Age, item.Young = e.touched, young(e.touched)
	return item, err
}

// outcomes counts tasks by final status.
type outcomes map[string]int64

// outcomes are those of an execution as they are after the plan. Where a final
// execution's tasks are not known, its own status stands for them.
func (p *planner) outcomes(w work, e *execution) outcomes {
	after := outcomes{}
	for status, n := range e.tasks {
		if p.isFinal(status) {
			after[status.text] += n
		}
	}
	if len(e.tasks) == 0 && !e.open {
		after[w.executions.get(e.row, "status").text]++
	}
	if e.finishing > 0 {
		after[p.plan.Word.Status] += e.finishing
	}
	return after
}

// statusAfter is the status of an execution whose tasks are all final, as
// Harbor takes it from them: one failure decides, then one that was stopped.
// An execution without tasks gets the status that the plan is for.
func (p *planner) statusAfter(o outcomes) string {
	for _, status := range p.words.worst() {
		if o[status] > 0 {
			return status
		}
	}
	return p.plan.Word.Status
}

// endAfter is when the execution ended: now, where a task of it ends now, else
// with the last of its tasks.
func (p *planner) endAfter(e *execution) Value {
	if e.finishing > 0 || e.ended.IsNull() {
		return Text(p.now.column)
	}
	return e.ended
}

// sameTasks is the condition that the executions still have the tasks that
// their new status was taken from: a task that came since, or one that runs
// again, is no row of the plan.
func (p *planner) sameTasks(w work, ids []int64, found map[int64]*execution) guard {
	then := make(map[int64]map[Value]int64, len(ids))
	for id, e := range found {
		then[id] = maps.Clone(e.tasks)
	}
	return func(ctx context.Context, s *session) error {
		now := make(map[int64]map[Value]int64, len(ids))
		for _, id := range ids {
			now[id] = map[Value]int64{}
		}
		there := *p
		there.session = s
		for part := range slices.Chunk(ids, batch) {
			err := there.eachSibling(ctx, w, part, func(id int64, x sibling) { now[id][x.status] += x.n })
			if err != nil {
				return err
			}
		}
		for _, id := range ids {
			if !maps.Equal(then[id], now[id]) {
				return fault.Refusedf("%w: %s %d has other tasks, or other states of them", ErrStale, w.executions.Name, id).
					WithHint("%s", staleHint)
			}
		}
		return nil
	}
}

func sortedIDs(found map[int64]*execution) []int64 {
	return slices.Sorted(maps.Keys(found))
}
