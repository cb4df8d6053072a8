package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/harbordb/harbordb/internal/fault"
)

// connectError says who could not connect where, why, and what to look at.
// The texts of servers and drivers that it passes on hold no password.
func connectError(ctx context.Context, s Settings, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("connect to %s: %w", s, ctx.Err())
	}
	cause, hint := explain(s, err)
	what := "database "
	if s.Database == "" {
		what = "server" // a restore's own connections
	}
	return &fault.Error{
		Kind: fault.Failed,
		Err:  fmt.Errorf("connect to %s %s%s: %w", s.Engine, what, s, &connectCause{text: cause, err: err}),
		Hint: hint,
	}
}

// connectCause has a text of its own and keeps the driver's error below it.
type connectCause struct {
	text string
	err  error
}

func (c *connectCause) Error() string { return c.text }
func (c *connectCause) Unwrap() error { return c.err }

// explain finds the cause that says most. Where a driver made several
// attempts, what a server answered says more than what the network did.
func explain(s Settings, err error) (cause, hint string) {
	if text, ok := s.TLS.explainCertificate(err); ok {
		return text, "--ca-file FILE adds root certificates; " + s.from("sslmode", "the TLS mode")
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return explainPostgres(s, pg)
	}
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Message, mysqlHint(s, my.Number)
	}
	if hint, ok := tlsHint(s, err); ok {
		return lastLine(err), hint
	}
	if text, ok := mysqlLogin(err); ok {
		return text, "give the role a password of the present kind: SET PASSWORD, with old_passwords = 0"
	}
	return networkCause(err), networkHint(s, err)
}

// from says where a setting came from, for the hint that it may be wrong.
func (s Settings) from(setting, words string) string {
	origin := s.Origin[setting]
	if origin == "" {
		return words + " may be wrong"
	}
	return words + " came from " + origin
}

func explainPostgres(s Settings, pg *pgconn.PgError) (cause, hint string) {
	cause = pg.Message
	if pg.Detail != "" {
		cause += ": " + pg.Detail
	}
	switch {
	case pg.Code == "28P01":
		hint = s.passwordHint()
	case pg.Code == "28000" && strings.Contains(pg.Message, "pg_hba.conf"):
		hint = "the server's pg_hba.conf lets this user in from nowhere near here, or only with TLS (sslmode=require) or without it (sslmode=disable)"
	case pg.Code == "28000":
		hint = s.from("user", "the user")
	case pg.Code == "3D000":
		hint = s.from("database", "the name of the database") + "; Harbor's is registry unless it was changed"
	case pg.Code == "53300":
		hint = "all connections of the server are in use; stop something that uses it, or raise max_connections"
	case pg.Code == "57P03":
		hint = "the server is starting or stopping; try again in a moment"
	case pg.Hint != "":
		hint = pg.Hint
	}
	return cause, hint
}

func mysqlHint(s Settings, number uint16) string {
	switch number {
	case 1045: // access denied
		return s.passwordHint()
	case 1044: // access denied to the database
		return "the user has no rights on the database; " + s.from("user", "the user")
	case 1049: // unknown database
		return s.from("database", "the name of the database") + "; Harbor's is registry unless it was changed"
	case 1130: // host not allowed
		return "the server lets this user in from other hosts only; see the table mysql.user"
	case 1040, 1203, 1226: // too many connections
		return "all connections of the server are in use; stop something that uses it, or raise max_connections"
	case 1129: // host blocked
		return "on the server: mysqladmin flush-hosts"
	}
	return ""
}

func (s Settings) passwordHint() string {
	if s.Password == "" {
		return "no password was given: --password-file FILE, or -W to be asked for it"
	}
	return s.from("password", "the password") + "; " + s.from("user", "the user")
}

// mysqlLogin explains a server that asks for a way to log in that the driver
// refuses.
func mysqlLogin(err error) (string, bool) {
	switch {
	case errors.Is(err, mysql.ErrOldPassword):
		return "the role has a password in the form from before MySQL 4.1, which is not safe to send", true
	case errors.Is(err, mysql.ErrCleartextPassword):
		return "the server asks for the password in clear text", true
	case errors.Is(err, mysql.ErrUnknownPlugin):
		return "the server asks for a way to log in that is not supported", true
	}
	return "", false
}

func tlsHint(s Settings, err error) (string, bool) {
	text := err.Error()
	switch {
	case errors.Is(err, mysql.ErrNoTLS), strings.Contains(text, "server refused TLS connection"):
		return "the server has no TLS; " + s.from("sslmode", "the TLS mode"), true
	case strings.Contains(text, "tls: "):
		return s.from("sslmode", "the TLS mode"), true
	}
	return "", false
}

// networkCause is the innermost reason that a person knows.
func networkCause(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Sprintf("the name %s cannot be resolved (%s)", dns.Name, dns.Err)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	if isTimeout(err) {
		return fmt.Sprintf("no answer within %s", connectTimeout)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrInvalidConn) {
		return "the server closed the connection at once"
	}
	return lastLine(err)
}

func networkHint(s Settings, err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return s.from("host", "the host") + "; a name that only Harbor's own network knows needs --dsn, or harbordb run in that network"
	case errors.Is(err, fs.ErrNotExist) && isSocket(s.Host):
		return "there is no such socket; " + s.from("host", "the folder or path")
	case errors.Is(err, syscall.ECONNREFUSED), isTimeout(err), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "is the server running, and reachable from here? " + s.from("host", "the host")
	}
	return s.from("host", "the host")
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// lastLine is the last attempt of a driver that lists several.
func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
