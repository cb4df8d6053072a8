package harborsql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestConvertedDatabaseHasItsOwnNames(t *testing.T) {
	db := newPostgreSQL(t)
	if err := ConvertFromMySQL(t.Context(), db, 180); err != nil {
		t.Fatal(err)
	}
	unowned := queryText(t, db, `
		SELECT relname FROM pg_class c WHERE relkind = 'S' AND NOT EXISTS (
			SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'a')
		ORDER BY relname`)
	want := strings.Fields(`access_log_log_id clair_vuln_timestamp_id harbor_label_id harbor_resource_label_id
		harbor_user_user_id img_scan_job_id img_scan_overview_id project_member_id project_metadata_id
		project_project_id properties_id replication_immediate_trigger_id replication_job_id
		replication_policy_id replication_target_id repository_repository_id role_role_id user_group_id`)
	if unowned != strings.Join(want, "\n") {
		t.Errorf("sequences without owner:\n%s", unowned)
	}
	for _, c := range []struct{ what, query, want string }{
		{"wide sequences", `SELECT data_type FROM pg_sequences WHERE sequencename = 'project_project_id'`, "bigint"},
		{"no default", `SELECT column_default FROM information_schema.columns
			WHERE table_name = 'access' AND column_name = 'access_id'`, "NULL"},
		{"a version that counts itself", `SELECT column_default FROM information_schema.columns
			WHERE table_name = 'schema_migrations' AND column_name = 'version'`,
			"nextval('schema_migrations_version_seq'::regclass)"},
		{"names of keys", `SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
			WHERE conname IN ('unique_name_and_scope', 'project_ibfk_1', 'project_metadata_ibfk_1', 'unique_label')`,
			"project_ibfk_1 project_metadata_ibfk_1 unique_name_and_scope"},
		{"year 1", `SELECT count(*) FROM harbor_user WHERE creation_time = '0001-01-01'`, "2"},
		{"roles in their places", `SELECT string_agg(role_id || name, ' ' ORDER BY role_id) FROM role`,
			"1projectAdmin 2developer 3guest 4maintainer 5limitedGuest"},
		{"ids that go on", `SELECT nextval('project_project_id')`, "2"},
	} {
		if got := queryText(t, db, c.query); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// But for what the conversion names otherwise the tables are the same.
func TestConvertedDatabaseHasTheColumnsOfItsVersion(t *testing.T) {
	for _, version := range []int{1, 50, 190} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			db := newPostgreSQL(t)
			if err := ConvertFromMySQL(t.Context(), db, version); err != nil {
				t.Fatal(err)
			}
			requireLayout(t, "converted", withoutSequences(readLines(t, db, postgreSQLLayout)),
				withoutSequences(measuredLayout(t, "layout/postgresql.tsv", PostgreSQLVersions(), fmt.Sprint(version))))
		})
	}
}

func withoutSequences(layout []string) []string {
	out := make([]string, len(layout))
	for i, line := range layout {
		fields := strings.Fields(line)
		for j := range fields {
			fields[j], _, _ = strings.Cut(fields[j], ":")
		}
		out[i] = strings.Join(fields, " ")
	}
	return out
}

func TestAllAdditionsFitOnEachMajor(t *testing.T) {
	for _, major := range []int{10, 15, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			server := dbtest.PostgreSQLMajor(t, major)
			db := server.Open(t, server.CreateDatabase(t).Database)
			build(t, db, 1)
			if err := OperatorAdditions(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			for _, name := range Additions() {
				if !strings.Contains(strings.Join(everyday, " "), name) {
					mustExec(t, db, Addition(name))
				}
			}
			if major >= 12 {
				if got := queryText(t, db, `SELECT max(doubled) FROM "Reporting".team`); got != "2469.00" {
					t.Errorf("generated column: %s", got)
				}
			}
		})
	}
}

func TestOperatorAdditionsFitOnTheNewestVersion(t *testing.T) {
	db := atVersion(t, 190)
	if err := OperatorAdditions(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := queryText(t, db, `SELECT count(*) FROM pg_extension WHERE extname = 'pgcrypto'`); got != "1" {
		t.Errorf("%s extensions", got)
	}
}

func TestNotaryKeepsVersionsWithoutAFlag(t *testing.T) {
	server, signer := newPostgreSQL(t), newPostgreSQL(t)
	if err := NotaryServer(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	if err := NotarySigner(t.Context(), signer); err != nil {
		t.Fatal(err)
	}
	if got := queryText(t, server, `SELECT (SELECT count(*) FROM schema_migrations), (SELECT count(*) FROM tuf_files),
		(SELECT count(*) FROM changefeed)`); got != "2 20 5" {
		t.Errorf("server: %s", got)
	}
	if got := queryText(t, signer, `SELECT count(*) FROM private_keys WHERE get_byte(private, 0) = 0`); got != "5" {
		t.Errorf("signer: %s", got)
	}
}
