package repair

import (
	"context"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/schema"
)

// tables are those that hold Harbor's background work. Which of them exist
// says which generation of releases a database is from; the recorded version
// may lie, and is not asked.
type tables struct {
	jobs                 *Table // replication_job: up to 1.7
	oldExecutions        *Table // replication_execution: 1.8 to 2.1
	oldTasks             *Table // replication_task: 1.8 to 2.1
	executions, tasks    *Table // execution and task: from 2.1 on, for replication from 2.2 on
	immediate, schedules *Table // replication_immediate_trigger: 1.4 to 1.7; schedule: from 1.9 on
	policies             *Table
}

func (s *session) readTables(ctx context.Context) (tables, error) {
	var t tables
	for name, at := range map[string]**Table{
		"replication_job": &t.jobs, "replication_execution": &t.oldExecutions, "replication_task": &t.oldTasks,
		"execution": &t.executions, "task": &t.tasks, "replication_immediate_trigger": &t.immediate,
		"schedule": &t.schedules, "replication_policy": &t.policies,
	} {
		found, ok, err := s.describe(ctx, name, "id")
		if err != nil {
			return t, err
		}
		if ok {
			*at = &found
		}
	}
	return t, nil
}

// modern reports that execution and task are those of 2.2 or later.
func (t tables) modern() bool {
	return t.executions != nil && t.tasks != nil && t.executions.has("update_time") && t.tasks.has("vendor_type")
}

// whole refuses tables that no release has side by side: a repair by the rules
// of one release would be wrong for the other.
func (t tables) whole() error {
	mixed := (t.oldExecutions == nil) != (t.oldTasks == nil) ||
		(t.executions == nil) != (t.tasks == nil) ||
		t.jobs != nil && t.oldExecutions != nil ||
		t.jobs != nil && t.executions != nil ||
		t.oldExecutions != nil && t.modern()
	if mixed {
		return fault.Refusedf("this database has tables of two generations of Harbor, or a half of one").
			WithHint("harbordb schema status says what it is")
	}
	return nil
}

// harbor fails where the database is not Harbor's.
func (s *session) harbor(ctx context.Context) error {
	_, err := schema.Recorded(ctx, s.tx, s.db.Engine())
	return err
}
