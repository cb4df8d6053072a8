package main

import (
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/harbor"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// The test binary serves as the command harbordb in the scripts, which are
// sessions of an operator against real servers.
func TestMain(m *testing.M) {
	testscript.Main(withServers{m}, map[string]func(){"harbordb": recordedMain})
}

// withServers stops the servers when all tests are done.
type withServers struct{ m *testing.M }

func (w withServers) Run() int {
	return registrytest.Main(func() int { return dbtest.Main(w.m) })
}

func TestScripts(t *testing.T) {
	documents := t.TempDir()
	t.Cleanup(func() { checkDocuments(t, documents) }) // when all scripts have ended
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[testKey{}] = env.T().(testing.TB)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv(documentsVariable, documents)
			watchFiles(env)
			return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"database": scriptDatabase,
			"server":   scriptServer,
			"sql":      scriptSQL,
			"exits":    scriptExits,
			"password": scriptPassword,
			"secret":   scriptSecret,
			"template": scriptTemplate,
			"bucket":   scriptBucket,
			"pooler":   scriptPooler,
			"registry": scriptRegistry,
		},
	})
}

// testKey finds a script's test among its values.
type testKey struct{}

func testOf(ts *testscript.TestScript) testing.TB {
	return ts.Value(testKey{}).(testing.TB)
}

func noNegation(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
}

// scriptDatabase makes a database on a shared server:
//
//	database NAME postgresql|mysql [VERSION]
//
// With a version it holds the schema and some rows of that Harbor, else
// nothing. It sets NAME to its URL over TCP, and NAME_HOST, NAME_PORT, NAME_DB
// and NAME_SOCKET.
func scriptDatabase(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	t := testOf(ts)
	var server *dbtest.Server
	switch args[1] {
	case "postgresql":
		server = dbtest.PostgreSQL(t)
	case "mysql":
		server = dbtest.MariaDB(t)
	default:
		ts.Fatalf("database: no server %s", args[1])
	}
	settings := server.CreateDatabase(t)
	if len(args) > 2 {
		ts.Check(fillHarbor(t, settings, args[2]))
	}
	tcp := server.TCP(settings.Database)
	setServer(ts, args[0], tcp)
	ts.Setenv(args[0]+"_SOCKET", settings.Host)
}

func fillHarbor(t testing.TB, settings database.Settings, version string) error {
	db := dbtest.Open(t, settings)
	defer db.Close() // a session would keep a restore from swapping
	if settings.Engine == database.MySQL {
		if err := harborsql.BuildMySQL(t.Context(), db, version); err != nil {
			return err
		}
		return harborsql.FillMySQL(t.Context(), db, version)
	}
	number, err := strconv.Atoi(version)
	if err != nil {
		return err
	}
	if err := harborsql.BuildPostgreSQL(t.Context(), db, number); err != nil {
		return err
	}
	return harborsql.Fill(t.Context(), db, number)
}

func setServer(ts *testscript.TestScript, name string, s database.Settings) {
	u := url.URL{
		Scheme: map[database.Engine]string{database.PostgreSQL: "postgres", database.MySQL: "mysql"}[s.Engine],
		User:   url.User(s.User),
		Host:   net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Path: "/" + s.Database,
	}
	ts.Setenv(name, u.String())
	ts.Setenv(name+"_HOST", s.Host)
	ts.Setenv(name+"_PORT", strconv.Itoa(s.Port))
	ts.Setenv(name+"_DB", s.Database)
}

// scriptServer starts a server for this script alone, with the superuser's
// password, and over TCP only with TLS:
//
//	server NAME postgresql|mysql PASSWORD
//
// It sets what database sets, for the database that always exists, and
// NAME_CA, the file with its authority; NAME_OTHER_CA holds a stranger.
func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	t := testOf(ts)
	authority := dbtest.NewAuthority(t)
	options := dbtest.Options{Password: args[2], TLS: authority.Issue(t), RequireTLS: true}
	start := map[string]func(testing.TB, dbtest.Options) *dbtest.Server{
		"postgresql": dbtest.StartPostgreSQL, "mysql": dbtest.StartMariaDB,
	}[args[1]]
	setServer(ts, args[0], start(t, options).TCP(""))
	ts.Setenv(args[0]+"_CA", authority.File)
	ts.Setenv(args[0]+"_OTHER_CA", dbtest.NewAuthority(t).File)
}

// scriptSQL runs statements in the database of a URL:
//
//	sql $NAME 'STATEMENT' ...
func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	settings, err := harbor.ParseDSN(args[0], "sql")
	ts.Check(err)
	settings.TLS.Mode = database.TLSDisable
	for _, statement := range args[1:] {
		dbtest.Exec(testOf(ts), settings, statement)
	}
}

// scriptExits runs a command and checks its exit code:
//
//	exits CODE COMMAND ...
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// scriptPassword sets a variable to a new secret:
//
//	password NAME
//
// It is none that every script has: testscript prints those at the beginning.
func scriptPassword(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	ts.Setenv(args[0], canary.New())
}

// scriptSecret fails where the last command printed a password, or a text that is
// no less secret:
//
//	secret [TEXT]
func scriptSecret(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	for _, stream := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(stream)
		if line, leaks := canary.Leak([]byte(text)); leaks {
			ts.Fatalf("the secret is on %s: %s", stream, line)
		}
		if len(args) > 0 && strings.Contains(text, args[0]) {
			ts.Fatalf("the secret is on %s", stream)
		}
	}
}

// watchFiles looks, when the script has ended, for secrets in every file that
// it has made: stores, journals, metrics, lists. Files of the script itself
// may have them.
func watchFiles(env *testscript.Env) {
	own := map[string]bool{}
	err := filepath.WalkDir(env.WorkDir, func(path string, _ os.DirEntry, err error) error {
		own[path] = true
		return err
	})
	t := env.T().(testing.TB)
	if err != nil {
		t.Fatal(err)
	}
	env.Defer(func() {
		where, leaks, err := canary.LeakInFiles(env.WorkDir, func(path string) bool { return own[path] })
		if err != nil || leaks {
			t.Errorf("a secret in a file: %s %v", where, err)
		}
	})
}

// scriptTemplate replaces $NAME in files by the variables of the script:
//
//	template FILE ...
func scriptTemplate(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	for _, name := range args {
		file := ts.MkAbs(name)
		ts.Check(os.WriteFile(file, []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// scriptBucket starts an S3 server with one bucket, harbor. It sets NAME to
// its endpoint:
//
//	bucket NAME
func scriptBucket(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	backend := s3mem.New()
	ts.Check(backend.CreateBucket("harbor"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// scriptPooler puts a connection pooler before the server of a URL and sets
// NAME to the URL by way of it:
//
//	pooler NAME URL
func scriptPooler(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	settings, err := harbor.ParseDSN(args[1], "pooler")
	ts.Check(err)
	setServer(ts, args[0], dbtest.Pooler(testOf(ts), settings))
}
