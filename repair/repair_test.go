package repair_test

import (
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/repair"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := obey(text); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(dbtest.Main(m))
}

//go:embed testdata
var testdata embed.FS

// fixture is a file in which @hour ago@ is that time in UTC.
func fixture(t testing.TB, name string) string {
	t.Helper()
	return fixtureAt(t, name, 0)
}

// fixtureAt is a fixture in a zone.
func fixtureAt(t testing.TB, name string, offset time.Duration) string {
	t.Helper()
	data, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "@hour ago@", time.Now().UTC().Add(offset-time.Hour).Format(time.DateTime))
}

// harbor is one database under test.
type harbor struct {
	testing.TB
	settings database.Settings
	raw      *sql.DB      // a plain connection
	db       *database.DB // what the repair gets
	store    blobstore.Store
	folder   string // of the store
	journal  *repair.Journal
}

// newHarbor has what build and then the script put into a new database.
func newHarbor(t testing.TB, server *dbtest.Server, build func(*sql.DB) error, script string) *harbor {
	t.Helper()
	settings := server.CreateDatabase(t)
	if err := build(dbtest.Open(t, settings)); err != nil {
		t.Fatal(err)
	}
	return harborIn(t, settings, script)
}

// harborIn has what is in a database, and then the script.
func harborIn(t testing.TB, settings database.Settings, script string) *harbor {
	t.Helper()
	h := &harbor{TB: t, settings: settings, raw: dbtest.Open(t, settings)}
	if script != "" {
		dbtest.Exec(t, h.settings, script)
	}
	h.newJournal()
	h.db = open(t, h.settings)
	return h
}

// newJournal begins with an empty store.
func (h *harbor) newJournal() {
	h.Helper()
	h.folder = filepath.Join(h.TempDir(), "store")
	store, err := dir.Create(h.folder)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { store.Close() })
	h.store = store
	h.journal = repair.NewJournal(store, rand.Reader, "harbordb test")
}

func nothing(*sql.DB) error { return nil }

// built are the databases of the shared PostgreSQL server that are copied for
// tests, one for each schema version.
var built = map[int]string{}

// postgres has a schema version on PostgreSQL.
func postgres(t testing.TB, version int, script string) *harbor {
	t.Helper()
	server := dbtest.PostgreSQL(t)
	if built[version] == "" {
		built[version] = fmt.Sprintf("schema%d", version)
		server.Exec(t, "", "CREATE DATABASE "+built[version])
		db := dbtest.Open(t, server.Settings(built[version]))
		if err := harborsql.BuildPostgreSQL(t.Context(), db, version); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	name := "t" + strings.ToLower(rand.Text())
	server.Exec(t, "", "CREATE DATABASE "+name+" TEMPLATE "+built[version])
	server.DropDatabase(t, name)
	return harborIn(t, server.Settings(name), script)
}

// mysql builds the schema of a release on a server of the MySQL era.
func mysql(t testing.TB, server *dbtest.Server, release, script string) *harbor {
	t.Helper()
	return newHarbor(t, server, func(db *sql.DB) error {
		return harborsql.BuildMySQL(t.Context(), db, release)
	}, script)
}

func open(t testing.TB, settings database.Settings) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// exec changes the database behind the back of a repair.
func (h *harbor) exec(statement string) {
	h.Helper()
	dbtest.Exec(h, h.settings, statement)
}

func (h *harbor) planReplication(policy string, o repair.Options) *repair.Plan {
	h.Helper()
	p, err := repair.PlanReplication(h.Context(), h.db, policy, o)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func (h *harbor) planExecutions(o repair.Options, types ...string) *repair.Plan {
	h.Helper()
	p, err := repair.PlanExecutions(h.Context(), h.db, types, o)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func (h *harbor) apply(p *repair.Plan) repair.ID {
	h.Helper()
	result, err := repair.Apply(h.Context(), h.db, h.journal, p)
	if err != nil {
		h.Fatal(err)
	}
	if len(result.Warnings) > 0 || result.Rows != len(p.Rows) {
		h.Fatalf("result %+v of a plan with %d rows", result, len(p.Rows))
	}
	return result.ID
}

func (h *harbor) undo(id repair.ID) {
	h.Helper()
	u, err := repair.PlanUndo(h.Context(), h.db, h.journal, id)
	if err != nil {
		h.Fatal(err)
	}
	if _, err := repair.Undo(h.Context(), h.db, h.journal, u, repair.Refuse); err != nil {
		h.Fatal(err)
	}
}

// query reads one row.
func (h *harbor) query(query string, args []any, to ...any) {
	h.Helper()
	if err := h.raw.QueryRowContext(h.Context(), query, args...).Scan(to...); err != nil {
		h.Fatal(err)
	}
}

// state is what repair ls says of the only repair in the journal; empty where
// there is none.
func (h *harbor) state() repair.State {
	h.Helper()
	entries, err := h.journal.List(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	if len(entries) == 0 {
		return ""
	}
	if len(entries) > 1 {
		h.Fatalf("%d repairs in the journal", len(entries))
	}
	e, err := h.journal.Settle(h.Context(), h.db, entries[0])
	if err != nil {
		h.Fatal(err)
	}
	return e.State
}

// cells are all values of the tables that a repair may touch, by "table id
// column".
type cells map[string]string

var workTables = []string{"replication_job", "replication_execution", "replication_task", "execution", "task"}

func (h *harbor) cells() cells {
	h.Helper()
	all := cells{}
	for _, table := range workTables {
		rows, err := h.raw.QueryContext(h.Context(), "SELECT * FROM "+table)
		if err != nil {
			continue // not a table of this release
		}
		all.read(h, table, rows)
	}
	return all
}

func (c cells) read(h *harbor, table string, rows *sql.Rows) {
	h.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		h.Fatal(err)
	}
	for rows.Next() {
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			h.Fatal(err)
		}
		for i, name := range columns {
			c[fmt.Sprintf("%s %s %s", table, printed(values[0]), name)] = printed(values[i])
		}
	}
	if err := rows.Err(); err != nil {
		h.Fatal(err)
	}
}

func printed(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(timeForm)
	}
	return fmt.Sprint(v)
}

const timeForm = "2006-01-02 15:04:05.999999"

// since lists the cells that changed, one a line, in the order of their names.
// Times between from and to, by a clock that is in front of UTC by offset, are
// written as now, and those of the hour before as earlier.
func (c cells) since(before cells, from, to time.Time, offset time.Duration) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		was, is := before[name], c[name]
		if was == is {
			continue
		}
		for _, v := range []*string{&was, &is} {
			at, err := time.Parse(timeForm, *v)
			switch at = at.Add(-offset); {
			case err != nil || at.After(to) || at.Before(from.Add(-2*time.Hour)):
			case at.Before(from.Truncate(time.Second)):
				*v = "earlier"
			default:
				*v = "now"
			}
		}
		lines = append(lines, fmt.Sprintf("%s: %s → %s", name, was, is))
	}
	for name := range before {
		if _, ok := c[name]; !ok {
			lines = append(lines, name+" is gone")
		}
	}
	return strings.Join(lines, "\n")
}

// requireRepair applies a plan and requires that it changes exactly the wanted
// cells, that Harbor could delete the policies then, and that an undo brings
// every row of every table back. With the repair undone it is made once more.
func (h *harbor) requireRepair(plan func() *repair.Plan, offset time.Duration, want string, policies ...int64) {
	h.Helper()
	whole, before, from := dbtest.Dump(h, h.raw), h.cells(), h.clock()
	p := plan()
	id := h.apply(p)
	got := h.cells().since(before, from, h.clock(), offset)
	if want = strings.TrimSpace(want); got != want {
		h.Fatalf("the repair changed\n%s\nand should have changed\n%s", got, want)
	}
	for _, policy := range policies {
		h.requireDeletable(policy)
	}
	if s := h.state(); s != repair.Committed {
		h.Fatalf("the journal says %q", s)
	}
	h.undo(id)
	dbtest.RequireSame(h, whole, dbtest.Dump(h, h.raw))
	if s := h.state(); s != repair.Undone {
		h.Fatalf("the journal says %q", s)
	}
	h.apply(plan())
	for _, policy := range policies {
		h.requireDeletable(policy)
	}
}

// clock is the server's.
func (h *harbor) clock() time.Time {
	h.Helper()
	now, err := h.db.Now(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return now
}

// deletionRules count what keeps a policy from being deleted, for each table
// by the rule of its releases.
var deletionRules = map[string]string{
	"replication_job": `SELECT count(*) FROM replication_job WHERE policy_id = %d
		AND status IN ('pending', 'running', 'retrying') AND operation IN ('transfer', 'delete')`,
	"replication_execution": `SELECT count(*) FROM replication_execution e WHERE policy_id = %d
		AND (coalesce(status, '') NOT IN ('Succeed', 'Failed', 'Stopped')
		OR EXISTS (SELECT 1 FROM replication_task t WHERE t.execution_id = e.id AND coalesce(t.status, '') NOT IN ('Succeed', 'Failed', 'Stopped')))`,
	"execution": `SELECT count(*) FROM execution e WHERE vendor_type = 'REPLICATION' AND vendor_id = %d
		AND (coalesce(status, '') NOT IN ('Success', 'Error', 'Stopped')
		OR EXISTS (SELECT 1 FROM task t WHERE t.execution_id = e.id AND (t.status NOT IN ('Success', 'Error', 'Stopped') OR t.status_code <> 3)))`,
}

func (h *harbor) requireDeletable(policy int64) {
	h.Helper()
	asked := 0
	for _, table := range workTables {
		rule := deletionRules[table]
		if rule == "" {
			continue
		}
		var blocking int
		if err := h.raw.QueryRowContext(h.Context(), fmt.Sprintf(rule, policy)).Scan(&blocking); err != nil {
			continue // not a table of this release
		}
		if asked++; blocking > 0 {
			h.Fatalf("%d rows of %s keep policy %d", blocking, table, policy)
		}
	}
	if asked == 0 {
		h.Fatal("no table was asked")
	}
}

func marshal(t testing.TB, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func requireFault(t testing.TB, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one of kind %d", kind)
	}
	if got := fault.KindOf(err); got != kind {
		t.Fatalf("error of kind %d, want %d: %v", got, kind, err)
	}
	text := err.Error() + "\n" + fault.HintOf(err)
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Fatalf("error without %q:\n%s", word, text)
		}
	}
}
