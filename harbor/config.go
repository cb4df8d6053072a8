package harbor

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// configFile is a file with Harbor's own settings, in one of its three forms.
type configFile interface {
	// database returns what the file says of the database.
	database() (found, error)
	// storage returns what it says of the registry's storage.
	storage() (Storage, error)
}

// readConfig reads a file with Harbor's settings and finds out by its text
// which form it has: harbor.yml (1.8 and later), harbor.cfg (up to 1.7), or an
// env file that the installer rendered.
func readConfig(path, origin string) (configFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Failedf("%s: %w", origin, err)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch first := firstLine(data); {
	case envLine.MatchString(first):
		return envFile{path: path, values: parseEnv(data)}, nil
	case cfgLine.MatchString(first):
		return cfgFile{path: path, values: parseCfg(data)}, nil
	}
	root, err := parseYAML(data)
	if err != nil {
		return nil, fault.Failedf("%s: %s is no harbor.yml, harbor.cfg or rendered env file: %w", origin, path, err)
	}
	return ymlFile{path: path, root: root}, nil
}

func fromConfig(path, origin string) (found, bool, error) {
	if path == "" {
		return found{}, false, nil
	}
	file, err := readConfig(path, origin)
	if err != nil {
		return found{}, false, err
	}
	f, err := file.database()
	return f, err == nil, err
}

var (
	envLine = regexp.MustCompile(`^_?[A-Z][A-Z0-9_]*=`)
	cfgLine = regexp.MustCompile(`^[a-z_][a-z0-9_]*\s*=`)
)

// firstLine is the first that is neither empty nor a comment.
func firstLine(data []byte) string {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != ';' && line[0] != '[' {
			return line
		}
	}
	return ""
}

// envFile is a file that the installer rendered: common/config/core/env (1.8
// and later), adminserver/env (1.1 to 1.7), ui/env and jobservice/env (0.5),
// or db/env.
type envFile struct {
	path   string
	values map[string]string
}

// parseEnv reads KEY=value lines. Harbor's templates quote and escape nothing:
// all that stands behind the first = is the value.
func parseEnv(data []byte) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		name, text, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(strings.TrimSpace(name), "#") {
			values[strings.TrimSpace(name)] = text
		}
	}
	return values
}

// dbEnv are the variables of db/env, which knows the password alone; the
// server is the one that the installer runs beside.
var dbEnv = []struct {
	name string
	host string
	of   database.Engine
}{
	{"POSTGRES_PASSWORD", "postgresql", database.PostgreSQL},
	{"MYSQL_ROOT_PASSWORD", "mysql", database.MySQL},
}

func (e envFile) database() (found, error) {
	get := func(name string) string { return e.values[name] }
	if f, ok := readCore(get, e.path+", "); ok {
		return f, nil
	}
	for _, d := range dbEnv {
		if password := get(d.name); password != "" {
			f := newFound(d.of, coreDefaults[d.of])
			f.set("host", d.host, e.path+", the installer's own database")
			f.set("password", password, e.path+", "+d.name)
			return f, nil
		}
	}
	return found{}, fault.Failedf("%s says nothing of a database: neither POSTGRESQL_HOST nor MYSQL_HOST, nor a password of db/env", e.path).
		WithHint("the file is common/config/core/env, up to Harbor 1.7 common/config/adminserver/env")
}

// storage points to the registry's own configuration, which the installer
// renders into the folder beside.
func (e envFile) storage() (Storage, error) {
	config := filepath.Join(filepath.Dir(filepath.Dir(e.path)), "registry", "config.yml")
	if _, err := os.Stat(config); err != nil {
		return Storage{}, fault.Failedf("%s does not say where the registry keeps its data, and %s is not there", e.path, config).
			WithHint("name it with --storage or --registry-config")
	}
	return Storage{ConfigFile: config, Origin: config}, nil
}

// cfgFile is harbor.cfg, which Harbor had up to 1.7.
type cfgFile struct {
	path   string
	values map[string]string
}

// parseCfg reads the file as Python's ConfigParser does, with which the
// installer read it: "=" or ":" between, comment lines with # or ;, a comment
// behind a value with a blank and ;, values continued on indented lines.
func parseCfg(data []byte) map[string]string {
	values := map[string]string{}
	last := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;["):
		case strings.ContainsAny(line[:1], " \t") && last != "":
			values[last] += "\n" + strings.TrimSpace(line)
		default:
			at := strings.IndexAny(line, "=:")
			if at < 0 {
				continue
			}
			last = strings.ToLower(strings.TrimSpace(line[:at]))
			values[last] = cfgValue(line[at+1:])
		}
	}
	return values
}

func cfgValue(text string) string {
	text = strings.TrimSpace(text)
	if at := strings.IndexByte(text, ';'); at > 0 && strings.ContainsAny(text[at-1:at], " \t") {
		text = strings.TrimSpace(text[:at])
	}
	if text == `""` {
		return ""
	}
	return text
}

// cfgKeys are the keys of 1.4 to 1.7; before, there was db_password alone. The
// name of the database is fixed.
var cfgKeys = map[string]string{"host": "db_host", "port": "db_port", "user": "db_user", "password": "db_password"}

func (c cfgFile) database() (found, error) {
	if _, ok := c.values["db_password"]; !ok {
		return found{}, fault.Failedf("%s has no db_password: it is no harbor.cfg", c.path)
	}
	engine, host := c.engine()
	f := newFound(engine, coreDefaults[engine])
	f.set("host", host, c.path+", the installer's own database")
	for setting, key := range cfgKeys {
		f.setIfAny(setting, c.values[key], c.path+", "+key)
	}
	return f, nil
}

// engine tells the MySQL era from 1.6 and 1.7, by the version in the file
// where it has one, then by what only one of them has: the port, Redis.
func (c cfgFile) engine() (engine database.Engine, host string) {
	version, _, _ := strings.Cut(c.values["_version"], " ")
	_, redis := c.values["redis_host"]
	switch {
	case strings.HasPrefix(version, "1.6") || strings.HasPrefix(version, "1.7"):
	case c.values["db_port"] == "5432" || c.values["db_host"] == "postgresql":
	case version == "" && redis && c.values["db_port"] != "3306":
	default:
		return database.MySQL, "mysql"
	}
	return database.PostgreSQL, "postgresql"
}

// storage: the data folder is fixed in these releases.
func (c cfgFile) storage() (Storage, error) {
	driver := c.values["registry_storage_provider_name"]
	if driver == "" {
		driver = "filesystem"
	}
	parameters := map[string]string{}
	config := strings.Trim(c.values["registry_storage_provider_config"], `"'`)
	for _, pair := range strings.Split(config, ",") {
		name, text, ok := strings.Cut(pair, ":")
		if ok {
			parameters[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(text), `"'`)
		}
	}
	return newStorage(driver, parameters, "/data", c.path), nil
}
