package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// obstacle is data that makes a migration fail. All of them were seen with
// Harbor's own files or in its issues.
type obstacle struct {
	id        string
	migration Version
	in        func(Release) bool // nil: in every release
	// needs are the columns, as table.column, without which the question
	// cannot be asked: an earlier migration makes them.
	needs []string
	// query returns a row's name and a value. Where bad is nil every row is
	// an offending one, else those whose value is bad.
	query string
	bad   func(value string) bool
	says  string
	fix   string
}

// obstacles in the order of the migrations.
var obstacles = []obstacle{
	{
		id: "policy-names", migration: 2, in: only("1.7.0"), needs: []string{"replication_policy.name"},
		query: `select 'replication_policy ' || string_agg(id::text, ', ' order by id), name::text from {s}replication_policy group by name having count(*) > 1 order by name`,
		says:  "replication policies with the same name; release 1.7.1 renames them, 1.7.0 fails",
		fix:   "upgrade to v1.7.1 or later of the line instead, or rename them",
	},
	{
		id: "target-names", migration: 2, in: only("1.7.0"), needs: []string{"replication_target.name"},
		query: `select 'replication_target ' || string_agg(id::text, ', ' order by id), name::text from {s}replication_target group by name having count(*) > 1 order by name`,
		says:  "replication targets with the same name; release 1.7.1 renames them, 1.7.0 fails",
		fix:   "upgrade to v1.7.1 or later of the line instead, or rename them",
	},
	{
		id: "policy-filters", migration: 4, needs: []string{"replication_policy.filters", "replication_policy.project_id"},
		query: `select 'replication_policy ' || id, filters::text from {s}replication_policy where filters <> '' order by id`, bad: notJSON,
		says: "replication policies whose filters are no JSON",
		fix:  "edit the policy in the UI, or empty the column filters",
	},
	{
		id: "schedule-status", migration: 40, needs: []string{"schedule.status"},
		query: `select 'schedule ' || id, '' from {s}schedule where status is null order by id`,
		says:  "schedules without a status",
		fix:   "save the retention policy again, or delete the schedule",
	},
	{
		id: "retention-schedule", migration: 40, needs: []string{"schedule.status", "retention_policy.data"},
		query: `select 'retention_policy ' || id, coalesce(data::text, '') from {s}retention_policy where exists (select from {s}schedule) and data is not null order by id`,
		bad:   badRetention,
		says:  "retention policies whose data does not name its schedule by a number",
		fix:   "save the retention policy again",
	},
	{
		id: "schedule-twice", migration: 50, needs: []string{"schedule.vendor_type", "schedule.vendor_id"},
		query: `select 'schedule ' || string_agg(id::text, ', ' order by id), vendor_type || ' ' || vendor_id from {s}schedule
			where vendor_type is not null and vendor_id is not null group by vendor_type, vendor_id having count(*) > 1 order by 1`,
		says: "several schedules for the same thing",
		fix:  "delete the older ones",
	},
	{
		id: "replication-schedule-twice", migration: 50, needs: []string{"replication_schedule_job.policy_id"},
		query: `select 'replication_schedule_job ' || string_agg(j.id::text, ', ' order by j.id), 'policy ' || j.policy_id from {s}replication_schedule_job j
			join {s}replication_policy p on p.id = j.policy_id group by j.policy_id having count(*) > 1 order by 1`,
		says: "several schedules of one replication policy",
		fix:  "delete the older ones",
	},
	{
		id: "admin-job-twice", migration: 50, needs: []string{"admin_job.job_kind", "admin_job.deleted"},
		query: `select 'admin_job ' || string_agg(id::text, ', ' order by id), job_name::text from {s}admin_job
			where job_kind = 'Periodic' and not deleted and job_name in ('IMAGE_GC', 'IMAGE_SCAN_ALL') group by job_name having count(*) > 1 order by 1`,
		says: "several schedules of garbage collection or of the scan of all images",
		fix:  "mark the older ones as deleted",
	},
	{
		id: "retention-task-status", migration: 50, needs: []string{"retention_task.status", "retention_execution.policy_id"},
		query: `select 'retention_task ' || t.id, '' from {s}retention_task t join {s}retention_execution e on e.id = t.execution_id
			join {s}retention_policy p on p.id = e.policy_id where t.status is null order by t.id`,
		says: "tasks of tag retention without a status",
		fix:  "set their status to Error",
	},
	{
		id: "retention-trigger", migration: 50, needs: []string{"retention_execution.trigger"},
		query: `select 'retention_execution ' || e.id, '' from {s}retention_execution e
			join {s}retention_policy p on p.id = e.policy_id where e.trigger is null order by e.id`,
		says: "executions of tag retention without a trigger",
		fix:  "set their trigger to Manual",
	},
	{
		id: "admin-job-cron", migration: 50, needs: []string{"admin_job.cron_str", "admin_job.deleted"},
		query: `select 'admin_job ' || id, coalesce(cron_str, '') from {s}admin_job
			where job_kind = 'Periodic' and not deleted and job_name in ('IMAGE_GC', 'IMAGE_SCAN_ALL') and cron_str is not null order by id`,
		bad:  notJSON,
		says: "schedules of garbage collection or of the scan of all images that are no JSON",
		fix:  "save the schedule again in the UI, or mark the row as deleted",
	},
	{
		id: "admin-job-parameters", migration: 50, needs: []string{"admin_job.job_parameters"},
		query: `select 'admin_job ' || id, job_parameters::text from {s}admin_job
			where job_name = 'IMAGE_GC' and not deleted and job_parameters <> '' order by id`,
		bad:  notJSON,
		says: "garbage collections whose parameters are no JSON",
		fix:  "empty the column job_parameters of these rows",
	},
	{
		id: "robot-duration", migration: 50, needs: []string{"properties.v"},
		query: `select 'properties ' || k, v::text from {s}properties where k = 'robot_token_duration'`, bad: notInteger,
		says: "a life of robot accounts that is no number",
		fix:  "set robot_token_duration to a number of minutes",
	},
	{
		id: "quota-reference", migration: 50, needs: []string{"quota.reference_id", "quota_usage.reference_id"},
		query: `select 'quota ' || id, reference_id::text from {s}quota where reference = 'project'
			union all select 'quota_usage ' || id, reference_id::text from {s}quota_usage where reference = 'project'`,
		bad:  notInteger,
		says: "quotas whose project is no number",
		fix:  "delete these rows",
	},
	{
		id: "artifact-size", migration: 50, in: only("2.2.0", "2.2.1"), needs: []string{"artifact.size", "artifact_blob.digest_af"},
		query: `select 'artifact ' || a.id, sum(b.size) || ' bytes' from {s}artifact a join {s}artifact_blob ab on ab.digest_af = a.digest
			join {s}blob b on b.digest = ab.digest_blob where a.size = 0 group by a.id having sum(b.size) > 2147483647 order by a.id`,
		says: "artifacts of more than 2 GiB without a size; 2.2.2 computes it, 2.2.0 and 2.2.1 fail",
		fix:  "upgrade to v2.2.2 or later of the line instead",
	},
	{
		id: "webhook-targets", migration: 110, needs: []string{"notification_policy.targets"},
		query: `select 'notification_policy ' || id, targets::text from {s}notification_policy where targets is not null order by id`,
		bad:   notJSONArray,
		says:  "webhooks whose targets are no JSON array",
		fix:   "save the webhook again in the UI, or set targets to NULL",
	},
	{
		id: "accessory-twice", migration: 110, needs: []string{"artifact_accessory.artifact_id", "artifact_accessory.subject_artifact_id"},
		query: `select 'artifact_accessory ' || string_agg(c.id::text, ', ' order by c.id), 'artifact ' || c.artifact_id from {s}artifact_accessory c
			join {s}artifact a on a.id = c.subject_artifact_id group by c.artifact_id, a.digest having count(*) > 1 order by 1`,
		says: "accessories that belong twice to the same artifact",
		fix:  "delete the younger ones",
	},
	{
		id: "task-escape", migration: 111, needs: []string{"task.extra_attrs"},
		query: `select 'task ' || id, extra_attrs::text from {s}task where extra_attrs::text like '%\\u%' order by id`, bad: jsonbRefuses,
		says: "tasks whose attributes hold an escape that an index over JSON refuses",
		fix:  "delete these tasks, or take the escape out of extra_attrs",
	},
	{
		id: "task-escape", migration: 120, needs: []string{"task.extra_attrs"},
		query: `select 'task ' || id, extra_attrs::text from {s}task where extra_attrs::text like '%\\u%' order by id`, bad: jsonbRefuses,
		says: "tasks whose attributes hold an escape that an index over JSON refuses",
		fix:  "delete these tasks, or take the escape out of extra_attrs",
	},
	{
		id: "replication-callback", migration: 120, needs: []string{"schedule.callback_func_param"},
		query: `select 'schedule ' || id, coalesce(callback_func_param, '') from {s}schedule
			where vendor_type = 'REPLICATION' and callback_func_param is not null and callback_func_param not like '%policy_id%' order by id`,
		bad:  notInteger,
		says: "schedules of replication that do not name their policy by a number",
		fix:  "save the replication policy again",
	},
	{
		id: "scan-artifact", migration: 120, needs: []string{"execution.extra_attrs"},
		query: `select 'execution ' || id, extra_attrs #>> '{artifact,id}' from {s}execution
			where vendor_type = 'IMAGE_SCAN' and extra_attrs #>> '{artifact,id}' is not null order by id`,
		bad:  notInteger,
		says: "scans whose artifact is no number",
		fix:  "delete these executions and their tasks",
	},
}

// only is for what a few releases did and the next ones do better.
func only(names ...string) func(Release) bool {
	return func(r Release) bool { return slices.Contains(names, r.Name) }
}

func notJSON(value string) bool { return !json.Valid([]byte(value)) }

func notJSONArray(value string) bool {
	var list []json.RawMessage
	return json.Unmarshal([]byte(value), &list) != nil || list == nil
}

var integerForm = regexp.MustCompile(`^\s*[+-]?\d{1,10}\s*$`)

func notInteger(value string) bool { return !integerForm.MatchString(value) }

// badRetention reports that a retention policy's data is no JSON or names its
// schedule by something else than a number.
func badRetention(data string) bool {
	var policy struct {
		Trigger struct {
			References map[string]json.RawMessage `json:"references"`
		} `json:"trigger"`
	}
	if notJSON(data) {
		return true
	}
	if json.Unmarshal([]byte(data), &policy) != nil {
		return false // no trigger there: nothing is looked up
	}
	id := strings.Trim(string(policy.Trigger.References["job_id"]), `"`)
	return id != "" && id != "null" && notInteger(id)
}

// unicodeEscape matches a backslash with what it escapes, so that an escaped
// backslash before a u is no escape of a character.
var unicodeEscape = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)

// jsonbRefuses reports that text is good as json and not as jsonb: it escapes
// a NUL or half a surrogate pair.
func jsonbRefuses(text string) bool {
	high := -1 // where the low half of a pair must begin
	for _, at := range unicodeEscape.FindAllStringIndex(text, -1) {
		escape := strings.ToLower(text[at[0]:at[1]])
		if len(escape) != 6 {
			continue
		}
		isLow := escape >= `\udc00` && escape <= `\udfff`
		if escape == `\u0000` || isLow != (high == at[0]) {
			return true
		}
		high = -1
		if escape >= `\ud800` && escape <= `\udbff` {
			high = at[1]
		}
	}
	return high >= 0
}

// offendersShown is how many offending rows are named; all are counted.
const offendersShown = 20

// offending are the rows that an obstacle has found.
type offending struct {
	count int
	rows  []string
}

// ask looks for the rows of an obstacle.
func (o obstacle) ask(ctx context.Context, q database.Querier, rec Record) (offending, error) {
	rows, err := q.QueryContext(ctx, inSchema(rec, o.query))
	if err != nil {
		return offending{}, fmt.Errorf("looking for %s: %w", o.says, explain(err))
	}
	defer rows.Close()
	var found offending
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return offending{}, fmt.Errorf("looking for %s: %w", o.says, err)
		}
		if o.bad != nil && !o.bad(value) {
			continue
		}
		found.count++
		if len(found.rows) < offendersShown {
			found.rows = append(found.rows, described(name, value))
		}
	}
	return found, rows.Err()
}

// described adds the beginning of a value to the name of its row.
func described(name, value string) string {
	const most = 60
	if value == "" {
		return name
	}
	if r := []rune(value); len(r) > most {
		value = string(r[:most]) + "…"
	}
	return name + ": " + value
}

// canAsk reports whether all columns are there yet.
func (o obstacle) canAsk(l live) bool {
	for _, need := range o.needs {
		table, name, _ := strings.Cut(need, ".")
		if !l.has(KindColumn, table, name) {
			return false
		}
	}
	return true
}
