package schema

import (
	"fmt"
	"slices"
	"strings"
)

// convertedSequences are the sequences that the 1.6 and 1.7 migrators gave to
// the tables that they converted from MySQL: without the _seq of SERIAL.
var convertedSequences = []string{
	"access_log_log_id", "clair_vuln_timestamp_id", "harbor_label_id", "harbor_resource_label_id", "harbor_user_user_id",
	"img_scan_job_id", "img_scan_overview_id", "project_member_id", "project_metadata_id", "project_project_id", "properties_id",
	"replication_immediate_trigger_id", "replication_job_id", "replication_policy_id", "replication_target_id",
	"repository_repository_id", "role_role_id", "user_group_id",
}

// mysqlSigns returns what shows that a PostgreSQL database was converted from
// Harbor 1.5's MySQL; nothing for any other. One sign is proof enough: no
// Harbor on PostgreSQL has ever made such a name.
func mysqlSigns(l live) []string {
	var signs []string
	for o, name := range l.sequences {
		if slices.Contains(convertedSequences, name) {
			signs = append(signs, fmt.Sprintf("%s.%s counts with sequence %s", o.Table, o.Name, name))
		}
	}
	for o := range l.catalog {
		if o.Kind == KindConstraint && (o.Name == "project_ibfk_1" || o.Name == "project_metadata_ibfk_1") {
			signs = append(signs, "foreign key "+o.Name)
		}
	}
	slices.Sort(signs)
	return signs
}

// convertedTables are the tables that the converter built. It wrote its own
// statements for them, so that names, defaults and NOT NULL differ from what
// migration 1 makes, and types do not.
var convertedTables = []string{
	"access", "access_log", "admin_job", "clair_vuln_timestamp", "harbor_label", "harbor_resource_label", "harbor_user",
	"img_scan_job", "img_scan_overview", "project", "project_member", "project_metadata", "properties", "registry",
	"replication_immediate_trigger", "replication_job", "replication_policy", "replication_schedule_job", "replication_target",
	"repository", "role", "schema_migrations", "user_group", "alembic_version",
}

// fromMySQL reports whether the conversion explains a difference in a
// database that has been through it.
func fromMySQL(d Drift) bool {
	if !slices.Contains(convertedTables, d.Table) {
		return false
	}
	switch {
	case d.Change == Renamed:
		return true
	case d.Table == "admin_job" && d.Kind == KindIndex:
		return slices.Contains([]string{"admin_job_status", "admin_job_uuid", "status"}, d.Name)
	case d.Change == Different && d.Kind == KindColumn:
		want, _ := cutType(d.Want)
		have, _ := cutType(d.Have)
		return want == have && (strings.Contains(d.Want, " default ") || strings.Contains(d.Have, " default "))
	}
	return false
}
