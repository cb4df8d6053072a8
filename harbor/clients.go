package harbor

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgservicefile"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// libpqVariables are the environment variables of PostgreSQL's own clients
// (PostgreSQL manual, "Environment Variables").
var libpqVariables = []struct{ setting, name string }{
	{"host", "PGHOST"}, {"host", "PGHOSTADDR"}, {"port", "PGPORT"}, {"user", "PGUSER"}, {"password", "PGPASSWORD"},
	{"database", "PGDATABASE"}, {"sslmode", "PGSSLMODE"}, {"sslrootcert", "PGSSLROOTCERT"},
	{"sslcert", "PGSSLCERT"}, {"sslkey", "PGSSLKEY"},
}

// fromLibpq reads the environment as libpq does: PGSERVICE first, then the
// variables, and the password file for a password that neither names.
func (s Sources) fromLibpq() (found, bool, error) {
	f := newFound(database.PostgreSQL, clientDefaults[database.PostgreSQL])
	for _, v := range libpqVariables {
		f.setIfAny(v.setting, s.Getenv(v.name), "environment "+v.name)
	}
	if service := s.Getenv("PGSERVICE"); service != "" {
		if err := s.addService(f, service); err != nil {
			return found{}, false, err
		}
	}
	host := f.text("host")
	if host == "" {
		return found{}, false, nil
	}
	if strings.Contains(host, ",") {
		return found{}, false, fault.Usagef("%s names several hosts; name the one that accepts writes", f.origin("host"))
	}
	if f.text("password") == "" {
		s.addPassfile(f)
	}
	return f, true, nil
}

// addService takes what a service of the service file says, which comes
// before the other variables (PostgreSQL manual, "The Connection Service
// File").
func (s Sources) addService(f found, name string) error {
	path := s.Getenv("PGSERVICEFILE")
	if path == "" {
		path = filepath.Join(s.Home, ".pg_service.conf")
	}
	file, err := pgservicefile.ReadServicefile(path)
	if err != nil {
		return fault.Failedf("PGSERVICE is set, but its file cannot be read: %w", err)
	}
	service, err := file.GetService(name)
	if err != nil {
		return fault.Failedf("PGSERVICE: %s has no service %q", path, name)
	}
	for key, text := range service.Settings {
		if setting, ok := parameters[key]; ok {
			f.set(setting, text, fmt.Sprintf("%s, service %s", path, name))
		}
	}
	return nil
}

// addPassfile looks up the password in libpq's password file. As libpq does,
// it leaves a file alone that others can read.
func (s Sources) addPassfile(f found) {
	path := s.Getenv("PGPASSFILE")
	if path == "" {
		path = filepath.Join(s.Home, ".pgpass")
	}
	info, err := os.Stat(path)
	if err != nil {
		return // no password file is no error; the server may want none
	}
	if info.Mode().Perm()&0o077 != 0 {
		f.set("password", "", "nowhere: "+path+" is left alone because others can read it; chmod 600 it")
		return
	}
	file, err := pgpassfile.ReadPassfile(path)
	if err != nil {
		f.set("password", "", "nowhere: "+path+" cannot be read")
		return
	}
	lookUp := func(setting string) string {
		if text := f.text(setting); text != "" {
			return text
		}
		return f.defaults[setting]
	}
	host := lookUp("host")
	if strings.HasPrefix(host, "/") {
		host = "localhost" // how the file names a unix socket
	}
	password := file.FindPassword(host, lookUp("port"), lookUp("database"), lookUp("user"))
	f.setIfAny("password", password, path)
}

// fromMySQLClient reads the section [client] of ~/.my.cnf, and MYSQL_PWD and
// MYSQL_TCP_PORT, as MySQL's own clients do (MySQL manual, "Using Option
// Files").
func (s Sources) fromMySQLClient() (found, bool, error) {
	if s.Home == "" {
		return found{}, false, nil
	}
	path := filepath.Join(s.Home, ".my.cnf")
	options, err := readOptionFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, false, nil
	}
	if err != nil {
		return found{}, false, fault.Failedf("read MySQL's option file: %w", err)
	}
	f := newFound(database.MySQL, clientDefaults[database.MySQL])
	f.setIfAny("port", s.Getenv("MYSQL_TCP_PORT"), "environment MYSQL_TCP_PORT")
	f.setIfAny("password", s.Getenv("MYSQL_PWD"), "environment MYSQL_PWD")
	for _, name := range []string{"port", "user", "password", "database", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"} {
		setting, ok := parameters[name]
		if !ok {
			setting = name
		}
		f.setIfAny(setting, options[name], path)
	}
	for _, name := range []string{"socket", "host"} {
		f.setIfAny("host", options[name], path)
	}
	return f, f.text("host") != "", nil
}

// readOptionFile returns the options of the section [client], by their names
// with dashes.
func readOptionFile(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	options := map[string]string{}
	section := ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;!"):
		case line[0] == '[':
			section = strings.Trim(line, "[] ")
		case section == "client":
			name, text, _ := strings.Cut(line, "=")
			name = strings.ReplaceAll(strings.TrimSpace(name), "_", "-")
			options[name] = optionValue(text)
		}
	}
	return options, lines.Err()
}

// optionEscapes are the escapes of option files.
var optionEscapes = strings.NewReplacer(`\b`, "\b", `\t`, "\t", `\n`, "\n", `\r`, "\r", `\s`, " ", `\\`, `\`)

// optionValue takes a value out of its quotes, or ends it where a comment
// begins.
func optionValue(text string) string {
	text = strings.TrimSpace(text)
	for _, quote := range []string{`"`, `'`} {
		if inner, ok := strings.CutPrefix(text, quote); ok {
			if end := strings.LastIndex(inner, quote); end >= 0 {
				return optionEscapes.Replace(inner[:end])
			}
		}
	}
	text, _, _ = strings.Cut(text, "#")
	return optionEscapes.Replace(strings.TrimSpace(text))
}
