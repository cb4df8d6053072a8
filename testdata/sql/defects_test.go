package harborsql

import "testing"

// Each file says which versions it is for; here is one of them, and what the
// version table holds afterwards.
func TestDefectsOfTheVersionTable(t *testing.T) {
	for _, d := range []struct {
		name    string
		version int
		rows    string
	}{
		{"dirty", 150, "150 true"},
		{"dirty-next", 171, "180 true"},
		{"duplicated", 150, "150 false\n151 true"},
		{"emptied", 150, ""},
		{"lying", 150, "1 false"},
		{"lying-newer", 150, "180 false"},
		{"merged", 120, "120 false"},
		{"unknown-version", 150, "6 false"},
	} {
		t.Run(d.name, func(t *testing.T) {
			tx := begin(t, atVersion(t, d.version))
			mustExec(t, tx, Defect(d.name))
			if got := queryText(t, tx, `SELECT version, dirty FROM schema_migrations ORDER BY version`); got != d.rows {
				t.Errorf("rows:\n%s\nwant:\n%s", got, d.rows)
			}
		})
	}
	t.Run("missing-table", func(t *testing.T) {
		tx := begin(t, atVersion(t, 150))
		mustExec(t, tx, Defect("missing-table"))
		if got := queryText(t, tx, `SELECT to_regclass('schema_migrations')`); got != "NULL" {
			t.Errorf("there is %s", got)
		}
	})
}
