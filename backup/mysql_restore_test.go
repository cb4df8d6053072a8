package backup_test

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// extras are what Harbor does not have and a snapshot carries: triggers that
// fire in an order, views that need each other against the order of names.
const extras = `
CREATE TABLE audit (id int AUTO_INCREMENT PRIMARY KEY, what varchar(200)) ENGINE=InnoDB;
CREATE VIEW z_repositories AS SELECT name, project_id FROM repository WHERE name <> 'größe';
CREATE VIEW a_view AS SELECT z.name, p.name AS project FROM z_repositories z JOIN project p USING (project_id);
CREATE TRIGGER log_project BEFORE UPDATE ON project FOR EACH ROW SET NEW.deleted = OLD.deleted;
CREATE TRIGGER count_label AFTER INSERT ON harbor_label FOR EACH ROW INSERT INTO audit (what) VALUES (concat('it''s ', NEW.name))`

// The main job on MySQL: the snapshot takes the place of the database, which
// is kept; rollback puts it back.
func TestMySQLRestoreSwapsAndRollsBack(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			database := settings.Database
			server.Exec(t, database, extras)
			before := mySQLContents(t, server, database)
			s := take(t, settings, newStore(t), backup.Options{})
			server.Exec(t, database, `DELETE FROM audit; DROP VIEW a_view; DROP TRIGGER log_project; CREATE TABLE newer (x int);
				CREATE VIEW only_here AS SELECT x FROM newer; ALTER DATABASE CHARACTER SET latin1`)
			upgraded := mySQLContents(t, server, database)

			result := putBack(t, settings, s, target.Options{Mode: target.SwapIn, Name: database, AllowUnknownObjects: true})
			dbtest.RequireSame(t, before, mySQLContents(t, server, database))
			dbtest.RequireSame(t, upgraded, mySQLContents(t, server, result.Aside))
			rollBackMySQL(t, server, database)
			dbtest.RequireSame(t, upgraded, mySQLContents(t, server, database))
			rollBackMySQL(t, server, database)
			dbtest.RequireSame(t, before, mySQLContents(t, server, database))
			if list := beside(t, settings); len(list) != 1 || list[0].Kind != target.SetAside {
				t.Errorf("beside it: %v", list)
			}
		})
	}
}

// mySQLContents are contents without the time at which a trigger was made.
func mySQLContents(t *testing.T, server *dbtest.Server, name string) dbtest.Contents {
	t.Helper()
	c := contents(t, server, name)
	for object, lines := range c {
		if strings.HasPrefix(object, "definition of trigger ") {
			fields := strings.Split(lines[0], "\t")
			fields[2] = strings.TrimRight(fields[2], ";") // which MySQL 5.6 keeps
			c[object] = []string{strings.Join(fields[:6], "\t")}
		}
	}
	return c
}

func rollBackMySQL(t *testing.T, server *dbtest.Server, name string) {
	t.Helper()
	on, err := backup.OpenServer(t.Context(), server.Settings(name))
	check(t, err)
	defer on.Close()
	r, err := on.PlanRollback(t.Context(), name, target.Refuse)
	check(t, err)
	check(t, on.Rollback(t.Context(), r, target.Refuse))
}

// Routines and events are no part of a snapshot and of no table: a swap leaves
// them where they are, and its plan says so.
func TestMySQLRestoreNamesWhatStays(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.4.0")
			s := take(t, settings, newStore(t), backup.Options{})
			server.Exec(t, settings.Database, "CREATE PROCEDURE report() SELECT 1; CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1")
			on, err := backup.OpenServer(t.Context(), settings)
			check(t, err)
			defer on.Close()
			content, err := backup.Content(s)
			check(t, err)
			r, err := on.Plan(t.Context(), s, content, target.Options{Mode: target.SwapIn, Name: settings.Database})
			check(t, err)
			notes := strings.Join(r.Plan().Notes, "\n")
			for _, want := range []string{"event nightly stays", "procedure report stays"} {
				if !strings.Contains(notes, want) {
					t.Errorf("%q is not in the notes: %s", want, notes)
				}
			}
		})
	}
}
