package harbor

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// schemes of connection URLs.
var schemes = map[string]database.Engine{
	"postgres":   database.PostgreSQL,
	"postgresql": database.PostgreSQL,
	"mysql":      database.MySQL,
	"mariadb":    database.MySQL,
}

// parameters are the settings by the names that URLs have for them after the
// question mark.
var parameters = map[string]string{
	"host": "host", "hostaddr": "host", "socket": "host", "unix_socket": "host",
	"port": "port", "user": "user", "password": "password", "dbname": "database",
	"sslmode": "sslmode", "tls": "sslmode", "ssl-mode": "sslmode",
	"sslrootcert": "sslrootcert", "ssl-ca": "sslrootcert",
	"sslcert": "sslcert", "ssl-cert": "sslcert",
	"sslkey": "sslkey", "ssl-key": "sslkey",
}

// ignored are parameters that may stand in a URL made for another program and
// have no meaning here.
var ignored = []string{"application_name", "connect_timeout", "client_encoding", "charset", "collation", "parseTime", "loc",
	"multiStatements", "timeout", "fallback_application_name"}

const percentHint = "characters such as @ : / ? # % in a user name or password are written as %40 %3A %2F %3F %23 %25"

// ParseDSN reads a connection URL: postgres://, postgresql:// or mysql://,
// with a TCP host, or a unix socket as ?host=/path or percent-encoded in place
// of the host. origin names the flag or variable that held it. No error quotes
// the URL: it may hold a password.
func ParseDSN(dsn, origin string) (database.Settings, error) {
	f, ok, err := fromDSN(dsn, origin)
	if err != nil {
		return database.Settings{}, err
	}
	if !ok {
		return database.Settings{}, fault.Usagef("%s is empty", origin)
	}
	return f.settings()
}

func fromDSN(dsn, origin string) (found, bool, error) {
	if dsn == "" {
		return found{}, false, nil
	}
	scheme, rest, isURL := strings.Cut(dsn, "://")
	engine, known := schemes[scheme]
	if !isURL || !known {
		return found{}, false, fault.Usagef("%s is no connection URL", origin).
			WithHint("postgres://user@host:5432/registry or mysql://user@host:3306/registry")
	}
	f := newFound(engine, clientDefaults[engine])
	u, err := splitURL(rest, origin)
	if err != nil {
		return found{}, false, err
	}
	f.setIfAny("user", u.user, origin)
	f.setIfAny("password", u.password, origin)
	f.setIfAny("host", u.host, origin)
	f.setIfAny("port", u.port, origin)
	f.setIfAny("database", u.database, origin)
	if err := f.setParameters(u.query, origin); err != nil {
		return found{}, false, err
	}
	switch host := f.text("host"); {
	case host == "":
		return found{}, false, fault.Usagef("%s names no host", origin).
			WithHint("a unix socket is named by ?host=/path")
	case strings.Contains(host, ","):
		return found{}, false, fault.Usagef("%s names several hosts; name the one that accepts writes", origin)
	}
	return f, true, nil
}

// setParameters takes over what stands behind the question mark.
func (f found) setParameters(query url.Values, origin string) error {
	for name, values := range query {
		setting, known := parameters[name]
		switch {
		case slices.Contains(ignored, name):
		case !known:
			return fault.Usagef("%s: parameter %q is not known", origin, name).
				WithHint("host, port, user, password, dbname, sslmode (or tls), sslrootcert, sslcert, sslkey")
		default:
			f.set(setting, values[len(values)-1], origin)
		}
	}
	return nil
}

// urlParts are the parts of a connection URL, decoded.
type urlParts struct {
	user, password, host, port, database string
	query                                url.Values
}

// goAddress is how Go's MySQL driver and golang-migrate spell an address:
// user:password@tcp(host:3306)/registry.
var goAddress = regexp.MustCompile(`^((?:.*@)?)(tcp|unix)\(([^()]*)\)(/.*)?$`)

// splitURL takes a URL apart behind its scheme. net/url cannot: it refuses a
// socket's path in place of the host, and its errors quote the password.
func splitURL(rest, origin string) (urlParts, error) {
	var u urlParts
	bad := func(what string) (urlParts, error) {
		return urlParts{}, fault.Usagef("%s: %s", origin, what).WithHint("%s", percentHint)
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(rest, "#") {
		return bad("a # stands in the URL")
	}
	authority, path, _ := strings.Cut(rest, "/")
	if m := goAddress.FindStringSubmatch(rest); m != nil {
		authority, path = m[1]+m[3], strings.TrimPrefix(m[4], "/")
		if m[2] == "unix" {
			authority = m[1] + url.PathEscape(m[3])
		}
	}
	if strings.Contains(path, "@") || strings.Contains(query, "@") {
		return bad("an @ stands behind the host")
	}
	userinfo, hostport := "", authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		userinfo, hostport = authority[:at], authority[at+1:]
	}
	user, password, _ := strings.Cut(userinfo, ":")
	host, port, ok := splitHostPort(hostport)
	if !ok {
		return bad("host and port cannot be told apart")
	}
	u.port = port
	for _, part := range []struct {
		name string
		from string
		to   *string
	}{
		{"user", user, &u.user}, {"password", password, &u.password},
		{"host", host, &u.host}, {"database", strings.TrimSuffix(path, "/"), &u.database},
	} {
		text, err := url.PathUnescape(part.from)
		if err != nil {
			return bad("a % in the " + part.name + " is not followed by two hex digits")
		}
		*part.to = text
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return bad("the parameters behind the ? cannot be read")
	}
	u.query = values
	return u, nil
}

// splitHostPort knows [::1]:5432 beside host:5432.
func splitHostPort(s string) (host, port string, ok bool) {
	if inner, after, bracketed := strings.Cut(strings.TrimPrefix(s, "["), "]"); strings.HasPrefix(s, "[") {
		if !bracketed || after != "" && after[0] != ':' {
			return "", "", false
		}
		return inner, strings.TrimPrefix(after, ":"), true
	}
	host, port, _ = strings.Cut(s, ":")
	return host, port, !strings.Contains(port, ":")
}

// parsePort does not quote what it cannot read: in a mangled URL it may be a
// piece of a password.
func parsePort(v value) (int, error) {
	port, err := strconv.Atoi(v.text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fault.Usagef("%s: the port is not a number from 1 to 65535", v.origin).WithHint("%s", percentHint)
	}
	return port, nil
}
