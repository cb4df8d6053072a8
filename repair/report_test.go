package repair_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// stuckReplication is the report that the repair of jobs began with: 82 stuck
// rows of policy 8 among thousands, some without a job_uuid, with lists of tags
// of 16,000 characters, and one that was touched three hours after it was made.
// Times are written as a server at +08:00 writes them.
func stuckReplication() string {
	tags := strings.Repeat("release-2018.05.04-build-1234,", 533) + "latest,v1"
	var b strings.Builder
	b.WriteString(`SET time_zone = '+08:00';
INSERT INTO replication_policy (id, name, project_id, target_id, enabled, deleted, cron_str) VALUES (8, 'to-dr', 1, 1, 0, 0, '{"kind":"Immediate"}');
INSERT INTO replication_job (id, status, policy_id, repository, operation, tags, job_uuid, creation_time, update_time) VALUES
`)
	for i := 1; i <= 3000; i++ {
		status, policy, job, list, updated := "finished", 1+i%12, fmt.Sprintf("'%016x'", i), "v1", "2018-09-10 11:00:00"
		if i%36 == 0 && i/36 <= 82 {
			status, policy, list = []string{"pending", "running"}[i/36%2], 8, tags
			if i/36%5 == 0 {
				job = "''"
			}
			if i/36 == 41 {
				updated = "2018-09-10 14:00:00"
			}
		}
		fmt.Fprintf(&b, "(%d, '%s', %d, 'library/app-%d', 'transfer', '%s', %s, '2018-09-10 11:00:00', '%s'),\n", i, status, policy, i, list, job, updated)
	}
	return strings.TrimSuffix(b.String(), ",\n") + ";"
}

func TestReportedReplicationIsFinishedOnAServerInAnotherZone(t *testing.T) {
	options := dbtest.Options{TimeZone: "+08:00"}
	for name, server := range map[string]*dbtest.Server{
		"MariaDB": dbtest.StartMariaDB(t, options), "MySQL 5.6": dbtest.StartMySQL56(t, options),
	} {
		t.Run(name, func(t *testing.T) {
			h := mysql(t, server, "1.5.0", stuckReplication())
			whole, before := dbtest.Dump(t, h.raw), h.clock()
			p := h.planReplication("8", repair.Options{})
			requireReport(t, p)
			id := h.apply(p)
			h.requireDeletable(8)
			var rows, now int
			h.query(`SELECT count(*), sum(unix_timestamp(update_time) BETWEEN ? AND unix_timestamp()) FROM replication_job
				WHERE policy_id = 8 AND status = 'finished' AND length(tags) > 15990`, []any{before.Unix()}, &rows, &now)
			if rows != 82 || now != 82 {
				t.Fatalf("%d rows are finished, %d of them now by the server's clock", rows, now)
			}
			h.undo(id)
			dbtest.RequireSame(t, whole, dbtest.Dump(t, h.raw))
		})
	}
}

func requireReport(t *testing.T, p *repair.Plan) {
	t.Helper()
	if len(p.Rows) != 82 || len(p.Policies) != 1 || p.Policies[0].Rows != 82 || p.Policies[0].State != "disabled" {
		t.Fatalf("%d rows, policies %+v", len(p.Rows), p.Policies)
	}
	made := time.Date(2018, 9, 10, 3, 0, 0, 0, time.UTC)
	for _, row := range p.Rows {
		want := int64(p.Made.Sub(made).Seconds())
		if row.ID == 41*36 {
			want -= 3 * 3600
		}
		if row.Age == nil || *row.Age < want-1 || *row.Age > want+1 || row.Young || row.To != repair.Text("finished") {
			t.Fatalf("row %d: age %v, want %d seconds; %+v", row.ID, row.Age, want, row.To)
		}
	}
	if !strings.Contains(p.Before[0].What, "stop jobservice") {
		t.Fatalf("first step: %+v", p.Before)
	}
}

// Up to 2.1 Harbor wrote the time of the server's zone into columns without
// one, and UTC from 2.2 on. Ages and what is young follow from that.
func TestTimesAreOfTheZoneThatTheReleaseWroteThemIn(t *testing.T) {
	server := dbtest.StartPostgreSQL(t, dbtest.Options{TimeZone: "Asia/Shanghai"})
	for _, c := range []struct {
		name, script string
		version      int
		offset       time.Duration
		cell         string
	}{
		{"1.6", "jobs.sql", 1, 8 * time.Hour, "replication_job 14 update_time"},
		{"1.8", "executions18.sql", 4, 8 * time.Hour, "replication_execution 10 end_time"},
		{"2.2", "executions22.sql", 50, 0, "execution 11 end_time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarbor(t, server, func(db *sql.DB) error {
				return harborsql.BuildPostgreSQL(t.Context(), db, c.version)
			}, fixtureAt(t, c.script, c.offset))
			if p := h.planReplication("", repair.Options{OlderThan: 2 * time.Hour}); len(p.LeftAlone) == 0 || *p.LeftAlone[0].Age/60 != 60 {
				t.Fatalf("left alone with an age of an hour: %+v", p.LeftAlone)
			}
			from := h.clock()
			h.apply(h.planReplication("", repair.Options{}))
			at, err := time.Parse(timeForm, h.cells()[c.cell])
			if at = at.Add(-c.offset); err != nil || at.Before(from) || at.After(h.clock()) {
				t.Fatalf("%s is %v in UTC, and the repair was after %v: %v", c.cell, at, from, err)
			}
		})
	}
}
