package database_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

// Two passwords: one of them wrong.
var secret, another = canary.New() + "/word", canary.New()

// failing is a way not to connect, and the words of the error and its hint.
type failing struct {
	name   string
	change func(*database.Settings)
	error  []string
	hint   string
}

func runFailing(t *testing.T, settings database.Settings, cases []failing) {
	settings.Origin = map[string]string{
		"host": "environment THE_HOST", "user": "environment THE_USER",
		"password": "environment THE_PASSWORD", "database": "environment THE_DATABASE",
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			settings := settings
			settings.Password = database.Secret(secret)
			c.change(&settings)
			_, err := database.Open(t.Context(), settings)
			if err == nil {
				t.Fatal("connected")
			}
			for _, word := range append(c.error, settings.User, settings.Host, settings.Database) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the error does not name %q: %v", word, err)
				}
			}
			if !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("the hint is %q, not about %q", fault.HintOf(err), c.hint)
			}
			if everything := fmt.Sprintf("%v %+v %#v %s", err, err, err, fault.HintOf(err)); strings.Contains(everything, secret) {
				t.Errorf("the password is in the error: %s", everything)
			}
			if fault.KindOf(err) != fault.Failed {
				t.Errorf("the error is of kind %d", fault.KindOf(err))
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
		})
	}
}

func TestWhyPostgreSQLCannotBeReached(t *testing.T) {
	server := dbtest.StartPostgreSQL(t, dbtest.Options{
		Password: another,
		Settings: []string{"max_connections = 4", "superuser_reserved_connections = 0"},
		HBA: []string{
			"local all all trust",
			"host all forbidden 127.0.0.1/32 reject",
			"host all all 127.0.0.1/32 scram-sha-256",
		},
	})
	runFailing(t, server.TCP(""), append(nowhere(), []failing{
		{"a wrong password", func(*database.Settings) {}, []string{"password authentication failed"}, "the password came from environment THE_PASSWORD"},
		{"no password", func(s *database.Settings) { s.Password = "" }, []string{"password"}, "--password-file"},
		{"an unknown database", func(s *database.Settings) {
			s.Password, s.Database = database.Secret(another), "missing"
		}, []string{`database "missing" does not exist`}, "the name of the database came from environment THE_DATABASE"},
		{"a user whom pg_hba.conf refuses", func(s *database.Settings) { s.User = "forbidden" }, []string{"pg_hba.conf"}, "pg_hba.conf"},
		{"a socket folder without a socket", func(s *database.Settings) { s.Host = "/tmp" }, []string{"no such file"}, "no such socket"},
	}...))
	t.Run("a server that is full", func(t *testing.T) {
		for range 4 {
			conn, err := open(t, server.Settings("")).Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		_, err := database.Open(t.Context(), server.Settings(""))
		if !strings.Contains(fault.HintOf(err), "max_connections") {
			t.Errorf("%v, hint %q", err, fault.HintOf(err))
		}
	})
}

func TestWhyMySQLCannotBeReached(t *testing.T) {
	server := dbtest.StartMariaDB(t, dbtest.Options{Password: another})
	server.Exec(t, "", `
		create user stranger@192.0.2.1; create database harbor; create user poor@'%' identified by '`+secret+`';
		create user ancient@'%'; set old_passwords = 1; set global secure_auth = 0; set password for ancient@'%' = old_password('`+secret+`')`)
	runFailing(t, server.TCP(""), append(nowhere(), []failing{
		{"a wrong password", func(*database.Settings) {}, []string{"Access denied"}, "the password came from environment THE_PASSWORD"},
		{"no password", func(s *database.Settings) { s.Password = "" }, []string{"Access denied"}, "--password-file"},
		{"an unknown database", func(s *database.Settings) {
			s.Password, s.Database = database.Secret(another), "missing"
		}, []string{"Unknown database"}, "the name of the database came from environment THE_DATABASE"},
		{"no rights on the database", func(s *database.Settings) {
			s.User, s.Database = "poor", "harbor"
		}, []string{"Access denied"}, "no rights on the database"},
		{"a socket that is not there", func(s *database.Settings) { s.Host = "/tmp/nothing.sock" }, []string{"no such file"}, "no such socket"},
		{"a password from before MySQL 4.1", func(s *database.Settings) { s.User = "ancient" }, []string{"before MySQL 4.1"}, "SET PASSWORD"},
	}...))
}

// nowhere are the failures in front of any server.
func nowhere() []failing {
	return []failing{
		{"no server there", func(s *database.Settings) { s.Port = 1 }, []string{"connection refused"}, "the host came from environment THE_HOST"},
		{"a name that nobody knows", func(s *database.Settings) { s.Host = "postgresql.invalid" }, []string{"cannot be resolved"}, "Harbor's own network"},
	}
}

func TestAPortOutOfRangeIsAUsageError(t *testing.T) {
	for _, engine := range []database.Engine{database.PostgreSQL, database.MySQL} {
		_, err := database.Open(t.Context(), database.Settings{Engine: engine, Host: "localhost", Port: 70000})
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

func TestSomethingElseThatListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	for _, engine := range []database.Engine{database.PostgreSQL, database.MySQL} {
		settings := database.Settings{
			Engine: engine, Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port,
			User: "u", Database: "d", TLS: database.TLS{Mode: database.TLSDisable},
		}
		_, err := database.Open(t.Context(), settings)
		if err == nil || !strings.Contains(err.Error(), "closed the connection") {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

func TestACancelledConnectionSaysSo(t *testing.T) {
	server := dbtest.PostgreSQL(t)
	proxy := dbtest.NewProxy(t, server)
	proxy.Pause()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := database.Open(ctx, proxy.Settings(""))
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSettingsPrintNoPassword(t *testing.T) {
	settings := database.Settings{Host: "db", User: "harbor", Database: "registry", Password: database.Secret(secret)}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if printed := fmt.Sprintf(form, settings); strings.Contains(printed, secret) {
			t.Errorf("%s prints %s", form, printed)
		}
	}
}
