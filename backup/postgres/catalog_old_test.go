package postgres

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// PostgreSQL 9.6 cannot be run here. oldServer lets a server of version 10
// answer the queries for 9.6: it claims that version, and gives sequences the
// columns that they had then. Everything else in these queries version 10
// still has.
type oldServer struct{ rowQuerier }

var sequenceRowQuery = regexp.MustCompile(`(?s)SELECT start_value AS start.* FROM (".*")$`)

func (o oldServer) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	sql = strings.Replace(sql, "current_setting('server_version_num')::int", "90624", 1)
	if m := sequenceRowQuery.FindStringSubmatch(sql); m != nil {
		sql = `SELECT seqstart AS start, seqincrement AS increment, seqmin AS min, seqmax AS max, seqcache AS cache, seqcycle AS cycle
			FROM pg_sequence WHERE seqrelid = ` + pgmodel.QuoteLiteral(m[1]) + `::regclass`
	}
	return o.rowQuerier.Query(ctx, sql, args...)
}

func TestQueriesForNineSixReadTheSameCatalog(t *testing.T) {
	server := dbtest.PostgreSQLMajor(t, 10)
	source := build(t, server, 180)
	old, err := ReadCatalog(t.Context(), oldServer{session(t, server, source)})
	if err != nil {
		t.Fatal(err)
	}
	if old.Major != 9 {
		t.Fatalf("read as PostgreSQL %d", old.Major)
	}
	want := readModelOf(t, server, source)
	for i := range want.Sequences {
		want.Sequences[i].Type = "bigint" // the only one before PostgreSQL 10
	}
	wantEqual(t, want, old)
	copied, notes := restoreModel(t, server, old)
	if len(notes) > 0 {
		t.Errorf("notes: %v", notes)
	}
	for _, d := range pgmodel.Compare(old, readModelOf(t, server, copied)) {
		t.Error(d)
	}
}

func TestScriptForNineSixHasNothingNewer(t *testing.T) {
	server := dbtest.PostgreSQLMajor(t, 18)
	m := readModelOf(t, server, build(t, server, 180))
	script, notes, err := m.Render(pgmodel.Target{Major: 9, Database: "d", Superuser: true})
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	newer := regexp.MustCompile(`EXECUTE FUNCTION|LOCALE_PROVIDER|SEQUENCE "[^"]*"\."[^"]*" AS |CONSTRAINT "[^"]*" NOT NULL`)
	for _, s := range append(inOrder(script), script.Create) {
		if newer.MatchString(s.SQL) {
			t.Errorf("PostgreSQL 9.6 does not know: %s", s.SQL)
		}
	}
	// Version 10 still takes all of it.
	old := dbtest.PostgreSQLMajor(t, 10)
	copied := old.CreateDatabase(t)
	script, _, err = m.Render(pgmodel.Target{Major: 9, Database: copied.Database, Superuser: true})
	if err != nil {
		t.Fatal(err)
	}
	run(t, session(t, old, copied), inOrder(script)...)
	for _, d := range pgmodel.Compare(m, readModelOf(t, old, copied)) {
		if d.Attribute != "type" { // of sequences
			t.Error(d)
		}
	}
}
