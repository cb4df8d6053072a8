package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// scratch is a machine with a Harbor for the commands of a page: a folder that
// stands for its root, a database named registry, and stand-ins for docker and
// kubectl that run the harbordb inside of them.
type scratch struct {
	t        *testing.T
	page     testing.TB // which the servers live as long as
	root     string
	env      []string
	servers  map[database.Engine]*dbtest.Server
	settings database.Settings
	// hosts are the addresses of servers and how pages name them.
	hosts map[string]string
}

// places are the folders of a Harbor machine that commands name. In a scratch
// they are below its root.
var places = regexp.MustCompile(`(^|[\s='":@>])(/(?:data|opt/harbor|backup|etc/harbordb|var/lib)\b)`)

// workingFolder is where commands run, in a scratch.
const workingFolder = "opt/harbor"

func newScratch(t *testing.T, page testing.TB, servers map[database.Engine]*dbtest.Server) *scratch {
	s := &scratch{t: t, page: page, servers: servers, hosts: map[string]string{}}
	var err error
	s.root, err = os.MkdirTemp("", "scratch") // the name of a test has commas, which separate values of a flag
	s.check(err)
	t.Cleanup(func() { s.check(os.RemoveAll(s.root)) })
	for _, folder := range []string{"opt/harbor/common/config/core", "data/secret/keys", "backup", "etc/harbordb", "var/lib/prometheus/node-exporter", "home"} {
		s.check(os.MkdirAll(filepath.Join(s.root, folder), 0o700))
	}
	bin, err := filepath.Abs("testdata/docs/bin")
	s.check(err)
	s.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + s.root + "/home", "LANG=C.UTF-8", "TZ=UTC",
		"SCRATCH=" + s.root, "HARBORDB_STORE=" + s.root + "/backup",
		"HARBORDB_YES=true", "HARBORDB_NO_PROGRESS=true"} // what a person at a terminal would answer and see
	return s
}

func (s *scratch) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// prepare carries out a comment.
func (s *scratch) prepare(p *part) {
	text := strings.Join(p.lines, "\n")
	switch verb, args := p.words[0], p.words[1:]; verb {
	case "harbor":
		s.harbor(args[0], args[1])
	case "upgrade": // what the core of a newer release does at its start
		version, err := strconv.Atoi(args[0])
		s.check(err)
		db := dbtest.Open(s.t, s.settings)
		defer db.Close()
		s.check(harborsql.BuildPostgreSQL(s.t.Context(), db, version))
	case "sql":
		dbtest.Exec(s.t, s.settings, text)
	case "password": // of a role that the page has made
		s.password(args[0])
	case "registry":
		r := registrytest.Filesystem(s.t)
		s.push(r)
		s.check(os.Symlink(r.Root, filepath.Join(s.root, "data", "registry")))
	case "bucket":
		s.remote(registrytest.S3(s.t), args[0], "s3: {", "cephcompatible: true, ")
	case "swift":
		s.remote(registrytest.Swift(s.t), args[0], "swift: {", "")
	case "tls":
		s.expiredRoot()
	case "file":
		name := s.translate(args[0])
		if !filepath.IsAbs(name) {
			name = filepath.Join(s.root, workingFolder, name)
		}
		s.check(os.WriteFile(name, []byte(os.Expand(text, s.getenv)+"\n"), 0o600))
	case "sh":
		if out, code := s.run("set -e\n" + text); code != 0 {
			s.t.Fatalf("line %d: %s", p.line, out)
		}
	default:
		s.t.Fatalf("line %d: no scratch %s", p.line, verb)
	}
}

// harbor makes the database registry anew, with the tables and some rows of a
// schema version, and the settings that Harbor's installer would write.
func (s *scratch) harbor(engine, version string) {
	e := map[string]database.Engine{"postgresql": database.PostgreSQL, "mysql": database.MySQL}[engine]
	server := s.server(e)
	admin := server.TCP("")
	s.drop(admin)
	dbtest.Exec(s.t, admin, "CREATE DATABASE registry"+map[database.Engine]string{database.MySQL: " CHARACTER SET utf8mb4"}[e])
	s.settings = server.TCP("registry")
	s.fill(version)
	s.hosts[fmt.Sprintf("127.0.0.1:%d", s.settings.Port)] = map[database.Engine]string{
		database.PostgreSQL: "db.harbor:5432", database.MySQL: "db.harbor:3306"}[e]
	socket := server.Settings("")
	names := map[database.Engine][5]string{
		database.PostgreSQL: {"POSTGRESQL_HOST", "POSTGRESQL_PORT", "POSTGRESQL_USERNAME", "POSTGRESQL_PASSWORD", "POSTGRESQL_DATABASE"},
		database.MySQL:      {"MYSQL_HOST", "MYSQL_PORT", "MYSQL_USR", "MYSQL_PWD", "MYSQL_DATABASE"},
	}[e]
	core := []string{names[0] + "=" + s.settings.Host, names[1] + "=" + strconv.Itoa(s.settings.Port), names[2] + "=" + s.settings.User,
		names[3] + "=" + string(s.settings.Password), names[4] + "=registry"}
	s.env = append(s.env, core...)
	s.env = append(s.env, "SOCKET="+socket.Host, "PORT="+strconv.Itoa(s.settings.Port), "PGPASSWORD="+string(s.settings.Password))
	s.write("opt/harbor/common/config/core/env", strings.Join(core, "\n"))
	s.write("opt/harbor/harbor.yml", fmt.Sprintf("hostname: harbor.example.com\ndata_volume: /data\nexternal_database:\n  harbor:\n    host: %s\n"+
		"    port: %d\n    db_name: registry\n    username: %s\n    password: %s\n    ssl_mode: disable\n", s.settings.Host, s.settings.Port, s.settings.User, string(s.settings.Password)))
	s.write("data/secret/keys/secretkey", "0123456789abcdef")
	s.write("etc/harbordb/password", string(s.settings.Password))
}

// drop removes what scratches before have left: registry and what restores made
// beside it.
func (s *scratch) drop(admin database.Settings) {
	list := map[database.Engine]string{
		database.PostgreSQL: "SELECT datname FROM pg_database WHERE datname LIKE 'registry%'",
		database.MySQL:      "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'registry%'",
	}[admin.Engine]
	db := dbtest.Open(s.t, admin)
	defer db.Close()
	rows, err := db.Query(list)
	s.check(err)
	defer rows.Close()
	for rows.Next() {
		var name string
		s.check(rows.Scan(&name))
		dbtest.Exec(s.t, admin, "DROP DATABASE "+name)
	}
	s.check(rows.Err())
}

// password gives a role a password, in /etc/harbordb/ROLE.
func (s *scratch) password(role string) {
	secret := canary.New()
	statement := fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", role, secret)
	if s.settings.Engine == database.MySQL {
		statement = fmt.Sprintf("SET PASSWORD FOR %s@'%%' = PASSWORD('%s')", role, secret)
	}
	dbtest.Exec(s.t, s.settings, statement)
	s.write("etc/harbordb/"+role, secret)
}

// fill makes a healthy Harbor of three projects.
func (s *scratch) fill(version string) {
	db := dbtest.Open(s.t, s.settings)
	defer db.Close() // a session would keep a restore from swapping
	if s.settings.Engine == database.MySQL {
		s.check(harborsql.BuildMySQL(s.t.Context(), db, version))
		return
	}
	number, err := strconv.Atoi(version)
	s.check(err)
	s.check(harborsql.FillHarbor(s.t.Context(), db, number, 60))
}

func (s *scratch) server(e database.Engine) *dbtest.Server {
	if s.servers[e] == nil {
		o := dbtest.Options{Password: canary.New()}
		if e == database.MySQL {
			s.servers[e] = dbtest.StartMariaDB(s.page, o)
		} else {
			s.servers[e] = dbtest.StartPostgreSQL(s.page, o)
		}
	}
	return s.servers[e]
}

func (s *scratch) write(name, text string) {
	s.check(os.WriteFile(filepath.Join(s.root, name), []byte(text+"\n"), 0o600))
}

// push fills a registry with two tags of one repository.
func (s *scratch) push(r *registrytest.Registry) {
	for _, tag := range []string{"v1", "v2"} {
		r.Push(s.t, "library/test", registrytest.Image{Tags: []string{tag}, Layers: []string{"layer of " + tag}})
	}
}

// remote writes the config.yml of a registry on a store to file, with keys
// that Harbor's own registry knows besides.
func (s *scratch) remote(r *registrytest.Registry, file, before, more string) {
	s.push(r)
	config, err := os.ReadFile(r.Config)
	s.check(err)
	text := strings.Replace(string(config), before, before+more, 1)
	s.check(os.WriteFile(s.translate(file), []byte(text), 0o600))
	for _, address := range localAddress.FindAllString(text, -1) {
		s.hosts[address] = "rgw:8080"
	}
}

var localAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// expiredRoot starts a server whose certificate is in date, while the root in
// old-root.pem is not; new-root.pem is the renewed one.
func (s *scratch) expiredRoot() {
	expired := dbtest.NewExpiredAuthority(s.t)
	server := dbtest.StartPostgreSQL(s.t, dbtest.Options{Password: canary.New(), TLS: expired.Issue(s.t), RequireTLS: true})
	dbtest.Exec(s.t, server.Settings(""), "CREATE DATABASE registry")
	s.settings = server.Settings("registry")
	s.fill("140")
	s.hosts[fmt.Sprintf("127.0.0.1:%d", server.TCP("").Port)] = "db.harbor"
	s.write("data/secret/keys/secretkey", "0123456789abcdef")
	s.write("etc/harbordb/password", string(s.settings.Password))
	for name, file := range map[string]string{"old-root.pem": expired.File, "new-root.pem": expired.Renew(s.t).File} {
		pem, err := os.ReadFile(file)
		s.check(err)
		s.write("etc/harbordb/"+name, string(pem))
	}
}

func (s *scratch) getenv(name string) string {
	for i := len(s.env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(s.env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// translate puts the folders that a text names below the root.
func (s *scratch) translate(text string) string {
	for address, name := range s.hosts {
		text = strings.ReplaceAll(text, name, address)
	}
	return places.ReplaceAllString(text, "${1}"+s.root+"${2}")
}

// run runs a script and returns what a person would see, and its exit code.
func (s *scratch) run(script string) (output string, code int) {
	cmd := exec.CommandContext(s.t.Context(), "bash", "-c", s.translate(script))
	cmd.Dir, cmd.Env = filepath.Join(s.root, workingFolder), s.env
	out, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if line, leaks := canary.Leak(out); leaks {
		s.t.Errorf("a password is shown: %s", line)
	}
	return s.visible(string(out)), code
}

// visible writes output as it would be on a real machine.
func (s *scratch) visible(output string) string {
	output = strings.ReplaceAll(output, s.root, "")
	for address, name := range s.hosts {
		output = strings.ReplaceAll(output, address, name)
		_, port, _ := strings.Cut(address, ":")
		_, usual, _ := strings.Cut(name, ":")
		usual = cmp.Or(usual, "5432")
		output = strings.NewReplacer(port+" ", fmt.Sprintf("%-*s ", len(port), usual), port, usual).Replace(output)
	}
	return strings.ReplaceAll(output, "127.0.0.1", "db.harbor") // as long, for the sake of columns
}
