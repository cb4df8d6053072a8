package repair

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// work is background work in two levels: an execution has tasks. Harbor has
// kept it so since 1.8, in tables and words that changed once.
type work struct {
	executions, tasks Table
	// scope selects the executions that are asked for, under the alias e.
	scope condition
	// from is what follows FROM in the search for those of their tasks that
	// fulfil a condition, under the alias t; args are its own parameters,
	// which come after those of the condition.
	from func(condition string) string
	args []any
	// indexed says that an index finds the tasks of an execution. Only 2.1
	// and 2.2.0 have none.
	indexed bool
	release
}

// release is what differs between the two generations.
type release interface {
	// finishTask and finishExecution are the columns that Harbor itself
	// would write; names that a table does not have are left out.
	finishTask(p *planner) map[string]Value
	finishExecution(p *planner, e *execution, after outcomes) (map[string]Value, error)
	// item describes a row; task is nil for an execution, execution for a
	// task without one.
	item(p *planner, execution, task Row) (Item, error)
}

// condition is a part of a WHERE clause with its parameters.
type condition struct {
	text string
	args []any
}

// execution is one that the repair is concerned with.
type execution struct {
	id      int64
	row     Row
	touched age
	open    bool // its own status is not final
	// tasks counts its tasks by status as they are now, ended is the latest
	// end of any. Both are empty for a final execution where no index finds
	// its tasks.
	tasks map[Value]int64
	ended Value
	// finishing counts its tasks that the plan gives a final status, left
	// those that stay open.
	finishing, left int64
}

// task is one whose status or status code is not final.
type task struct {
	id        int64
	row       Row
	touched   age
	execution int64
	open      bool // its status is not final, not its code alone
}

// planWork finds executions and tasks that are not final and plans to finish
// them, tasks before executions: whoever refreshes an execution takes its
// status from its tasks.
func (p *planner) planWork(ctx context.Context, w work) error {
	found, err := p.openExecutions(ctx, w)
	if err != nil {
		return err
	}
	tasks, err := p.openTasks(ctx, w, found)
	if err != nil {
		return err
	}
	if err := p.parents(ctx, w, found, tasks); err != nil {
		return err
	}
	if err := p.siblings(ctx, w, found); err != nil {
		return err
	}
	if err := p.finishTasks(w, found, tasks); err != nil {
		return err
	}
	return p.finishExecutions(w, found)
}

// notFinal is the condition that a status is not final: as for Harbor, every
// word that the release does not know counts. Three comparisons are quicker
// than a list, over millions of rows.
func (p *planner) notFinal(column string) condition {
	return condition{fmt.Sprintf("(%s is null or %[1]s <> ? and %[1]s <> ? and %[1]s <> ?)", column), anys(p.words.all())}
}

// isFinal is the same of one value.
func (p *planner) isFinal(status Value) bool {
	return !status.IsNull() && slices.Contains(p.words.all(), status.text)
}

// touched is the age of a row by the times that its table has.
func (p *planner) touched(t Table, alias string) condition {
	var columns []string
	var c condition
	for _, name := range []string{"creation_time", "start_time", "update_time", "end_time"} {
		if t.has(name) {
			columns = append(columns, alias+"."+p.quote(name))
			c.args = append(c.args, p.now.column)
		}
	}
	c.text = p.d.age(columns...)
	return c
}

// aged reads all columns of rows and their ages. from is what follows the word
// in a SELECT.
func (p *planner) aged(ctx context.Context, t Table, alias string, from condition, each func(Row, age) error) error {
	touched := p.touched(t, alias)
	query := fmt.Sprintf("select %s, %s from %s", t.selection(p.d, alias+"."), touched.text, from.text)
	rows, err := p.query(ctx, query, slices.Concat(touched.args, from.args)...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var seconds sql.NullInt64
		row, to := t.targets()
		if err := rows.Scan(append(to, &seconds)...); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		if err := each(row, ageOf(seconds)); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

// openExecutions reads the executions in scope that are not final.
func (p *planner) openExecutions(ctx context.Context, w work) (map[int64]*execution, error) {
	found := map[int64]*execution{}
	open := p.notFinal("e.status")
	from := condition{fmt.Sprintf("%s e where %s and %s", p.quote(w.executions.Schema, w.executions.Name), w.scope.text, open.text),
		slices.Concat(w.scope.args, open.args)}
	err := p.aged(ctx, w.executions, "e", from, func(r Row, a age) error {
		id, err := w.executions.key(r)
		found[id] = &execution{id: id, row: r, touched: a, open: true, tasks: map[Value]int64{}}
		return err
	})
	return found, err
}

// openTasks reads the tasks in scope that are not final by their status or by
// their code, in one pass over the table. Where no index finds the siblings
// of a task, the same pass brings those of the open executions.
func (p *planner) openTasks(ctx context.Context, w work, found map[int64]*execution) ([]task, error) {
	open := p.notFinal("t.status")
	if w.tasks.has("status_code") {
		open.text = "(t.status_code <> 3 or " + open.text + ")"
	}
	if !w.indexed {
		still := p.notFinal("e.status")
		open.text = fmt.Sprintf("(%s or t.execution_id in (select e.id from %s e where %s and %s))",
			open.text, p.quote(w.executions.Schema, w.executions.Name), w.scope.text, still.text)
		open.args = slices.Concat(open.args, w.scope.args, still.args)
	}
	var tasks []task
	from := condition{w.from(open.text), slices.Concat(open.args, w.args)}
	err := p.aged(ctx, w.tasks, "t", from, func(r Row, a age) error {
		x, err := p.task(w, r, a)
		if err != nil {
			return err
		}
		if e := found[x.execution]; e != nil && !w.indexed {
			e.sibling(sibling{status: w.tasks.get(r, "status"), ended: w.tasks.get(r, "end_time"), n: 1, touched: a})
		}
		if x.open || w.tasks.has("status_code") && w.tasks.get(r, "status_code") != Text("3") {
			tasks = append(tasks, x)
		}
		return nil
	})
	slices.SortFunc(tasks, func(a, b task) int { return cmp.Compare(a.id, b.id) })
	return tasks, err
}

func (p *planner) task(w work, r Row, a age) (task, error) {
	id, err := w.tasks.key(r)
	if err != nil {
		return task{}, err
	}
	parent, err := w.tasks.number(r, "execution_id")
	return task{id: id, row: r, touched: a, execution: parent, open: !p.isFinal(w.tasks.get(r, "status"))}, err
}

// parents reads the executions of open tasks that are final themselves. A task
// may have none: nothing tied it to one before 2.1.
func (p *planner) parents(ctx context.Context, w work, found map[int64]*execution, tasks []task) error {
	var ids []int64
	for _, x := range tasks {
		if found[x.execution] == nil {
			ids = append(ids, x.execution)
		}
	}
	slices.Sort(ids)
	rows, err := p.byKey(ctx, w.executions, slices.Compact(ids), plain)
	for id, r := range rows {
		found[id] = &execution{id: id, row: r, tasks: map[Value]int64{}}
	}
	return err
}

// sibling are tasks of one execution that have the same status.
type sibling struct {
	status, ended Value // the latest end
	n             int64
	touched       age
}

// sibling counts tasks of the execution. Texts of times sort as the times do.
func (e *execution) sibling(s sibling) {
	e.tasks[s.status] += s.n
	if s.ended.text > e.ended.text && s.ended.text > "0002" {
		e.ended = s.ended
	}
	if e.touched == nil || s.touched != nil && *s.touched < *e.touched {
		e.touched = s.touched
	}
}

// siblings counts the tasks of the executions by status.
func (p *planner) siblings(ctx context.Context, w work, found map[int64]*execution) error {
	if !w.indexed {
		return nil
	}
	ids := sortedIDs(found)
	for part := range slices.Chunk(ids, batch) {
		err := p.eachSibling(ctx, w, part, func(id int64, s sibling) { found[id].sibling(s) })
		if err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		p.plan.guards = append(p.plan.guards, p.sameTasks(w, ids, found))
	}
	return nil
}

func (p *planner) eachSibling(ctx context.Context, w work, ids []int64, each func(int64, sibling)) error {
	touched := p.touched(w.tasks, "t")
	query := fmt.Sprintf("select t.execution_id, t.status, %s, count(*), min(%s) from %s t where t.execution_id in (%s) group by 1, 2",
		p.d.text("max(t.end_time)"), touched.text, p.quote(w.tasks.Schema, w.tasks.Name), marks(len(ids), "?"))
	rows, err := p.query(ctx, query, slices.Concat(touched.args, anys(ids))...)
	if err != nil {
		return fmt.Errorf("tasks of executions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var s sibling
		var seconds sql.NullInt64
		if err := rows.Scan(&id, &s.status, &s.ended, &s.n, &seconds); err != nil {
			return fmt.Errorf("tasks of executions: %w", err)
		}
		s.touched = ageOf(seconds)
		each(id, s)
	}
	return rows.Err()
}
