package schema

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
)

func TestBackgroundWork(t *testing.T) {
	for _, c := range []struct {
		name    string
		version Version
		change  string // what is done to a healthy database
		id      string // "" for no work
		left    int64
	}{
		{"1.9, finished", 12, "", "", 0},
		{"1.9, projects without quota", 12, `insert into project (owner_id, name) values (1, 'first'), (1, 'second')`, "quota-initialisation", 2},
		{"1.9, a deleted project has none", 12, `update project set deleted = true where project_id > 1; delete from quota_usage where reference_id <> '1'`, "", 0},
		{"1.9, one project whose use is not known yet", 12, `update project set deleted = true where project_id > 1; delete from quota_usage where reference_id <> '1';
			update quota_usage set used = '{}'`, "quota-initialisation", 1},
		{"1.9, one project and no images", 12, `update project set deleted = true where project_id > 1; delete from quota_usage where reference_id <> '1';
			update quota_usage set used = '{"storage": 0}'; delete from repository`, "", 0},
		{"1.9, a table is missing", 12, `drop table quota_usage`, "", 0},
		{"1.8 has no quotas", 5, "", "", 0},
		{"2.0, finished", 31, "", "", 0},
		{"2.0, artifacts that nobody read", 31, `update artifact set extra_attrs = null where id = (select min(id) from artifact);
			update schema_migrations set data_version = null`, "artifact-abstraction", 1},
		{"2.0, artifacts that could not be read", 31, `update artifact set extra_attrs = ''`, "", 0},
		{"2.3, artifacts that nobody read", 60, `update artifact set extra_attrs = '' where id = (select min(id) from artifact);
			update data_migrations set version = 0`, "artifact-abstraction", 1},
		{"2.9 does it no more", 120, `update artifact set extra_attrs = ''; update data_migrations set version = 0`, "", 0},
		{"no row", 12, `delete from quota_usage; delete from schema_migrations`, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := filled(t, c.version)
			if c.version == 31 {
				exec(t, db, `update schema_migrations set data_version = 30`)
			}
			for _, statement := range strings.Split(c.change, ";") {
				exec(t, db, statement)
			}
			rec, err := Recorded(t.Context(), db, database.PostgreSQL)
			if err != nil {
				t.Fatal(err)
			}
			work, err := BackgroundWork(t.Context(), db, rec)
			if err != nil {
				t.Fatal(err)
			}
			if c.id == "" {
				if len(work) > 0 {
					t.Errorf("found %+v", work)
				}
				return
			}
			if len(work) != 1 || work[0].ID != c.id || work[0].Total-work[0].Done != c.left || work[0].Total == 0 {
				t.Errorf("found %+v", work)
			}
		})
	}
}
