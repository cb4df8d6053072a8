package harbor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// place is what a case says of the world around it.
type place struct {
	dsn, config string // content of the file, for config
	env         map[string]string
	home        map[string]string // files in the home folder
	password    string
	caFile      string
}

// sources writes the files of a place and returns what Resolve would be given.
func (p place) sources(t *testing.T) Sources {
	t.Helper()
	home := t.TempDir()
	for name, content := range p.home {
		write(t, filepath.Join(home, name), content)
	}
	s := Sources{DSN: p.dsn, CAFile: p.caFile, Home: home, Getenv: func(name string) string {
		return strings.ReplaceAll(p.env[name], "$HOME", home)
	}}
	if p.config != "" {
		s.ConfigFile = filepath.Join(home, "harbor-settings")
		write(t, s.ConfigFile, p.config)
	}
	if p.password != "" {
		s.Password, s.PasswordOrigin = database.Secret(p.password), "--password-file"
	}
	return s
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// summary is settings in one line, password included.
func summary(s database.Settings) string {
	return fmt.Sprintf("%s %s:%d %s/%s %s %s", s.Engine, s.Host, s.Port, s.User, string(s.Password), s.Database, s.TLS.Mode)
}

var core = map[string]string{
	"POSTGRESQL_HOST": "core-db", "POSTGRESQL_PORT": "5433", "POSTGRESQL_USERNAME": "core",
	"POSTGRESQL_PASSWORD": "core-secret", "POSTGRESQL_DATABASE": "harbor", "POSTGRESQL_SSLMODE": "require",
}

// with adds to an environment.
func with(env map[string]string, pairs ...string) map[string]string {
	out := maps.Clone(env)
	if out == nil {
		out = map[string]string{}
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

const ymlExternal = `
hostname: reg.example.com
external_database:
  harbor:
    host: yml-db
    port: 5434
    db_name: reg
    username: ymler
    password: yml-secret
    ssl_mode: verify-full
database:
  password: root123
`

func TestTheFirstSourceThatNamesAHostWins(t *testing.T) {
	for _, c := range []struct {
		name  string
		place place
		want  string
	}{
		{"--dsn before all others", place{
			dsn: "postgres://a:x@flag/db1", config: ymlExternal,
			env: with(core, "HARBORDB_DSN", "postgres://b:y@env/db2"),
		}, "postgresql flag:5432 a/x db1 prefer"},
		{"--harbor-config before HARBORDB_DSN", place{
			config: ymlExternal, env: with(core, "HARBORDB_DSN", "postgres://b:y@env/db2"),
		}, "postgresql yml-db:5434 ymler/yml-secret reg verify-full"},
		{"HARBORDB_DSN before HARBORDB_HARBOR_CONFIG", place{
			home: map[string]string{"h.yml": ymlExternal},
			env:  with(core, "HARBORDB_DSN", "postgres://b:y@env/db2", "HARBORDB_HARBOR_CONFIG", "$HOME/h.yml"),
		}, "postgresql env:5432 b/y db2 prefer"},
		{"HARBORDB_HARBOR_CONFIG before core's environment", place{
			home: map[string]string{"h.yml": ymlExternal}, env: with(core, "HARBORDB_HARBOR_CONFIG", "$HOME/h.yml"),
		}, "postgresql yml-db:5434 ymler/yml-secret reg verify-full"},
		{"core's environment before libpq's", place{
			env: with(core, "PGHOST", "pg", "PGPASSWORD", "p"),
		}, "postgresql core-db:5433 core/core-secret harbor require"},
		{"core's MySQL", place{
			env: map[string]string{"MYSQL_HOST": "my", "MYSQL_USR": "u", "MYSQL_PWD": "p", "MYSQL_PORT": "3307"},
		}, "mysql my:3307 u/p registry disable"},
		{"both of core's: the type decides", place{
			env: with(core, "MYSQL_HOST", "my", "DATABASE_TYPE", "mysql"),
		}, "mysql my:3306 root/ registry disable"},
		{"both of core's without a type", place{
			env: with(core, "MYSQL_HOST", "my"),
		}, "postgresql core-db:5433 core/core-secret harbor require"},
		{"libpq's before MySQL's option file", place{
			env: map[string]string{
				"PGHOST": "pg", "PGUSER": "pu", "PGPASSWORD": "pp", "PGDATABASE": "pd", "PGPORT": "5", "PGSSLMODE": "require",
			},
			home: map[string]string{".my.cnf": "[client]\nhost=my\n"},
		}, "postgresql pg:5 pu/pp pd require"},
		{"MySQL's option file", place{
			home: map[string]string{".my.cnf": "[mysqld]\nhost=no\n[client]\nhost = my # comment\nuser='o'\npassword=\"p#\\\\w\"\nport=33\nssl_mode=VERIFY_CA\nssl-ca=/ca\n[mysql]\nhost=no\n"},
		}, `mysql my:33 o/p#\w registry verify-ca`},
		{"MySQL's option file with a socket", place{
			home: map[string]string{".my.cnf": "[client]\nsocket=/run/my.sock\n"}, env: map[string]string{"MYSQL_PWD": "mp"},
		}, "mysql /run/my.sock:3306 root/mp registry prefer"},
		{"variables without a host name nothing", place{
			env: map[string]string{"POSTGRESQL_PASSWORD": "x", "PGUSER": "y", "PGHOST": "pg"},
		}, "postgresql pg:5432 y/ registry prefer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.place.sources(t).Resolve()
			if err != nil {
				t.Fatal(err)
			}
			if summary(got) != c.want {
				t.Errorf("got  %s\nwant %s", summary(got), c.want)
			}
		})
	}
}

// A password never goes to a host that its own source did not name.
func TestAPasswordStaysWithItsSource(t *testing.T) {
	everywhere := map[string]string{
		"POSTGRESQL_PASSWORD": "wrong1", "PGPASSWORD": "wrong2", "MYSQL_PWD": "wrong3", "HARBORDB_DSN": "",
	}
	passfile := map[string]string{".pgpass": "*:*:*:*:wrong4\n", ".my.cnf": "[client]\npassword=wrong5\n"}
	for _, c := range []struct {
		name   string
		place  place
		want   string
		origin string
	}{
		{"a URL without one", place{dsn: "postgres://u@h/d", env: everywhere, home: passfile, config: ymlExternal}, "", "POSTGRESQL_PASSWORD is not used, because the host came from --dsn"},
		{"a MySQL URL without one", place{dsn: "mysql://u@h/d", env: everywhere, home: passfile}, "", "not used"},
		{"core's host without one", place{env: with(everywhere, "POSTGRESQL_HOST", "h", "POSTGRESQL_PASSWORD", ""), home: passfile}, "", "PGPASSWORD is not used"},
		{"harbor.yml without one", place{config: "external_database: {harbor: {host: h}}", env: everywhere, home: passfile}, "", "not used"},
		{"an explicit one goes with a URL", place{dsn: "postgres://u:url@h/d", env: everywhere, password: "mine"}, "mine", "--password-file"},
		{"an explicit one goes with harbor.yml", place{config: ymlExternal, password: "mine"}, "mine", "--password-file"},
		{"the password file goes with libpq's host", place{
			env:  map[string]string{"PGHOST": "h", "PGUSER": "u"},
			home: map[string]string{".pgpass": "# comment\nother:*:*:*:no\nh:5432:registry:u:pass\\:word\n"},
		}, "pass:word", ".pgpass"},
		{"PGPASSFILE goes with libpq's host, a socket is called localhost", place{
			env:  map[string]string{"PGHOST": "/run/postgresql", "PGPASSFILE": "$HOME/elsewhere"},
			home: map[string]string{"elsewhere": "localhost:*:*:*:sock\n"},
		}, "sock", "elsewhere"},
		{"PGPASSWORD before the password file", place{
			env: map[string]string{"PGHOST": "h", "PGPASSWORD": "env"}, home: map[string]string{".pgpass": "*:*:*:*:file\n"},
		}, "env", "environment PGPASSWORD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.place.sources(t).Resolve()
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Password) != c.want || !strings.Contains(got.Origin["password"], c.origin) {
				t.Errorf("password %q from %q", string(got.Password), got.Origin["password"])
			}
		})
	}
}

func TestAPasswordFileThatOthersCanReadIsLeftAlone(t *testing.T) {
	s := place{env: map[string]string{"PGHOST": "h"}, home: map[string]string{".pgpass": "*:*:*:*:x\n"}}.sources(t)
	if err := os.Chmod(filepath.Join(s.Home, ".pgpass"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := s.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if got.Password != "" || !strings.Contains(got.Origin["password"], "others can read it") {
		t.Errorf("password %q, %s", string(got.Password), got.Origin["password"])
	}
}

func TestPGSERVICE(t *testing.T) {
	home := map[string]string{".pg_service.conf": "[other]\nhost=no\n[harbor]\nhost=svc\nport=5439\ndbname=reg\nuser=su\npassword=sp\nsslmode=require\napplication_name=x\n"}
	got, err := place{home: home, env: map[string]string{"PGSERVICE": "harbor", "PGHOST": "pg", "PGDATABASE": "no"}}.sources(t).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if want := "postgresql svc:5439 su/sp reg require"; summary(got) != want {
		t.Errorf("got %s", summary(got))
	}
	for _, service := range []string{"missing", "harbor"} {
		env := map[string]string{"PGSERVICE": service, "PGSERVICEFILE": "/nonexistent"}
		if service == "missing" {
			delete(env, "PGSERVICEFILE")
		}
		if _, err := (place{home: home, env: env}).sources(t).Resolve(); err == nil || !strings.Contains(err.Error(), "PGSERVICE") {
			t.Errorf("service %s: %v", service, err)
		}
	}
}

func TestEachValueRemembersWhereItCameFrom(t *testing.T) {
	got, err := place{env: with(core, "POSTGRESQL_PORT", ""), caFile: "/my/ca.pem"}.sources(t).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"host": "environment POSTGRESQL_HOST", "port": "default", "user": "environment POSTGRESQL_USERNAME",
		"password": "environment POSTGRESQL_PASSWORD", "database": "environment POSTGRESQL_DATABASE", "sslmode": "environment POSTGRESQL_SSLMODE",
		"sslrootcert": "--ca-file",
	} {
		if got.Origin[setting] != want {
			t.Errorf("%s came from %q, not %q", setting, got.Origin[setting], want)
		}
	}
	if got.TLS.ExtraCAFile != "/my/ca.pem" {
		t.Errorf("TLS is %+v", got.TLS)
	}
}

func TestNoSourceAtAllIsAUsageErrorThatNamesTheFlags(t *testing.T) {
	_, err := place{}.sources(t).Resolve()
	if fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "--dsn") {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
}

func TestRootsAndModes(t *testing.T) {
	for _, c := range []struct {
		name, dsn string
		want      database.TLS
	}{
		{"a file makes require check the chain", "postgres://h/?sslmode=require&sslrootcert=/ca", database.TLS{Mode: "verify-ca", CAFile: "/ca"}},
		{"system means the system's roots, in full", "postgres://h/?sslrootcert=system", database.TLS{Mode: "verify-full"}},
		{"a client certificate", "postgres://h/?sslcert=/c&sslkey=/k", database.TLS{Mode: "prefer", CertFile: "/c", KeyFile: "/k"}},
		{"Go's driver: true", "mysql://h/?tls=true", database.TLS{Mode: "verify-full"}},
		{"Go's driver: skip-verify", "mysql://h/?tls=skip-verify", database.TLS{Mode: "require"}},
		{"Go's driver: false", "mysql://h/?tls=false", database.TLS{Mode: "disable"}},
		{"Go's driver: preferred", "mysql://h/?tls=preferred", database.TLS{Mode: "prefer"}},
		{"MySQL's own words", "mysql://h/?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca", database.TLS{Mode: "verify-full", CAFile: "/ca"}},
		{"libpq's words for MySQL", "mysql://h/?sslmode=verify-ca&sslrootcert=/ca", database.TLS{Mode: "verify-ca", CAFile: "/ca"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseDSN(c.dsn, "--dsn")
			if err != nil {
				t.Fatal(err)
			}
			if got.TLS != c.want {
				t.Errorf("got %+v", got.TLS)
			}
		})
	}
}
