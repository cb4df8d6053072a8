package harborsql

import (
	"database/sql"
	"fmt"
	"testing"
)

// healthy are questions that a healthy Harbor answers with 0, by the lowest and
// highest version that they can be asked of.
var healthy = []struct {
	what     string
	from, to int
	query    string
}{
	{"projects without owner", 1, 190, `SELECT count(*) FROM project p WHERE NOT EXISTS (SELECT FROM harbor_user u WHERE u.user_id = p.owner_id)`},
	{"repositories without project", 1, 190, `SELECT count(*) FROM repository r WHERE NOT EXISTS (SELECT FROM project p WHERE p.project_id = r.project_id)`},
	{"members without user", 1, 190, `SELECT count(*) FROM project_member m WHERE entity_type = 'u' AND NOT EXISTS (SELECT FROM harbor_user u WHERE u.user_id = m.entity_id)`},
	{"policies without target", 1, 3, `SELECT count(*) FROM replication_policy p WHERE NOT EXISTS (SELECT FROM replication_target t WHERE t.id = p.target_id)`},
	{"policies without registry", 4, 190, `SELECT count(*) FROM replication_policy p WHERE NOT EXISTS (SELECT FROM registry r WHERE r.id = p.dest_registry_id)`},
	{"jobs that block a policy", 1, 3, `SELECT count(*) FROM replication_job WHERE status IN ('running', 'retrying', 'pending')`},
	{"executions that do not fit their tasks", 4, 41, `SELECT count(*) FROM replication_execution e JOIN replication_task t ON t.execution_id = e.id WHERE t.status <> e.status`},
	{"executions that block", 50, 190, `SELECT count(*) FROM execution WHERE vendor_type <> 'SCHEDULER' AND status NOT IN ('Success', 'Error', 'Stopped')`},
	{"tasks that block", 50, 190, `SELECT count(*) FROM task WHERE vendor_type <> 'SCHEDULER' AND status_code <> 3`},
	{"schedules without task", 40, 190, `SELECT count(*) FROM schedule s WHERE NOT EXISTS (SELECT FROM execution e JOIN task t ON t.execution_id = e.id WHERE e.vendor_type = 'SCHEDULER' AND e.vendor_id = s.id)`},
	{"scheduled policies without schedule", 50, 190, `SELECT count(*) FROM replication_policy p WHERE trigger LIKE '%"scheduled"%' AND NOT EXISTS (SELECT FROM schedule s WHERE s.vendor_type = 'REPLICATION' AND s.vendor_id = p.id)`},
	{"artifacts without manifest blob", 10, 190, `SELECT count(*) FROM artifact a WHERE NOT EXISTS (SELECT FROM blob b WHERE b.digest = a.digest)`},
	{"artifacts without blobs", 10, 190, `SELECT count(*) FROM artifact a WHERE NOT EXISTS (SELECT FROM artifact_blob ab WHERE ab.digest_af = a.digest AND ab.digest_blob = a.digest)`},
	{"references to blobs that are not there", 10, 190, `SELECT count(*) FROM artifact_blob ab WHERE NOT EXISTS (SELECT FROM blob b WHERE b.digest = ab.digest_blob)`},
	{"blobs that the project does not count", 10, 190, `SELECT count(*) FROM artifact a JOIN artifact_blob ab ON ab.digest_af = a.digest JOIN blob b ON b.digest = ab.digest_blob WHERE NOT EXISTS (SELECT FROM project_blob pb WHERE pb.blob_id = b.id AND pb.project_id = a.project_id)`},
	{"artifacts without repository", 30, 190, `SELECT count(*) FROM artifact a WHERE NOT EXISTS (SELECT FROM repository r WHERE r.repository_id = a.repository_id AND r.name = a.repository_name)`},
	{"empty artifacts", 30, 190, `SELECT count(*) FROM artifact WHERE COALESCE(size, 0) = 0`},
	{"tags in another repository", 30, 190, `SELECT count(*) FROM tag t JOIN artifact a ON a.id = t.artifact_id WHERE a.repository_id <> t.repository_id`},
	{"projects without quota", 10, 190, `SELECT count(*) FROM project p WHERE NOT EXISTS (SELECT FROM quota q JOIN quota_usage u ON u.id = q.id AND u.reference_id = q.reference_id WHERE q.reference_id = p.project_id::text)`},
	{"sums that are wrong", 10, 190, `SELECT count(*) FROM quota_usage u WHERE (used ->> 'storage')::bigint <> (SELECT COALESCE(sum(b.size), 0) FROM project_blob pb JOIN blob b ON b.id = pb.blob_id WHERE pb.project_id::text = u.reference_id)`},
	{"retention of nothing", 10, 190, `SELECT count(*) FROM project_metadata m WHERE name = 'retention_id' AND NOT EXISTS (SELECT FROM retention_policy r WHERE r.id::text = m.value)`},
	{"more or less than one default scanner", 15, 190, `SELECT count(*) - 1 FROM scanner_registration WHERE is_default`},
	{"reports without artifact", 15, 190, `SELECT count(*) FROM scan_report s WHERE NOT EXISTS (SELECT FROM artifact a WHERE a.digest = s.digest)`},
	{"counts that do not fit", 120, 190, `SELECT count(*) FROM scan_report s WHERE critical_cnt <> (SELECT count(*) FROM report_vulnerability_record r JOIN vulnerability_record v ON v.id = r.vuln_record_id WHERE r.report_uuid = s.uuid AND v.severity = 'Critical')`},
	{"artifacts that nobody read", 40, 190, `SELECT count(*) FROM data_migrations WHERE version <> 30`},
}

func requireHealthy(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	for _, q := range healthy {
		if version < q.from || version > q.to {
			continue
		}
		if got := queryText(t, db, q.query); got != "0" {
			t.Errorf("%s: %s", q.what, got)
		}
	}
	requireSequences(t, db)
}

// requireSequences checks that no sequence stands behind the ids of its column.
func requireSequences(t *testing.T, db *sql.DB) {
	t.Helper()
	tables, err := readTables(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, c := range table.columns {
			sequence := queryText(t, db, `SELECT COALESCE(pg_get_serial_sequence($1::text, $2::text), '')`, quote(table.name), c.name)
			if sequence == "" {
				continue
			}
			behind := queryText(t, db, fmt.Sprintf(`SELECT COALESCE(max(%s) > (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s), false) FROM %s`,
				quote(c.name), sequence, quote(table.name)))
			if behind != "false" {
				t.Errorf("%s is behind", sequence)
			}
		}
	}
}

// From 2.0 on everything that a healthy Harbor needs survives an upgrade; what
// comes from before waits for core to read the manifests and to register a
// scanner.
func TestHarborOfAnyVersionIsHealthyAndCanBeUpgraded(t *testing.T) {
	eachVersion(t, lastVersions, func(t *testing.T, db *sql.DB, version int) {
		if err := FillHarbor(t.Context(), db, version, 50); err != nil {
			t.Fatal(err)
		}
		requireHealthy(t, db, version)
		if got := queryText(t, db, `SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM repository)`); got != "3 13" {
			t.Errorf("projects and repositories: %s", got)
		}
		build(t, db, 190)
		if version < 31 {
			return
		}
		requireHealthy(t, db, 190)
		if got := queryText(t, db, `SELECT (SELECT count(*) FROM artifact), (SELECT count(*) FROM tag)`); got != "63 63" {
			t.Errorf("artifacts and tags: %s", got)
		}
	})
}

func TestHarborWithoutImagesIsHealthy(t *testing.T) {
	db := atVersion(t, 180)
	if err := FillHarbor(t.Context(), db, 180, 0); err != nil {
		t.Fatal(err)
	}
	requireHealthy(t, db, 180)
}
