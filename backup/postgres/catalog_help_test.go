package postgres

import (
	"bytes"
	"context"
	"fmt"
	osexec "os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// session opens a session as the engine's are: nothing found by search_path,
// every value as it is.
func session(t testing.TB, s *dbtest.Server, settings database.Settings) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.Host, config.Port, config.User, config.Database = settings.Host, uint16(settings.Port), settings.User, settings.Database
	config.Fallbacks = nil
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	if err := pin(t.Context(), conn.PgConn(), s.Major()*10000, settings.LockTimeout); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readModelOf reads the catalog as a dump does: in a read-only transaction.
func readModelOf(t testing.TB, s *dbtest.Server, settings database.Settings) *pgmodel.Model {
	t.Helper()
	conn := session(t, s, settings)
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadCatalog(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	// What was read is locked until here.
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// restoreModel makes a database of the model, through its JSON form, and
// returns its settings and the notes.
func restoreModel(t testing.TB, s *dbtest.Server, m *pgmodel.Model) (database.Settings, []pgmodel.Note) {
	t.Helper()
	data, err := pgmodel.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = pgmodel.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	settings := s.CreateDatabase(t)
	admin := session(t, s, s.Settings(""))
	target, err := ReadTarget(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	settings.Database += "_copy"
	target.Database = settings.Database
	script, notes, err := m.Render(target)
	if err != nil {
		t.Fatal(err)
	}
	run(t, admin, script.Create)
	conn := session(t, s, settings)
	run(t, conn, inOrder(script)...)
	return settings, notes
}

// inOrder are the statements of a script without rows.
func inOrder(s pgmodel.Script) []pgmodel.Statement {
	out := s.Pre
	for _, x := range s.Indexes {
		out = append(append(out, x.Create), x.Then...)
	}
	for _, k := range s.ForeignKeys {
		out = append(out, k.Add)
		if k.Validate.SQL != "" {
			out = append(out, k.Validate)
		}
	}
	for _, phase := range [][]pgmodel.Statement{s.Post, s.Triggers, s.Comments, s.Access, s.Settings, s.DefaultPrivileges} {
		out = append(out, phase...)
	}
	return out
}

// run runs statements, one by one as the server insists on.
func run(t testing.TB, conn *pgx.Conn, statements ...pgmodel.Statement) {
	t.Helper()
	for _, s := range statements {
		_, err := conn.PgConn().ExecParams(t.Context(), s.SQL, nil, nil, nil, nil).Close()
		if err != nil && !s.Optional {
			t.Fatalf("%s: %v\n%s", s.Object, err, s.SQL)
		}
		if err != nil {
			t.Logf("optional: %s: %v", s.Object, err)
		}
	}
}

// wantEqual fails unless both databases have the same catalog.
func wantEqual(t testing.TB, want, got *pgmodel.Model) {
	t.Helper()
	for _, d := range pgmodel.Diff(want, got) {
		t.Error(d)
	}
}

// pgDump returns what pg_dump says of a schema: the second opinion.
func pgDump(t testing.TB, settings database.Settings) string {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), "pg_dump", "--schema-only", "--restrict-key=same", "-h", settings.Host,
		"-p", strconv.Itoa(settings.Port), "-U", settings.User, settings.Database)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, out)
	}
	return string(out)
}

func build(t testing.TB, s *dbtest.Server, version int) database.Settings {
	t.Helper()
	settings := s.CreateDatabase(t)
	db := s.Open(t, settings.Database)
	if err := harborsql.BuildPostgreSQL(t.Context(), db, version); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // it may become a template
		t.Fatal(err)
	}
	return settings
}

// wantSameDump fails unless pg_dump says the same of both databases.
func wantSameDump(t testing.TB, source, copied database.Settings) {
	t.Helper()
	if want, got := pgDump(t, source), pgDump(t, copied); want != got {
		t.Errorf("pg_dump differs:\n%s", diffText(want, got))
	}
}

// diffText returns the first lines that differ.
func diffText(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want: " + a[i] + "\ngot:  " + b[i]
		}
	}
	return fmt.Sprintf("%d lines and %d lines", len(a), len(b))
}
