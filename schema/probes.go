package schema

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/database"
)

// Probe is the answer to "has migration N been run on this database?", from
// the one object that it leaves behind.
type Probe struct {
	Version Version `json:"version"`
	Sign    string  `json:"sign"` // what is looked for, such as "table quota"
	Applied bool    `json:"applied"`
}

// probe asks for one migration. until is the last version at which the sign
// can be seen; 0 is any.
type probe struct {
	version Version
	sign    string
	until   Version
	seen    func(live) bool
}

func table(name string) func(live) bool {
	return func(l live) bool { return l.has(KindTable, name, "") }
}

func columnIn(table, name string) func(live) bool {
	return func(l live) bool { return l.has(KindColumn, table, name) }
}

func index(table, name string) func(live) bool {
	return func(l live) bool { return l.has(KindIndex, table, name) }
}

// columnType asks for the type alone, whatever the default.
func columnType(table, name, typ string) func(live) bool {
	return func(l live) bool {
		have, _ := cutType(l.catalog[object{KindColumn, table, name}])
		return have == typ
	}
}

// uniqueGroups is migration 5's constraint under any name: a database that
// was converted from MySQL has others.
func uniqueGroups(l live) bool {
	for o, definition := range l.catalog {
		if o.Kind == KindConstraint && o.Table == "user_group" && definition == "UNIQUE (group_name)" {
			return true
		}
	}
	return false
}

// probes are in the order of the versions. Migrations 31, 41, 61, 71, 82 and
// 171 change data only and have none.
var probes = []probe{
	{1, "table harbor_user", 0, table("harbor_user")},
	{2, "table job_log", 0, table("job_log")},
	{3, "column replication_job.op_uuid", 3, columnIn("replication_job", "op_uuid")},
	{4, "table registry", 0, table("registry")},
	{5, "constraint unique_group_name", 0, uniqueGroups},
	{10, "table quota", 0, table("quota")},
	{11, "column harbor_user.password_version", 0, columnIn("harbor_user", "password_version")},
	{12, "type text of properties.v", 0, columnType("properties", "v", "text")},
	{15, "table scanner_registration", 0, table("scanner_registration")},
	{30, "table artifact_trash", 0, table("artifact_trash")},
	{40, "table data_migrations", 0, table("data_migrations")},
	{50, "table vulnerability_record", 0, table("vulnerability_record")},
	{51, "index task_execution_id_idx", 0, index("task", "task_execution_id_idx")},
	{52, "column schedule.revision", 0, columnIn("schedule", "revision")},
	{53, "index idx_tag_artifact_id", 0, index("tag", "idx_tag_artifact_id")},
	{60, "column replication_policy.dest_namespace_replace_count", 0, columnIn("replication_policy", "dest_namespace_replace_count")},
	{70, "column quota.version", 0, columnIn("quota", "version")},
	{80, "table artifact_accessory", 0, table("artifact_accessory")},
	{81, "index idx_artifact_repository_name", 0, index("artifact", "idx_artifact_repository_name")},
	{90, "table system_artifact", 0, table("system_artifact")},
	{91, "column replication_policy.copy_by_chunk", 0, columnIn("replication_policy", "copy_by_chunk")},
	{100, "table job_queue_status", 0, table("job_queue_status")},
	{110, "column artifact_accessory.subject_artifact_digest", 0, columnIn("artifact_accessory", "subject_artifact_digest")},
	{111, "index idx_task_extra_attrs_report_uuids", 0, index("task", "idx_task_extra_attrs_report_uuids")},
	{120, "column scan_report.critical_cnt", 0, columnIn("scan_report", "critical_cnt")},
	{130, "index idx_artifact_accessory_subject_artifact_id", 0, index("artifact_accessory", "idx_artifact_accessory_subject_artifact_id")},
	{140, "table sbom_report", 0, table("sbom_report")},
	{150, "column robot.creator_ref", 0, columnIn("robot", "creator_ref")},
	{160, "table audit_log_ext", 0, table("audit_log_ext")},
	{170, "column replication_policy.single_active_replication", 0, columnIn("replication_policy", "single_active_replication")},
	{180, "column registry.ca_certificate", 0, columnIn("registry", "ca_certificate")},
	{181, "type bigint of task.status_revision", 0, columnType("task", "status_revision", "bigint")},
	{190, "column artifact_accessory.source", 0, columnIn("artifact_accessory", "source")},
}

// probeAll answers every probe.
func probeAll(l live) []Probe {
	list := make([]Probe, len(probes))
	for i, p := range probes {
		list[i] = Probe{Version: p.version, Sign: p.sign, Applied: p.seen(l)}
	}
	return list
}

// contradictions returns the probes that do not fit a version, in words: not
// seen though its migration is below, or seen though it is above.
func contradictions(list []Probe, at Version) []string {
	var words []string
	for i, p := range list {
		switch until := probes[i].until; {
		case p.Version <= at && !p.Applied && (until == 0 || at <= until):
			words = append(words, fmt.Sprintf("%s of migration %s is not there", p.Sign, p.Version))
		case p.Version > at && p.Applied:
			words = append(words, fmt.Sprintf("%s of migration %s is there", p.Sign, p.Version))
		}
	}
	return words
}

// dataProbe finds rows that the upper half of a pair of equal catalogs would
// not have left. Its absence proves nothing: the rows may never have been.
type dataProbe struct {
	found string   // what a row that it finds is
	reads []string // the relations that the query reads
	query string   // one boolean; {s} stands for the schema
}

// dataProbes are for the versions that changed data alone. Migration 71 left
// no trace that could be asked for.
var dataProbes = map[Version]dataProbe{
	31: {"an artifact with a negative repository_id whose repository exists", []string{"artifact", "repository"},
		`select exists (select from {s}artifact a join {s}repository r on r.name = a.repository_name where a.repository_id < 0)`},
	41: {"a SCHEDULER execution without a revision", []string{"execution", "task"},
		`select exists (select from {s}execution e join {s}task t on t.execution_id = e.id
		  where e.vendor_type = 'SCHEDULER' and e.revision is null)`},
	61: {"a user whose e-mail address is the empty text", []string{"harbor_user"},
		`select exists (select from {s}harbor_user where email = '')`},
	82: {"a Running execution whose tasks have all succeeded", []string{"execution", "task"},
		`select exists (select from {s}execution e where e.status = 'Running'
		  and exists (select from {s}task t where t.execution_id = e.id)
		  and not exists (select from {s}task t where t.execution_id = e.id and t.status <> 'Success'))`},
	171: {"a used audit log without the property skip_audit_log_database", []string{"audit_log_id_seq", "properties"},
		`select (select last_value > 1 from {s}audit_log_id_seq) and not exists (
		  select from {s}properties where k = 'skip_audit_log_database')`},
}

// againstUpper returns, in words, what in the data speaks against the upper
// half of a pair; "" for nothing.
func againstUpper(ctx context.Context, q database.Querier, rec Record, upper Version) (string, error) {
	p, ok := dataProbes[upper]
	if !ok {
		return "", nil
	}
	for _, relation := range p.reads {
		if may, err := dialectOf(rec.Engine).mayRead(ctx, q, rec, relation); err != nil || !may {
			return "", err
		}
	}
	var found bool
	if err := q.QueryRowContext(ctx, inSchema(rec, p.query)).Scan(&found); err != nil {
		return "", fmt.Errorf("looking for signs of migration %s: %w", upper, explain(err))
	}
	if !found {
		return "", nil
	}
	return fmt.Sprintf("migration %s would not have left %s", upper, p.found), nil
}
