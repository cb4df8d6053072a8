// Package harbor reads how an installation of Harbor spells its settings:
// connection URLs, harbor.yml and the older harbor.cfg, the env files that the
// installer renders, the environment of Harbor's core, and the ways in which
// PostgreSQL's and MySQL's own clients are configured. It turns them into
// database.Settings, and into the driver and parameters of the registry's
// storage.
//
// It is pure parsing: the environment comes in as a function, files are read
// where they are named, nothing is dialled. It must never combine the password
// of one source with the host of another, and never put a password, or the
// text of a URL that may hold one, into an error.
package harbor

import (
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// Sources are the places from which settings may come.
type Sources struct {
	// DSN is the value of --dsn, ConfigFile of --harbor-config; empty where
	// they are not on the command line.
	DSN, ConfigFile string
	// Password was given explicitly, by a flag or a file, and goes with
	// every source; PasswordOrigin names the flag and is empty where no
	// password was given.
	Password       database.Secret
	PasswordOrigin string
	// CAFile are root certificates for all connections.
	CAFile      string
	LockTimeout time.Duration
	// Getenv looks up the environment, Home is the user's folder, in which
	// clients keep password and option files; it may be empty.
	Getenv func(string) string
	Home   string
}

// source is one place: its read returns what it says, or ok == false where it
// names no host.
type source struct {
	read func() (f found, ok bool, err error)
}

// inOrder is the precedence of the sources.
func (s Sources) inOrder() []source {
	return []source{
		{func() (found, bool, error) { return fromDSN(s.DSN, "--dsn") }},
		{func() (found, bool, error) { return fromConfig(s.ConfigFile, "--harbor-config") }},
		{func() (found, bool, error) { return fromDSN(s.Getenv("HARBORDB_DSN"), "HARBORDB_DSN") }},
		{func() (found, bool, error) {
			return fromConfig(s.Getenv("HARBORDB_HARBOR_CONFIG"), "HARBORDB_HARBOR_CONFIG")
		}},
		{s.fromCore},
		{s.fromLibpq},
		{s.fromMySQLClient},
	}
}

// Resolve returns the settings of the first source that names a host:
//
//  1. --dsn
//  2. --harbor-config
//  3. HARBORDB_DSN, then HARBORDB_HARBOR_CONFIG
//  4. the environment of Harbor's core: POSTGRESQL_*, MYSQL_*
//  5. libpq: PGSERVICE, PG*, and the password file
//  6. MySQL's option file ~/.my.cnf, with MYSQL_PWD
//
// Everything else comes from that same source or is a default; the password
// too, unless one was given explicitly. A password of one source never meets
// the host of another. Settings.Origin says of each setting where it came
// from; where a password lies in another source and was left alone, it says
// that.
//
// --dsn and --harbor-config may stand together: the file is then read for the
// registry's storage alone. A source that is given but cannot be understood is
// an error and not passed over.
func (s Sources) Resolve() (database.Settings, error) {
	for _, candidate := range s.inOrder() {
		f, ok, err := candidate.read()
		if err != nil {
			return database.Settings{}, err
		}
		if !ok {
			continue
		}
		s.choosePassword(&f)
		settings, err := f.settings()
		if err != nil {
			return database.Settings{}, err
		}
		if settings.TLS.ExtraCAFile = s.CAFile; s.CAFile != "" && settings.TLS.CAFile == "" {
			settings.Origin["sslrootcert"] = "--ca-file"
		}
		settings.LockTimeout = s.LockTimeout
		return settings, nil
	}
	return database.Settings{}, fault.Usagef("nothing says where the database is").
		WithHint("--dsn postgres://user@host:5432/registry, or --harbor-config harbor.yml, or the environment of Harbor's core (POSTGRESQL_HOST …)")
}

// choosePassword lets an explicit password win, and explains a missing one.
func (s Sources) choosePassword(f *found) {
	if s.PasswordOrigin != "" {
		f.set("password", string(s.Password), s.PasswordOrigin)
		return
	}
	if f.text("password") != "" || f.origin("password") != "" {
		return
	}
	for _, name := range []string{"POSTGRESQL_PASSWORD", "PGPASSWORD", "MYSQL_PWD"} {
		if s.Getenv(name) != "" {
			f.set("password", "", "nowhere: "+name+" is not used, because the host came from "+f.origin("host"))
			return
		}
	}
}

// found is what a source says.
type found struct {
	engine database.Engine
	values map[string]value
	// defaults are what the source's own program takes where it says
	// nothing.
	defaults map[string]string
}

// value is a setting and where it came from.
type value struct{ text, origin string }

// settingNames are all that a source can say.
var settingNames = []string{"host", "port", "user", "password", "database", "sslmode", "sslrootcert", "sslcert", "sslkey"}

func newFound(engine database.Engine, defaults map[string]string) found {
	return found{engine: engine, values: map[string]value{}, defaults: defaults}
}

func (f found) set(setting, text, origin string) { f.values[setting] = value{text, origin} }

// setIfAny is set where there is something to set.
func (f found) setIfAny(setting, text, origin string) {
	if text != "" {
		f.set(setting, text, origin)
	}
}

func (f found) text(setting string) string   { return f.values[setting].text }
func (f found) origin(setting string) string { return f.values[setting].origin }

// Harbor's own defaults (src/core, make/photon/prepare), for sources that
// Harbor itself reads: it uses TLS only where it is told to.
var (
	corePostgreSQL = map[string]string{"port": "5432", "user": "postgres", "database": "registry", "sslmode": "disable"}
	coreMySQL      = map[string]string{"port": "3306", "user": "root", "database": "registry", "sslmode": "disable"}
)

// The defaults elsewhere: the port and TLS of the server's own clients, the
// user and database of Harbor.
var clientDefaults = map[database.Engine]map[string]string{
	database.PostgreSQL: {"port": "5432", "user": "postgres", "database": "registry", "sslmode": "prefer"},
	database.MySQL:      {"port": "3306", "user": "root", "database": "registry", "sslmode": "prefer"},
}

// settings checks what a source says and fills in the defaults.
func (f found) settings() (database.Settings, error) {
	for setting, text := range f.defaults {
		if f.text(setting) == "" {
			f.set(setting, text, "default")
		}
	}
	s := database.Settings{
		Engine:   f.engine,
		Host:     f.text("host"),
		User:     f.text("user"),
		Password: database.Secret(f.text("password")),
		Database: f.text("database"),
		Origin:   map[string]string{},
	}
	for _, setting := range settingNames {
		if origin := f.origin(setting); origin != "" {
			s.Origin[setting] = origin
		}
	}
	var err error
	if s.Port, err = parsePort(f.values["port"]); err != nil {
		return database.Settings{}, err
	}
	s.TLS, err = f.tls()
	return s, err
}

// tls reads the mode, in libpq's words or in MySQL's, and the files.
func (f found) tls() (database.TLS, error) {
	t := database.TLS{
		CAFile:   f.text("sslrootcert"),
		CertFile: f.text("sslcert"),
		KeyFile:  f.text("sslkey"),
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return t, fault.Usagef("%s: a client certificate needs both sslcert and sslkey", f.origin("host"))
	}
	mode, ok := tlsWords[f.text("sslmode")]
	if !ok {
		return t, fault.Usagef("%s: TLS mode %q is not known; it is one of disable, allow, prefer, require, verify-ca, verify-full",
			f.origin("sslmode"), f.text("sslmode"))
	}
	t.Mode = mode
	// As libpq has it: "system" are the system's roots, verified in full,
	// and a file of roots makes require check the chain.
	if t.CAFile == "system" {
		t.CAFile, t.Mode = "", database.TLSVerifyFull
	}
	if t.Mode == database.TLSRequire && t.CAFile != "" {
		t.Mode = database.TLSVerifyCA
	}
	return t, nil
}

// tlsWords are the modes as libpq, Harbor, Go's MySQL driver and MySQL's own
// clients spell them. Harbor 1.6 rendered a boolean.
var tlsWords = map[string]database.TLSMode{
	"disable": database.TLSDisable, "false": database.TLSDisable, "DISABLED": database.TLSDisable, "False": database.TLSDisable,
	"allow":  database.TLSAllow,
	"prefer": database.TLSPrefer, "preferred": database.TLSPrefer, "PREFERRED": database.TLSPrefer,
	"require": database.TLSRequire, "enable": database.TLSRequire, "skip-verify": database.TLSRequire, "REQUIRED": database.TLSRequire,
	"verify-ca": database.TLSVerifyCA, "VERIFY_CA": database.TLSVerifyCA,
	"verify-full": database.TLSVerifyFull, "true": database.TLSVerifyFull, "VERIFY_IDENTITY": database.TLSVerifyFull,
}
