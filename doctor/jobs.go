package doctor

const (
	stuckReplicationText   = "replication jobs have been open for more than a day"
	stuckReplicationEffect = "their policy cannot be deleted or changed: \"have pending/running/retrying status\""
	stuckReplicationFix    = "harbordb repair replication --all"
)

// replicationChecks are for the tables that replication had before 2.2.
var replicationChecks = []check{
	{
		id: "stuck-replication", severity: Error, from: 1, to: 3, needs: []string{"replication_job.operation"},
		query: `select 'replication_job ' || id || ' of policy ' || policy_id || ': ' || status || ' since ' || coalesce(update_time::text, '?') from {s}replication_job
			where status in ('pending', 'running', 'retrying') and operation in ('transfer', 'delete') and coalesce(update_time, '-infinity') < {day} order by id`,
		text:   stuckReplicationText,
		effect: stuckReplicationEffect,
		fix:    stuckReplicationFix,
	},
	{
		id: "stuck-replication", severity: Error, from: 4, to: 41, needs: []string{"replication_task.status", "replication_execution.status"},
		query: `select 'replication_task ' || t.id || ' of execution ' || t.execution_id || ', policy ' || e.policy_id || ': ' || coalesce(t.status, 'no status')
			from {s}replication_task t join {s}replication_execution e on e.id = t.execution_id
			where coalesce(t.status, '') in ('', 'Initialized', 'Pending', 'InProgress') and coalesce(e.status, '') not in ('Succeed', 'Failed', 'Stopped')
			and coalesce(t.start_time, '-infinity') < {day} order by t.id`,
		text:   stuckReplicationText,
		effect: stuckReplicationEffect,
		fix:    stuckReplicationFix,
	},
	{
		id: "stuck-replication-execution", severity: Error, from: 4, to: 41, needs: []string{"replication_execution.status"},
		query: `select 'replication_execution ' || e.id || ' of policy ' || e.policy_id || ': ' || coalesce(e.status, 'no status') from {s}replication_execution e
			where coalesce(e.start_time, '-infinity') < {day} and (e.status = 'InProgress'
				and not exists (select from {s}replication_task t where t.execution_id = e.id and coalesce(t.status, '') in ('', 'Initialized', 'Pending', 'InProgress'))
			or coalesce(e.status, '') = '' and not exists (select from {s}replication_task t where t.execution_id = e.id)) order by e.id`,
		text:   "replications are under way with nothing left to do",
		effect: stuckReplicationEffect,
		fix:    stuckReplicationFix,
	},
	{
		id: "replication-leftovers", severity: Warning, from: 4, to: 41, needs: []string{"replication_task.status"},
		query: `select 'replication_task ' || id || ' of execution ' || execution_id || ': ' || status from {s}replication_task
			where status in ('stopped', 'canceled', 'retrying') order by id`,
		text:   "replication jobs from 1.7 have a status that no later release knows",
		effect: "an upgrade to 2.2 makes them run for ever, and their policy cannot be deleted",
		fix:    stuckReplicationFix,
	},
	{
		id: "policy-registry", severity: Error, from: 4, needs: []string{"replication_policy.src_registry_id", "replication_policy.dest_registry_id", "registry.id"},
		query: `select 'policy ' || p.id || ' (' || coalesce(p.name, '') || '): registry ' || r.id from {s}replication_policy p
			cross join lateral (values (p.src_registry_id), (p.dest_registry_id)) r(id)
			where coalesce(r.id, 0) <> 0 and not exists (select from {s}registry g where g.id = r.id) order by p.id, r.id`,
		text:   "replication policies refer to a registry that is gone",
		effect: "listing or running them fails with 500",
		fix:    "delete the policy, or make the registry again and choose it there",
	},
}

const open = `('Pending', 'Scheduled', 'Running')`

const final = `('Success', 'Error', 'Stopped')`

// jobChecks are for executions and tasks, from 2.1 on. Rows of the vendor type
// SCHEDULER are Harbor's cron table and are open for years.
var jobChecks = []check{
	{
		id: "stuck-executions", severity: Error, from: 40, needs: []string{"execution.status", "task.status"},
		query: `select 'execution ' || e.id || ', ' || e.vendor_type || ' ' || coalesce(e.vendor_id::text, '') || ': ' || coalesce(e.status, 'no status') || ' since ' || coalesce(e.start_time::text, '?')
			from {s}execution e where e.vendor_type <> 'SCHEDULER' and coalesce(e.status, '') not in ` + final + `
			and coalesce(e.start_time, '-infinity') < {day}
			and not exists (select from {s}task t where t.execution_id = e.id and t.status in ` + open + `) order by e.id`,
		text:   "executions are under way with nothing left to do",
		effect: "their policy cannot be deleted, and a scan of all images is refused",
		fix:    "harbordb repair replication --all for REPLICATION, harbordb repair executions --type TYPE for others",
	},
	{
		id: "open-tasks", severity: Error, from: 40, needs: []string{"execution.status", "task.status", "task.update_time"},
		query: `select 'task ' || t.id || ' of execution ' || e.id || ', ' || e.vendor_type || ' ' || coalesce(e.vendor_id::text, '') || ': ' || t.status
			from {s}task t join {s}execution e on e.id = t.execution_id where e.vendor_type <> 'SCHEDULER' and t.status in ` + open + `
			and coalesce(e.status, '') not in ` + final + ` and coalesce(t.update_time, t.start_time, t.creation_time, '-infinity') < {day} order by t.id`,
		text:   "tasks have been open for more than a day",
		effect: "their policy cannot be deleted, and the UI shows them as running",
		fix:    "harbordb repair replication --all for REPLICATION, harbordb repair executions --type TYPE for others",
	},
	{
		id: "final-with-open-tasks", severity: Error, from: 40, needs: []string{"execution.status", "task.status"},
		query: `select 'execution ' || e.id || ', ' || e.vendor_type || ' ' || coalesce(e.vendor_id::text, '') || ': ' || e.status || ', task ' || t.id || ' ' || t.status
			from {s}execution e join {s}task t on t.execution_id = e.id where e.vendor_type <> 'SCHEDULER' and e.status in ` + final + `
			and t.status in ` + open + ` order by e.id, t.id`,
		text:   "executions have ended and their tasks have not",
		effect: "the execution and its policy cannot be deleted; up to 2.11.0 the daily sweep fails with 23503",
		fix:    "harbordb repair replication --all for REPLICATION, harbordb repair executions --type TYPE for others",
	},
	{
		id: "status-code", severity: Warning, from: 40, to: 91, needs: []string{"task.status_code"},
		query: `select 'task ' || id || ': ' || status || ', code ' || status_code from {s}task
			where status_code <> case status when 'Pending' then 0 when 'Scheduled' then 1 when 'Running' then 2 else 3 end order by id`,
		text:   "tasks have a code that is not that of their status",
		effect: "a late report of jobservice is taken or left by the wrong rule",
		fix:    "set status_code to 3 where the status is Success, Error or Stopped",
	},
	{
		// The dashboard of 2.7 and later stops pending tasks and leaves
		// their code at 0.
		id: "status-code", severity: Warning, from: 100, needs: []string{"task.status_code"},
		query: `select 'task ' || id || ': ' || status || ', code ' || status_code from {s}task
			where status_code <> case status when 'Pending' then 0 when 'Scheduled' then 1 when 'Running' then 2 else 3 end
			and not (status = 'Stopped' and status_code = 0) order by id`,
		text:   "tasks have a code that is not that of their status",
		effect: "a late report of jobservice is taken or left by the wrong rule",
		fix:    "set status_code to 3 where the status is Success, Error or Stopped",
	},
	{
		id: "schedule-without-task", severity: Error, from: 40, needs: []string{"schedule.vendor_type", "execution.vendor_id", "task.job_id"},
		query: `select 'schedule ' || s.id || ', ' || coalesce(s.vendor_type, '?') || ' ' || coalesce(s.vendor_id::text, '') from {s}schedule s where not exists (
			select from {s}execution e join {s}task t on t.execution_id = e.id where e.vendor_type = 'SCHEDULER' and e.vendor_id = s.id) order by s.id`,
		text:   "schedules have no job in jobservice's table",
		effect: "they do not fire any more once jobservice has started anew",
		fix:    "save the schedule again, in the UI or by the API",
	},
	{
		id: "orphan-scheduler", severity: Info, from: 40, needs: []string{"schedule.id", "execution.vendor_id"},
		query: `select 'execution ' || e.id || ', schedule ' || coalesce(e.vendor_id::text, '') from {s}execution e
			where e.vendor_type = 'SCHEDULER' and not exists (select from {s}schedule s where s.id = e.vendor_id) order by e.id`,
		text:   "cron entries are left of schedules that are gone",
		effect: "none; jobservice drops them as it starts",
		fix:    "nothing needs to be done; the tasks, then the executions may be deleted",
	},
	{
		id: "policy-without-schedule", severity: Error, from: 50, needs: []string{"replication_policy.trigger", "schedule.vendor_id"},
		query: `select 'policy ' || p.id || ' (' || coalesce(p.name, '') || ')' from {s}replication_policy p where p.enabled and p.trigger ~ '"type"\s*:\s*"scheduled"'
			and not exists (select from {s}schedule s where s.vendor_type = 'REPLICATION' and s.vendor_id = p.id) order by p.id`,
		text:   "replication policies are to run on a schedule and have none",
		effect: "they never run",
		fix:    "save the policy again, in the UI or by the API",
	},
	{
		id: "orphan-executions", severity: Info, from: 50, needs: []string{"replication_policy.id", "execution.vendor_id"},
		query: `select 'execution ' || e.id || ', policy ' || coalesce(e.vendor_id::text, '') from {s}execution e
			where e.vendor_type = 'REPLICATION' and not exists (select from {s}replication_policy p where p.id = e.vendor_id) order by e.id`,
		text:   "executions are left of replication policies that are gone",
		effect: "none but room; before 2.8 nothing sweeps them",
		fix:    "delete the tasks, then the executions",
	},
	{
		id: "paused-queues", severity: Warning, from: 100, needs: []string{"job_queue_status.paused"},
		query:  `select job_type::text || ' since ' || coalesce(update_time::text, '?') from {s}job_queue_status where paused order by 1`,
		text:   "job queues are paused",
		effect: "jobs of these kinds stay pending",
		fix:    "resume them in the Job Service Dashboard",
	},
}
